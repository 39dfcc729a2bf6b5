"""Tempo stability: edits, changes of tempo, live playing.

Windows of 16 beats tell cheaply how far the beats of the activation are from the constant grid. A
track whose windows agree is constant; only the others are split, by
:mod:`beatgrid.search.segmentation`.

To these windows beat and off-beat are one place, since music that dwells on the off-beat is no
change; which of the two a segment lies on, :mod:`beatgrid.search.on_beat` decides. Edits by half a
beat are found by :mod:`beatgrid.search.half_beat`, a slowing end by :mod:`beatgrid.search.ending`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from beatgrid.grid import FloatArray
from beatgrid.peaks import parabolic_peak
from beatgrid.search.ending import find_slowing_end
from beatgrid.search.evidence import Evidence
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.follow import best_shifts, steady_pieces, wanders
from beatgrid.search.half_beat import BLOCK_BEATS, find_half_beat_edit
from beatgrid.search.line import Line
from beatgrid.search.on_beat import on_the_beat, own_line
from beatgrid.search.segmentation import (
    MIN_BARS,
    PRESENT,
    FittedSegment,
    evidence_of,
    segment_tempo,
    typical_sum,
    with_exact_boundaries,
)

WINDOW_BEATS = 16
N_PHASES = 48
# Beats whose evidence is computed at a time, a multiple of half a window: 0.4 MB for each array.
CHUNK_BEATS = 1024
# Beats that may leave the grid gain this share of its evidence where the tempo is not constant. Of
# 843 tracks with constant labels, 434 of them real, four real ones that swing or lag gain .18 to
# .20; of generated ones that wander by 1 to 2 % each gains .29 or more.
WANDER_GAIN = 0.22
# A window deviates if its beats are this far from the grid, and the grid keeps less than this share
# of the window's best evidence. Windows weaker than this share of the typical one are not judged.
DEVIATION_S = 0.020
KEPT_SHARE = 0.6
WEAK_SHARE = 0.35


@dataclass(frozen=True)
class TempoStability:
    """Whether one grid holds for the whole track.

    Attributes:
        segments: Stretches in order, covering the track; one if the tempo is constant.
        max_drift_s: Largest distance of the beats, taken over windows or over the segments, from
            the nearest beat of the constant grid.
        agreement: Share of the music's evidence that the constant grid explains, 0..1.
    """

    segments: tuple[FittedSegment, ...]
    max_drift_s: float
    agreement: float


def tempo_stability(
    extractor: FeatureExtractor,
    line: Line,
    phase_log_odds: Callable[[Line], float] | None = None,
    *,
    harmonics: int,
    oversampling: int,
) -> TempoStability:
    """Compare a track with its constant grid, and split it where they differ.

    Args:
        extractor: Holds the evidence for beats, and the onsets.
        line: The constant grid.
        phase_log_odds: Log-odds of beat against off-beat along a line; without, no edit by half
            a beat is found.
        harmonics: Of the scans of parts of the track.
        oversampling: Of the scans of parts of the track.
    """
    evidence = extractor.evidence
    fitted = [FittedSegment(0.0, evidence.duration_s, line)]
    distance_s, deviates = _windows(evidence, line)
    drift_s = float(np.max(np.abs(distance_s), initial=0.0))
    # Windows overlap by half: this many in a row are MIN_BARS bars of four.
    run = 2 * MIN_BARS * 4 // WINDOW_BEATS - 1
    agreement = 1.0
    is_wandering = wanders(evidence, line, WANDER_GAIN)
    if is_wandering or _has_run(deviates, run):
        found = segment_tempo(evidence, line, harmonics=harmonics, oversampling=oversampling)
        agreement = _agreement(evidence, line, found)
        fitted = fitted if len(found) == 1 else found
    if phase_log_odds is not None:
        if len(fitted) > 1:
            fitted = on_the_beat(fitted, phase_log_odds)
            agreement = _agreement(evidence, line, fitted)
        parts = [_split_by_half_a_beat(evidence, f, phase_log_odds) for f in fitted]
        if any(len(part) > 1 for part in parts):
            fitted = [segment for part in parts for segment in part]
            agreement = _agreement(evidence, line, fitted)
    if is_wandering and len(fitted) == 1:
        fitted = _wandering(evidence, fitted[0])
        agreement = _agreement(evidence, line, fitted)
    last = fitted[-1]
    ending = find_slowing_end(extractor, last.line, last.start_s)
    if ending is not None:
        fitted = [
            *fitted[:-1],
            replace(last, end_s=ending.start_s),
            FittedSegment(ending.start_s, last.end_s, ending.line, ending.times_s),
        ]
    if len(fitted) > 1:
        apart_s = (float(np.max(line.distance_s(f.beat_times_s), initial=0.0)) for f in fitted)
        drift_s = max(drift_s, *apart_s)
    return TempoStability(tuple(fitted), drift_s, agreement)


def _wandering(evidence: Evidence, segment: FittedSegment) -> list[FittedSegment]:
    """Divide a segment, too short-lived for segments of bars, by the beats that follow it."""
    times_s = best_shifts(evidence, segment.line.times_s)
    pieces = steady_pieces(times_s)
    starts_s = [segment.start_s]
    starts_s += [float(times_s[p.start - 1] + times_s[p.start]) / 2 for p in pieces[1:]]
    ends_s = [*starts_s[1:], segment.end_s]
    fitted = []
    for piece, start_s, end_s in zip(pieces, starts_s, ends_s, strict=True):
        own_s = times_s[piece]
        period_s = float(own_s[-1] - own_s[0]) / max(len(own_s) - 1, 1) or segment.line.period_s
        line = Line.through(float(own_s[0]), period_s, start_s, end_s)
        fitted.append(FittedSegment(start_s, end_s, line, own_s))
    return fitted


def _split_by_half_a_beat(
    evidence: Evidence, segment: FittedSegment, phase_log_odds: Callable[[Line], float]
) -> list[FittedSegment]:
    """Split a segment where its beats become off-beats for good."""
    line = own_line(segment)
    edit = find_half_beat_edit(evidence, line, phase_log_odds)
    if edit is None:
        return [segment]
    boundary_s = line.time_s + (edit.beat - 0.5) * line.period_s
    before, behind = edit.sides(line)
    halves = [
        FittedSegment(segment.start_s, boundary_s, before),
        FittedSegment(boundary_s, segment.end_s, behind),
    ]
    return with_exact_boundaries(evidence, halves, BLOCK_BEATS * line.period_s)


def _windows(evidence: Evidence, line: Line) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return each strong window's distance in seconds from the grid, and which windows deviate."""
    sums = _window_sums(evidence, line)
    if not len(sums):
        return np.zeros(0), np.zeros(0, dtype=bool)
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
    present = _of_windows(_of_halves(evidence.weight_at(line.times_s))) / WINDOW_BEATS
    return distance_s[strong], np.where(strong, away, present > PRESENT)


