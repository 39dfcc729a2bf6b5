"""Label files of this project, as drafts for a person to correct."""

from __future__ import annotations

import json
from typing import Any

from beatgrid.export.options import ExportOptions
from beatgrid.export.spans import TempoSpan
from beatgrid.export.track import ExportTrack
from beatgrid.output.result import displayable


def render(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a label (``data/README.md``): its downbeat is reliable only if the result is locked.

    Where the tempo changes it has segments; where bars are not known it says so, and does not
    supervise them.
    """
    label: dict[str, Any] = {
        "fileName": displayable(track.audio.name),
        "duration": track.duration_s,
    }
    if track.is_piecewise:
        label["segments"] = [
            {
                "start": span.start_s,
                "bpm": span.bpm,
                "downbeatOffset": _downbeat_s(span, track.beats_per_bar),
            }
            for span in track.spans
        ]
    else:
        span = track.spans[0]
        label["bpm"] = span.bpm
        label["downbeatOffset"] = _downbeat_s(span, track.beats_per_bar)
    label["beatsPerBar"] = track.beats_per_bar
    downbeat = "reliable" if track.locked else "likely"
    label["downbeat"] = downbeat if track.downbeat_known else "unknown"
    return (json.dumps(label, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _downbeat_s(span: TempoSpan, beats_per_bar: int) -> float:
    """Return the first downbeat of a span, if it went on so long."""
    to_downbeat = -(span.first_bar_position - 1) % beats_per_bar
    return span.first_beat_s + to_downbeat * span.period_s
