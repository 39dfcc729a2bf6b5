"""Readers of exports that are not ours: what each finds in a file, as times of beats.

A format is one function and one entry in ``READERS``.
"""

from __future__ import annotations

import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.export.track import ExportTrack

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what old libraries of the readers deprecate
    import jams
    import mido
    import mir_eval
    import simfile
    import slider
    from simfile.timing import Beat, TimingData
    from simfile.timing.engine import TimingEngine


@dataclass(frozen=True)
class Found:
    """What a reader found.

    Attributes:
        times_s: Beats, (beats,).
        name: The track's name or its file's, where the format holds one.
    """

    times_s: np.ndarray
    name: str | None = None


@dataclass(frozen=True)
class Reader:
    """How a format is read.

    Attributes:
        format: Its name.
        reader: Whose library.
        checked: What is looked at.
        read: (exported file, the track) to what it found. The track may be looked at for its name
            and the number of its beats only.
    """

    format: str
    reader: str
    checked: str
    read: Callable[[Path, ExportTrack], Found]


def audacity(path: Path, track: ExportTrack) -> Found:
    """Read a label track by the grammar of Audacity's manual."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [re.fullmatch(r"(\d+\.\d+)\t(\d+\.\d+)\t(\S.*)", line) for line in lines]
    return Found(np.array([float(row[1]) for row in rows if row]))


def table(path: Path, track: ExportTrack) -> Found:
    """Read a CSV table with numpy."""
    return Found(np.genfromtxt(path, delimiter=",", names=True)["time_s"])


def svl(path: Path, track: ExportTrack) -> Found:
    """Read a layer with an XML parser."""
    root = ET.parse(path).getroot()
    model = root.find("data/model")
    assert model is not None
    frames = [int(point.attrib["frame"]) for point in root.iter("point")]
    name = model.attrib["name"].removeprefix("Beats of ")
    return Found(np.array(frames) / int(model.attrib["sampleRate"]), name)


def jams_file(path: Path, track: ExportTrack) -> Found:
    """Read and validate a JAMS file with jams."""
    read = jams.load(str(path), validate=True, strict=True)
    times_s, _ = read.search(namespace="beat")[0].to_event_values()
    return Found(times_s, read.file_metadata.title)


def beat_list(path: Path, track: ExportTrack) -> Found:
    """Read a list of beats with mir_eval."""
    return Found(mir_eval.io.load_events(str(path)))


def midi(path: Path, track: ExportTrack) -> Found:
    """Play a MIDI file with mido: its clicks."""
    file = mido.MidiFile(path, charset="utf-8")
    time_s, times_s = 0.0, []
    for message in file:
        time_s += message.time
        if message.type == "note_on":
            times_s.append(time_s)
    return Found(np.array(times_s), file.tracks[0].name)


def stepmania(path: Path, track: ExportTrack) -> Found:
    """Read a song with simfile: its beats, by its timing engine."""
    song = simfile.open(str(path))
    engine = TimingEngine(TimingData(song))
    first = track.spans[0].first_bar_position - 1
    n_beats = len(track.beat_times_s())
    times_s = [float(engine.time_at(Beat(first + i))) for i in range(n_beats)]
    return Found(np.array(times_s), song.title)


def osu(path: Path, track: ExportTrack) -> Found:
    """Read a beatmap with slider: its timing points, each going on until the next."""
    chart = slider.Beatmap.from_path(path)
    points = [(p.offset.total_seconds(), p.ms_per_beat / 1000) for p in chart.timing_points]
    times_s: list[float] = []
    end_s = track.duration_s
    start_s, period_s = points[0]
    while start_s - period_s >= 0:  # the first point holds before it too
        start_s -= period_s
    points[0] = (start_s, period_s)
    for i, (start_s, period_s) in enumerate(points):
        next_s = points[i + 1][0] if i + 1 < len(points) else end_s
        n_beats = max(1, round((next_s - start_s) / period_s))
        if i + 1 == len(points):
            n_beats = int(np.ceil((next_s - start_s) / period_s - 1e-6))
        times_s += [start_s + k * period_s for k in range(n_beats)]
    return Found(np.array(times_s), chart.title_unicode)


def clicks(path: Path, track: ExportTrack) -> Found:
    """Read audio with libsndfile: where clicks begin."""
    samples, sample_rate = soundfile.read(path, always_2d=True)
    loud = np.flatnonzero(np.abs(samples[:, 0]) > 0.02)
    onsets = loud[np.diff(loud, prepend=-sample_rate) > 0.06 * sample_rate]
    return Found(onsets / sample_rate)


BEATS = "every beat"
READERS = [
    Reader("audacity", "Audacity's grammar", BEATS, audacity),
    Reader("csv", "numpy", BEATS, table),
    Reader("svl", "ElementTree", f"{BEATS}, name", svl),
    Reader("jams", "jams, validating", f"{BEATS}, name", jams_file),
    Reader("beats", "mir_eval", BEATS, beat_list),
    Reader("midi", "mido", f"{BEATS} as a note, name", midi),
    Reader("click_track", "libsndfile", f"{BEATS}'s click", clicks),
    Reader("click_mix", "libsndfile", f"{BEATS}'s click", clicks),
    Reader("stepmania", "simfile", f"{BEATS} by its engine, name", stepmania),
    Reader("osu", "slider", f"{BEATS} by timing points, name", osu),
]