def _window_sums(evidence: Evidence, line: Line) -> FloatArray:
    """Sum the evidence of each window, from a quarter of a period before the beat on.

    Returns:
        (windows, ``N_PHASES``); no windows where there are fewer than two that do not overlap.
    """
    times_s = line.times_s
    if len(times_s) < 2 * WINDOW_BEATS:
        return np.zeros((0, N_PHASES))
    steps_s = (np.arange(N_PHASES) / N_PHASES - 0.25) * line.period_s
    halves = [
        _of_halves(evidence(times_s[start : start + CHUNK_BEATS, None] + steps_s))
        for start in range(0, len(times_s), CHUNK_BEATS)
    ]
    return _of_windows(np.concatenate(halves))


def _of_halves(at_beats: FloatArray) -> FloatArray:
    """Sum values (beats, ...) over each half of a window, (halves, ...); the last may be shorter.

    Windows overlap by a half.
    """
    return np.add.reduceat(at_beats, np.arange(0, len(at_beats), WINDOW_BEATS // 2), axis=0)


def _of_windows(halves: FloatArray) -> FloatArray:
    """Add the two halves of each window."""
    return halves[:-1] + halves[1:]


def _has_run(flags: NDArray[np.bool_], n: int) -> bool:
    """Tell whether ``n`` neighbouring flags are all set."""
    return len(flags) >= n and bool(np.any(np.convolve(flags, np.ones(n), "valid") > n - 0.5))


def _agreement(evidence: Evidence, line: Line, fitted: list[FittedSegment]) -> float:
    """Share of the segments' evidence that the constant grid keeps, 0..1."""
    own = np.array([evidence_of(evidence, p.line, p.start_s, p.end_s) for p in fitted])
    kept = np.array([evidence_of(evidence, line, p.start_s, p.end_s) for p in fitted])
    total = float(own.sum())
    return float(np.clip(np.clip(kept, 0, own).sum() / total, 0, 1)) if total > 0 else 0.0
