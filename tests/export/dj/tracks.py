"""Tracks to export, and grids as other programs' readers understand them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from beatgrid.export.spans import fit_spans
from beatgrid.export.track import ExportTrack
from beatgrid.grid import Grid

AWKWARD = (
    '/Users/dj/My Music/it\'s "so" loud.mp3',
    "/Users/dj/Musik/Café — été.flac",
    "/Volumes/USB 2/日本語/曲 #1.m4a",
    "/Users/dj/R&B/100% <live> [a+b]; c=d.wav",
    "/Users/dj/a%20b/50%.aiff",
    "C:\\Music\\Größe & Co\\naïve.mp3",
)


def constant(path="/Users/dj/a.mp3", bpm=127.97, first_s=0.2, duration_s=300.0, bar=1, **others):
    """A track of one tempo whose first beat is at place ``bar`` of its bar."""
    grid = Grid(bpm, first_s - (bar - 1) * 60 / bpm)
    return of_beats(
        path, grid.beat_times(duration_s), grid.bar_positions(duration_s), duration_s, **others
    )


def of_beats(path, times_s, positions=None, duration_s=None, **others):
    """A track with any beats."""
    times_s = np.asarray(times_s, dtype=np.float64)
    positions = np.arange(len(times_s)) % 4 + 1 if positions is None else positions
    duration_s = float(times_s[-1]) + 0.3 if duration_s is None else duration_s
    spans = fit_spans(times_s, np.asarray(positions), 4, duration_s)
    return ExportTrack(
        Path(path), Path(path).stem, duration_s, 44100, spans, **{"beats_per_bar": 4, **others}
    )


def changing(path="/Users/dj/changing.mp3", seed=0):
    """A track with jumps of tempo, an edit by half a beat and a stretch played by hand."""
    random = np.random.default_rng(seed)
    intervals = [np.full(60, 60 / 126.0), [0.5 * 60 / 126.0], np.full(63, 60 / 126.0)]
    intervals += [np.full(80, 60 / 93.37), [1.5 * 60 / 93.37]]
    intervals += [60 / 110.0 + random.normal(0, 0.002, 64), np.full(100, 60 / 140.0)]
    return of_beats(path, 0.31 + np.cumsum(np.concatenate(intervals)))


def read_beats(
    anchors: Sequence[tuple[float, float]], until_s: float, same_s: float = 1e-6
) -> np.ndarray:
    """Beats of markers (seconds, BPM): a reader that knows nothing but the format.

    It begins with the first marker and goes on in its tempo until the next one; a beat that lies
    less than ``same_s`` before that is the same.
    """
    beats: list[float] = []
    ends = [start_s for start_s, _ in anchors[1:]] + [until_s]
    for (start_s, bpm), end_s in zip(anchors, ends, strict=True):
        n_beats = int(np.ceil((end_s - start_s) * bpm / 60 - same_s * bpm / 60))
        beats.extend(start_s + np.arange(n_beats) * 60 / bpm)
    return np.array(beats)


def worst_ms(found_s: Iterable[float], true_s: Iterable[float]) -> float:
    """Largest distance between the same beats of two lists, which must be as many."""
    found, true = np.asarray(found_s), np.asarray(true_s)
    assert len(found) == len(true)
    return float(1000 * np.abs(found - true).max())


TRACKS = [
    pytest.param(constant(bpm=128.0), id="128"),
    pytest.param(constant(bpm=127.97), id="hundredths"),
    pytest.param(constant(bpm=174.0349, bar=3, duration_s=600.0), id="between hundredths"),
    pytest.param(constant(bpm=61.4567, duration_s=3600.0), id="an hour"),
    pytest.param(constant(bpm=127.123, first_s=0.0), id="from 0"),
    pytest.param(changing(), id="changing"),
    pytest.param(of_beats("/a.mp3", [1.0, 1.5]), id="two beats"),
    pytest.param(of_beats("/a.mp3", [1.0]), id="one beat"),
]
