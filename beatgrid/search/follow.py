"""Beats that follow a tempo which changes all the time, near a grid that it leaves.

A piecewise-constant grid is off by some 10 ms where the tempo glides. Viterbi's algorithm finds the
sequence of small shifts of its beats with the most evidence; peaks and a local line through them
then give times finer than its lattice.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.evidence import Evidence
from beatgrid.search.least_squares import Peaks
from beatgrid.search.line import Line

# Shifts of a beat that are tried: up to this share of the period, in steps of this many seconds.
MAX_SHIFT_SHARE = 0.25
STEP_S = 0.005
COARSE_STEP_S = 0.010
# A change of shift from one beat to the next by this share of the period costs half a unit of
# evidence, about a quarter of what a beat gains.
CHANGE_SHARE = 0.02
# The second time, changes of tempo cost what the first path leaves of them: a ramp within a segment
# of constant tempo is followed to its ends.
PASSES = 2
# Beats whose evidence is computed at a time: memory does not grow with the track.
CHUNK_BEATS = 1024
# Peaks this near a beat count for it, and so many beats on either side smooth it.
PEAK_REACH_S = 0.020
# Pieces of steady tempo among beats that follow the music: so many beats at least, and no beat
# farther than this from their line.
MIN_PIECE_BEATS = 16
MAX_BEND_S = 0.015
SMOOTHING_BEATS = 3.0
REACH_BEATS = 8
# The local line is through the peaks, which leaves the steps of the path's lattice behind, but
# where the path bends by this much, as it does where music slows to its end: there it is
# through the distances from the path.
STEEP_BEND_S = 0.060


def follow(evidence: Evidence, peaks: Peaks, times_s: FloatArray) -> FloatArray:
    """Return beats near given ones that follow the evidence, (beats,).

    Args:
        evidence: Curve of the beat channel.
        peaks: Sub-frame maxima of the activation.
        times_s: Roughly equidistant beats, (beats,), at least 2.
    """
    for _ in range(PASSES):
        times_s = smoothed(best_shifts(evidence, times_s), peaks)
    return times_s


def wanders(evidence: Evidence, line: Line, gain: float) -> bool:
    """Tell whether beats that may leave a line gain more than a share of the line's evidence.

    They gain next to nothing where the tempo is constant.

    Args:
        evidence: Curve of the beat channel.
        line: The constant grid.
        gain: The share.
    """
    times_s = line.times_s
    if len(times_s) < 2:
        return False
    weight = evidence.weight_at(times_s)
    own = float((evidence(times_s) * weight).sum())
    if own <= 0:
        return False
    # Beats that go wherever they gain most bound what any path gains; where the tempo is constant,
    # that is little already.
    shifts_s = _shifts_s(times_s, COARSE_STEP_S)
    bound = sum(
        float(part.max(axis=1) @ weight[start : start + CHUNK_BEATS])
        for start, part in _gains(evidence, times_s, shifts_s)
    )
    if bound / own - 1 <= gain:
        return False
    followed_s = best_shifts(evidence, times_s, COARSE_STEP_S)
    # The lattice of shifts contains 0: the gain is that of the path, not of its resolution.
    return float((evidence(followed_s) * weight).sum()) / own - 1 > gain


def best_shifts(evidence: Evidence, times_s: FloatArray, step_s: float = STEP_S) -> FloatArray:
    """Shift beats with the most evidence, less the cost of changes from beat to beat, (beats,)."""
    shifts_s = _shifts_s(times_s, step_s)
    period_s = float(np.median(np.diff(times_s)))
    step = (shifts_s[:, None] - shifts_s) / (CHANGE_SHARE * period_s)
    cost = 0.5 * step**2
    states = np.arange(len(shifts_s))
    total = np.zeros(len(shifts_s))
    origin = np.zeros((len(times_s), len(shifts_s)), dtype=np.int16)
    for start, part in _gains(evidence, times_s, shifts_s):
        for beat, gain in enumerate(part, start):
            if beat:
                arriving = total - cost
                origin[beat] = best = np.argmax(arriving, axis=1)
                total = arriving[states, best]
            total = total + gain
    state = int(np.argmax(total))
    path = np.empty(len(times_s), dtype=np.int64)
    for beat in range(len(times_s) - 1, -1, -1):
        path[beat] = state
        state = int(origin[beat, state])
    return times_s + shifts_s[path]


def _shifts_s(times_s: FloatArray, step_s: float) -> FloatArray:
    """Return the shifts of beats that are tried, ascending (shifts,)."""
    n = int(MAX_SHIFT_SHARE * float(np.median(np.diff(times_s))) / step_s)
    return step_s * np.arange(-n, n + 1, dtype=np.float64)


def _gains(
    evidence: Evidence, times_s: FloatArray, shifts_s: FloatArray
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the evidence of shifted beats, (beats, shifts), with the number of the first beat."""
    for start in range(0, len(times_s), CHUNK_BEATS):
        yield start, evidence(times_s[start : start + CHUNK_BEATS, None] + shifts_s)


