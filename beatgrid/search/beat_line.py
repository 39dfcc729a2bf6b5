"""The beatgrid that a sequence of beats describes: a robust line through their times.

Beat trackers answer beats, not grids: some missing, some double, some beside the beat, at twice
or half the tempo for a while. What a DJ program would make of them is a line ``t = offset + k *
period``. It is found in three steps:

1. *Level*: the median of the intervals between beats, each counted by its own length: the tempo
   that the beats keep for more than half of the time.
2. *Line*: around this tempo, the offsets and periods with the most beats nearby, each beat counted
   by a bell of the phase; its first harmonics make that a few Fourier transforms. What lies
   elsewhere, be it a whole stretch of off-beats, does not pull at the line.
3. *Fit*: from each of the best, least squares through the beats near the line, with a narrowing
   window; the one with the most beats on its line is taken.

Up to a quarter of the beats may be missing or wrong, and a third of the track at another level or
between the beats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import zoom_fft

from beatgrid.grid import FloatArray, Grid

MIN_BEATS = 4
# Intervals between beats that are of a tempo, and not of a double beat or a break: 24 to 400 BPM.
_INTERVALS_S = (0.15, 2.5)
# Trackers give times in steps of about 10 ms, their median interval errs by up to half of that.
_TEMPO_RANGE = 0.04
# A peak is 1 / span wide.
_STEPS_PER_PEAK = 8
# Times are rounded to a share of the period for the search alone.
_BINS_PER_PERIOD = 40
# A bell of this standard deviation, in periods, by its first harmonics.
_BELL = 0.08
_HARMONICS = np.arange(1, 5)
_N_PHASES = 64
_N_PEAKS = 5
# Of the period: how far a beat may be from the line, from one fit to the next.
_WINDOWS = (0.25, 0.15, 0.1, 0.1)
_ON_LINE = 0.1
# Of the median deviation: what the last fits take.
_OUTLIER_SIGMAS = 3.0
_LEAST_SIGMA_S = 0.002
_N_LAST_FITS = 3


@dataclass(frozen=True)
class BeatLine:
    """A grid through beats.

    Attributes:
        grid: The line; its offset is a downbeat where bars are known.
        bars_known: Whether downbeats came with the beats.
        share_on_line: Share of the beats that are within a tenth of a period of the line.
    """

    grid: Grid
    bars_known: bool
    share_on_line: float


def beat_line(
    beats_s: Sequence[float] | FloatArray, downbeats_s: Sequence[float] | FloatArray | None = None
) -> BeatLine | None:
    """Return the grid that most of the beats lie on.

    Args:
        beats_s: Times of the beats in seconds, any order.
        downbeats_s: Times of those that begin a bar, where that is known.

    Returns:
        The grid; None where fewer than four beats, or none in a tempo's distance, tell nothing.
    """
    beats = np.unique(np.asarray(beats_s, dtype=float))
    if len(beats) < MIN_BEATS:
        return None
    typical_s = _typical_interval_s(np.diff(beats))
    if typical_s is None:
        return None
    lines = [_fit(beats, *start) for start in _starts(beats, typical_s)]
    _, offset_s, period_s = max(
        ((_n_on_line(beats, *line), *line) for line in lines), key=lambda found: found[0]
    )
    # The line's first beat among those found: far extrapolation would cost digits.
    offset_s += round((beats[0] - offset_s) / period_s) * period_s
    on_line = np.abs(_residuals_s(beats, offset_s, period_s)) <= _ON_LINE * period_s
    grid = Grid(60 / period_s, float(offset_s))
    bars = None if downbeats_s is None else _bars(grid, np.asarray(downbeats_s, dtype=float))
    return BeatLine(bars or grid, bars is not None, float(on_line.mean()))


def _typical_interval_s(intervals_s: FloatArray) -> float | None:
    """Return the interval that more than half of the time is made of."""
    low, high = _INTERVALS_S
    usable = np.sort(intervals_s[(intervals_s >= low) & (intervals_s <= high)])
    if not len(usable):
        return None
    time_s = np.cumsum(usable)
    return float(usable[np.searchsorted(time_s, time_s[-1] / 2)])


def _starts(beats: FloatArray, typical_s: float) -> list[tuple[float, float]]:
    """Return (offset, period) of the lines that have most beats nearby."""
    step_hz = 1 / (_STEPS_PER_PEAK * (beats[-1] - beats[0]))
    half_width = max(round(_TEMPO_RANGE / typical_s / step_hz), 1)
    frequencies = 1 / typical_s + step_hz * np.arange(-half_width, half_width + 1)
    bin_s = typical_s / _BINS_PER_PERIOD
    pulses = np.bincount(np.round((beats - beats[0]) / bin_s).astype(int)).astype(float)
    phases = np.arange(_N_PHASES) / _N_PHASES
    density = np.zeros((len(frequencies), _N_PHASES))
    for harmonic in _HARMONICS:
        band = harmonic * frequencies[[0, -1]]
        sums = zoom_fft(pulses, band, m=len(frequencies), fs=1 / bin_s, endpoint=True)
        weight = np.exp(-2 * (np.pi * _BELL * harmonic) ** 2)
        density += weight * np.outer(sums, np.exp(2j * np.pi * harmonic * phases)).real
    best_phase = density.argmax(axis=1)
    height = density.max(axis=1)
    neighbours = np.pad(height, 1, constant_values=-np.inf)
    peaks = np.flatnonzero((height >= neighbours[:-2]) & (height >= neighbours[2:]))
    best = peaks[np.argsort(-height[peaks], kind="stable")[:_N_PEAKS]]
    return [
        (float(beats[0] + phases[best_phase[i]] / frequencies[i]), float(1 / frequencies[i]))
        for i in best
    ]


def _fit(beats: FloatArray, offset_s: float, period_s: float) -> tuple[float, float]:
    """Return the line through the beats near one, by least squares, again and again."""
    for window in _WINDOWS:
        limit_s = window * period_s
        offset_s, period_s = _least_squares(beats, offset_s, period_s, limit_s)
    for _ in range(_N_LAST_FITS):
        residuals_s = _residuals_s(beats, offset_s, period_s)
        near = np.abs(residuals_s) <= _ON_LINE * period_s
        if not near.any():
            break
        sigma_s = 1.4826 * float(np.median(np.abs(residuals_s[near])))
        limit_s = min(_OUTLIER_SIGMAS * max(sigma_s, _LEAST_SIGMA_S), _ON_LINE * period_s)
        offset_s, period_s = _least_squares(beats, offset_s, period_s, limit_s)
    return offset_s, period_s


def _least_squares(
    beats: FloatArray, offset_s: float, period_s: float, limit_s: float
) -> tuple[float, float]:
    """Return the line through the beats that are at most ``limit_s`` from one."""
    residuals_s = _residuals_s(beats, offset_s, period_s)
    near = np.abs(residuals_s) <= limit_s
    k = np.round((beats[near] - offset_s) / period_s)
    if len(np.unique(k)) < MIN_BEATS - 1:
        return offset_s, period_s
    centred = k - k.mean()
    correction_s = float(centred @ residuals_s[near] / (centred @ centred))
    mean_s = float(residuals_s[near].mean())
    return offset_s + mean_s - correction_s * float(k.mean()), period_s + correction_s


def _residuals_s(beats: FloatArray, offset_s: float, period_s: float) -> FloatArray:
    k = np.round((beats - offset_s) / period_s)
    return beats - offset_s - k * period_s


def _n_on_line(beats: FloatArray, offset_s: float, period_s: float) -> int:
    """Return how many beats of the line were found; a double beat is one."""
    near = np.abs(_residuals_s(beats, offset_s, period_s)) <= _ON_LINE * period_s
    return len(np.unique(np.round((beats[near] - offset_s) / period_s)))


def _bars(grid: Grid, downbeats: FloatArray) -> Grid | None:
    """Return the grid with its bars where most of the downbeats are; None without two of them."""
    k = np.round((downbeats - grid.offset_s) / grid.period_s).astype(int)
    beats_per_bar = np.diff(np.unique(k))
    if not len(beats_per_bar):
        return None
    lengths, counts = np.unique(beats_per_bar, return_counts=True)
    length = int(lengths[np.argmax(counts)])
    first = int(np.argmax(np.bincount(k % length, minlength=length)))
    return Grid(grid.bpm, grid.offset_s + first * grid.period_s, length)
