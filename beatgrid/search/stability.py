"""Tempo stability: edits, changes of tempo, live playing.

Windows of 16 beats tell cheaply how far the beats of the activation are from the constant grid. A
track whose windows agree is constant; only the others are split, by
:mod:`beatgrid.search.segmentation`.

A shift by exactly half a beat is not a change: music that dwells on the off-beat looks the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from beatgrid.grid import FloatArray
from beatgrid.peaks import parabolic_peak
from beatgrid.search.estimate import Segment
from beatgrid.search.evidence import Evidence
from beatgrid.search.line import Line
from beatgrid.search.segmentation import (
    MIN_BARS,
    PRESENT,
    FittedSegment,
    evidence_of,
    segment_tempo,
    typical_sum,
)

WINDOW_BEATS = 16
N_PHASES = 48
# A window deviates if its beats are this far from the grid, and the grid keeps less than this share
# of the window's best evidence. Windows weaker than this share of the typical one are not judged.
DEVIATION_S = 0.020
KEPT_SHARE = 0.6
WEAK_SHARE = 0.35


@dataclass(frozen=True)
class TempoStability:
    """Whether one grid holds for the whole track.

    Attributes:
        segments: Constant stretches in order, covering the track.
        max_drift_s: Largest distance of the beats, taken over windows or over the segments, from
            the nearest beat of the constant grid.
        agreement: Share of the music's evidence that the constant grid explains, 0..1.
    """

    segments: tuple[Segment, ...]
    max_drift_s: float
    agreement: float


def tempo_stability(
    evidence: Evidence, line: Line, *, harmonics: int, oversampling: int
) -> TempoStability:
    """Compare a track with its constant grid, and split it where they differ.

    Args:
        evidence: Curve of the beat channel.
        line: The constant grid.
        harmonics: Of the scans of parts of the track.
        oversampling: Of the scans of parts of the track.
    """
    whole = (_segment(line, 0.0, evidence.duration_s),)
    distance_s, deviates = _windows(evidence, line)
    drift_s = float(np.max(np.abs(distance_s), initial=0.0))
    # Windows overlap by half: this many in a row are MIN_BARS bars of four.
    run = 2 * MIN_BARS * 4 // WINDOW_BEATS - 1
    if not _has_run(deviates, run):
        return TempoStability(whole, drift_s, 1.0)
    fitted = segment_tempo(evidence, line, harmonics=harmonics, oversampling=oversampling)
    agreement = _agreement(evidence, line, fitted)
    if len(fitted) == 1:
        return TempoStability(whole, drift_s, agreement)
    drift_s = max(drift_s, *(float(np.max(line.distance_s(f.line.times_s))) for f in fitted))
    segments = tuple(_segment(f.line, f.start_s, f.end_s) for f in fitted)
    return TempoStability(segments, drift_s, agreement)


def _windows(evidence: Evidence, line: Line) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Distance in seconds of each strong window's beats from the grid; which windows deviate."""
    steps = np.arange(N_PHASES) / N_PHASES
    around = evidence(line.times_s[:, None] + (steps - 0.25) * line.period_s)
    if len(around) < 2 * WINDOW_BEATS:
        return np.zeros(0), np.zeros(0, dtype=bool)
    sums = uniform_filter1d(around, WINDOW_BEATS, axis=0, mode="constant") * WINDOW_BEATS
    sums = sums[WINDOW_BEATS // 2 :: WINDOW_BEATS // 2]
    # Beat and off-beat count as the same place.
    half = N_PHASES // 2
    either = np.maximum(sums[:, :half], sums[:, half:])
    best = np.argmax(either, axis=1)
    rows = np.arange(len(sums))
    top = either[rows, best]
    shift, _ = parabolic_peak(either[rows, best - 1], top, either[rows, (best + 1) % half])
    distance_s = ((best + shift) / N_PHASES - 0.25) * line.period_s
    kept = np.max(either[:, half // 2 - 1 : half // 2 + 2], axis=1)
    strong = top > WEAK_SHARE * typical_sum(top)
    away = (np.abs(distance_s) > DEVIATION_S) & (kept < KEPT_SHARE * top)
    # Beats of another tempo leave a window's sums flat: present, but at no place strong.
    present = uniform_filter1d(evidence.weight_at(line.times_s), WINDOW_BEATS, mode="constant")
    present = present[WINDOW_BEATS // 2 :: WINDOW_BEATS // 2]
    return distance_s[strong], np.where(strong, away, present > PRESENT)


def _has_run(flags: NDArray[np.bool_], n: int) -> bool:
    """Whether ``n`` neighbouring flags are all set."""
    return len(flags) >= n and bool(np.any(np.convolve(flags, np.ones(n), "valid") > n - 0.5))


def _agreement(evidence: Evidence, line: Line, fitted: list[FittedSegment]) -> float:
    """Share of the segments' evidence that the constant grid keeps, 0..1."""
    own = np.array([evidence_of(evidence, p.line, p.start_s, p.end_s) for p in fitted])
    kept = np.array([evidence_of(evidence, line, p.start_s, p.end_s) for p in fitted])
    total = float(own.sum())
    return float(np.clip(np.clip(kept, 0, own).sum() / total, 0, 1)) if total > 0 else 0.0


def _segment(line: Line, start_s: float, end_s: float) -> Segment:
    return Segment(start_s, end_s, line.bpm, line.first_beat_s(start_s))