def steady_pieces(times_s: FloatArray) -> list[slice]:
    """Divide beats into pieces that straight lines fit, each as long as possible from the left.

    Args:
        times_s: Beats, (beats,).

    Returns:
        Slices in order that cover the beats, ``MIN_PIECE_BEATS`` or more each where possible.
    """
    pieces, start = [], 0
    while start < len(times_s):
        end = min(start + MIN_PIECE_BEATS, len(times_s))
        while end < len(times_s) and _bend_s(times_s[start : end + 1]) < MAX_BEND_S:
            end += 1
        if len(times_s) - end < MIN_PIECE_BEATS // 2:
            end = len(times_s)
        pieces.append(slice(start, end))
        start = end
    return pieces


def _bend_s(times_s: FloatArray) -> float:
    """Return the largest distance of beats from the straight line through the outer ones."""
    line_s = np.linspace(times_s[0], times_s[-1], len(times_s))
    return float(np.abs(times_s - line_s).max())


def smoothed(times_s: FloatArray, peaks: Peaks) -> FloatArray:
    """Move beats to the local lines through the peaks next to them, (beats,)."""
    if len(peaks.times_s) < 2:
        return times_s
    right = np.clip(np.searchsorted(peaks.times_s, times_s), 1, len(peaks.times_s) - 1)
    nearer_left = times_s - peaks.times_s[right - 1] < peaks.times_s[right] - times_s
    nearest = np.where(nearer_left, right - 1, right)
    residual_s = peaks.times_s[nearest] - times_s
    trust = np.where(np.abs(residual_s) <= PEAK_REACH_S, peaks.height[nearest], 0.0)
    # Windows of beats around each, (beats, window); what lies beyond the ends does not count.
    k = np.arange(-REACH_BEATS, REACH_BEATS + 1)
    beat = np.arange(len(times_s))
    around = beat[:, None] + k
    low, high = np.maximum(beat - REACH_BEATS, 0), np.minimum(beat + REACH_BEATS, beat[-1])
    inside = (around >= 0) & (around <= beat[-1])
    around = np.clip(around, 0, beat[-1])
    period_s = (times_s[high] - times_s[low]) / np.maximum(high - low, 1)
    bend_s = times_s[around] - times_s[low, None] - (around - low[:, None]) * period_s[:, None]
    is_steep = np.abs(bend_s).max(axis=1) >= STEEP_BEND_S
    offset_s = residual_s[around] + np.where(
        is_steep[:, None], 0.0, bend_s - bend_s[:, [REACH_BEATS]]
    )
    weight = np.where(inside, trust[around] * np.exp(-0.5 * (k / SMOOTHING_BEATS) ** 2), 0.0)
    total = weight.sum(axis=1)
    share = weight / np.maximum(total, 1e-3)[:, None]
    mean_k, mean_s = share @ k, (share * offset_s).sum(axis=1)
    from_mean = k - mean_k[:, None]
    spread = (share * from_mean**2).sum(axis=1)
    slope = (share * from_mean * offset_s).sum(axis=1) / np.where(spread > 1, spread, np.inf)
    return times_s + np.where(total < 1e-3, 0.0, mean_s - slope * mean_k)
