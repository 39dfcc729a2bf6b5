"""Where a track leaves its constant grid: edits, changes of tempo, live playing.

Windows of 16 beats tell, for next to nothing, how far the sounding beats stray from the constant
grid; a track whose windows agree is constant, and that is the end of it. Only the others are
split by :mod:`beatgrid.search.pieces`.

A shift by exactly half a beat is not a break: music that dwells on the off-beat looks the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from beatgrid.grid import FloatArray
from beatgrid.search.estimate import Segment
from beatgrid.search.evidence import Evidence
from beatgrid.search.pieces import MIN_BARS, PRESENT, Piece, evidence_of, find_pieces, usual_sum
from beatgrid.search.refine import Line

WINDOW_BEATS = 16
N_PHASES = 48
# A window strays if its beats are this far from the grid, and the grid keeps less than this
# share of the window's best evidence. Windows weaker than a share of the usual do not say.
STRAY_S = 0.020
KEPT_SHARE = 0.6
WEAK_SHARE = 0.35


@dataclass(frozen=True)
class Steadiness:
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


def steadiness(evidence: Evidence, line: Line) -> Steadiness:
    """Compare a track with its constant grid, and split it if they part.

    Args:
        evidence: Curve of the beat channel.
        line: The constant grid.
    """
    whole = (_segment(line, 0.0, evidence.duration_s),)
    distance_s, strays = _windows(evidence, line)
    drift_s = float(np.max(np.abs(distance_s), initial=0.0))
    # Windows overlap by half: this many in a row are MIN_BARS bars of four.
    run = 2 * MIN_BARS * 4 // WINDOW_BEATS - 1
    if not _has_run(strays, run):
        return Steadiness(whole, drift_s, 1.0)
    pieces = find_pieces(evidence, line)
    agreement = _agreement(evidence, line, pieces)
    if len(pieces) == 1:
        return Steadiness(whole, drift_s, agreement)
    drift_s = max(drift_s, *(_distance_s(line, piece) for piece in pieces))
    segments = tuple(_segment(p.line, p.start_s, p.end_s) for p in pieces)
    return Steadiness(segments, drift_s, agreement)


def _windows(evidence: Evidence, line: Line) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Distance in seconds of each strong window's beats from the grid; which windows stray."""
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
    before, after = either[rows, best - 1], either[rows, (best + 1) % half]
    bend = np.minimum(before - 2 * top + after, -1e-12)
    place = best + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    distance_s = (place / N_PHASES - 0.25) * line.period_s
    kept = np.max(either[:, half // 2 - 1 : half // 2 + 2], axis=1)
    strong = top > WEAK_SHARE * usual_sum(top)
    away = (np.abs(distance_s) > STRAY_S) & (kept < KEPT_SHARE * top)
    # Beats of another tempo leave a window's sums flat: present, but at no place strong.
    heard = evidence.weight_at(line.times_s)
    heard = uniform_filter1d(heard, WINDOW_BEATS, mode="constant")
    heard = heard[WINDOW_BEATS // 2 :: WINDOW_BEATS // 2]
    return distance_s[strong], np.where(strong, away, heard > PRESENT)


def _has_run(flags: NDArray[np.bool_], n: int) -> bool:
    """Whether ``n`` neighbouring flags are all set."""
    return len(flags) >= n and bool(np.any(np.convolve(flags, np.ones(n), "valid") > n - 0.5))


def _agreement(evidence: Evidence, line: Line, pieces: list[Piece]) -> float:
    """Share of the pieces' evidence that the constant grid keeps, 0..1."""
    own = np.array([evidence_of(evidence, p.line, p.start_s, p.end_s) for p in pieces])
    kept = np.array([evidence_of(evidence, line, p.start_s, p.end_s) for p in pieces])
    total = float(own.sum())
    return float(np.clip(np.clip(kept, 0, own).sum() / total, 0, 1)) if total > 0 else 0.0


def _distance_s(line: Line, piece: Piece) -> float:
    """Largest distance of a piece's beats from the nearest beat of a line."""
    beats = (piece.line.times_s - line.time_s) / line.period_s
    return float(np.max(np.abs(beats - np.round(beats)))) * line.period_s


def _segment(line: Line, start_s: float, end_s: float) -> Segment:
    first = np.ceil((start_s - line.time_s) / line.period_s)
    return Segment(start_s, end_s, line.bpm, line.time_s + float(first) * line.period_s)
