"""Files that research tools read: Sonic Visualiser's layers, JAMS, mir_eval's lists of beats."""

from __future__ import annotations

import json
from xml.sax.saxutils import quoteattr

import beatgrid
from beatgrid.export.bars import beat_labels
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack

JAMS_VERSION = "0.3.5"


def render_svl(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a layer of time instants for Sonic Visualiser (File > Import Annotation Layer).

    Times are whole frames of the audio file: rounded by half a sample at most.
    """
    times_s = track.beat_times_s()
    frames = [round(float(time_s) * track.sample_rate) for time_s in times_s]
    points = "".join(
        f'      <point frame="{frame}" label={quoteattr(label)} />\n'
        for frame, label in zip(frames, beat_labels(track), strict=True)
    )
    name = quoteattr(f"Beats of {_xml_text(track.name)}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<!DOCTYPE sonic-visualiser>\n"
        "<sv>\n"
        "  <data>\n"
        f'    <model id="1" name={name} sampleRate="{track.sample_rate}" start="{frames[0]}" '
        f'end="{frames[-1] + 1}" type="sparse" dimensions="1" resolution="1" notifyOnAdd="true" '
        'dataset="0" />\n'
        '    <dataset id="0" dimensions="1">\n'
        f"{points}"
        "    </dataset>\n"
        "  </data>\n"
        "  <display>\n"
        f'    <layer id="2" type="timeinstants" name={name} model="1" plotStyle="0" '
        'colourName="Orange" colour="#ff8000" darkBackground="false" />\n'
        "  </display>\n"
        "</sv>\n"
    ).encode()


def render_jams(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a JAMS file: its ``beat`` annotation counts in the bar, ``tempo`` has each span.

    Where the downbeat is not known the beats' values are null.
    """
    beats = [
        {
            "time": round(float(time_s), 6),
            "duration": 0.0,
            "value": int(position) if track.downbeat_known else None,
            "confidence": None,
        }
        for time_s, position in zip(track.beat_times_s(), track.bar_positions(), strict=True)
    ]
    tempi = [
        {
            "time": span.start_s,
            "duration": span.end_s - span.start_s,
            "value": span.bpm,
            "confidence": track.confidence,
        }
        for span in track.spans
    ]
    content = {
        "annotations": [
            _annotation("beat", beats, track.duration_s),
            _annotation("tempo", tempi, track.duration_s),
        ],
        "file_metadata": {
            "title": track.name,
            "artist": "",
            "release": "",
            "duration": track.duration_s,
            "identifiers": {},
            "jams_version": JAMS_VERSION,
        },
        "sandbox": {},
    }
    return (json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def render_beats(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return the times of beats, one in a line, as ``mir_eval.io.load_events`` reads them."""
    return "".join(f"{time_s:.6f}\n" for time_s in track.beat_times_s()).encode()


def _annotation(namespace: str, data: list[dict], duration_s: float) -> dict:
    return {
        "annotation_metadata": {
            "curator": {"name": "", "email": ""},
            "annotator": {},
            "version": beatgrid.__version__,
            "corpus": "",
            "annotation_tools": "beatgrid",
            "annotation_rules": "",
            "validation": "",
            "data_source": "program",
        },
        "namespace": namespace,
        "data": data,
        "sandbox": {},
        "time": 0,
        "duration": duration_s,
    }


def _xml_text(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return "".join(c for c in text if c.isprintable() or c == " ")
