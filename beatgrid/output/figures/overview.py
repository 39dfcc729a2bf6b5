"""The whole track: activation at the grid's beats, and its peaks against the grid."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.output.figures.canvas import CURVE, FOUND, LABEL, SOFT, legend, style
from beatgrid.peaks import parabolic_peak
from beatgrid.search.estimate import GridEstimate, prob_at_beats

OVERVIEW_COLUMNS = 1000
TREND_BEATS = 16
TREND_SPREAD_MS = 20.0
# Peaks weaker than this share of the track's 80th percentile do not count as beats.
MIN_PEAK_SHARE = 0.3


def beat_residuals(activation: Activation, beat_times_s: FloatArray) -> FloatArray:
    """Measure how far the activation's peaks are from a grid's beats.

    Args:
        activation: Beat probability of the track.
        beat_times_s: The grid's beats, (beats,), at least 2.

    Returns:
        Seconds from each beat to the strongest peak within half a period, nearer ones preferred,
        by parabola between frames, float64 (beats,). NaN where no peak is strong enough.
    """
    beat = np.asarray(activation.beat, dtype=np.float64)
    residual_s = np.full(len(beat_times_s), np.nan)
    if len(beat) < 3 or len(beat_times_s) < 2:
        return residual_s
    period_s = float(beat_times_s[1] - beat_times_s[0])
    reach = max(1, math.floor(period_s / 2 * activation.frame_rate))
    centre = np.round(beat_times_s * activation.frame_rate).astype(int)
    frames = np.clip(centre[:, None] + np.arange(-reach, reach + 1), 1, len(beat) - 2)
    distance_s = frames / activation.frame_rate - beat_times_s[:, None]
    preference = 1 - np.abs(distance_s) / period_s  # half as much at half a period
    is_peak = np.zeros(len(beat), dtype=bool)
    is_peak[1:-1] = (beat[1:-1] >= beat[:-2]) & (beat[1:-1] > beat[2:])
    height = beat[frames] * preference * is_peak[frames]
    best = np.take_along_axis(frames, np.argmax(height, axis=1)[:, None], axis=1)[:, 0]
    before, at, after = beat[best - 1], beat[best], beat[best + 1]
    strong = is_peak[best] & (at >= MIN_PEAK_SHARE * np.percentile(at, 80))
    shift, _ = parabolic_peak(before[strong], at[strong], after[strong])
    residual_s[strong] = (best[strong] + shift) / activation.frame_rate - beat_times_s[strong]
    return residual_s


def draw_overview(axes: Axes, activation: Activation, estimate: GridEstimate) -> None:
    """Draw the whole track's activation as the range in each pixel column, a dot for each beat."""
    style(axes, "probability")
    axes.set_xlim(0, activation.duration_s)
    axes.set_ylim(0, 1.05)
    axes.set_yticks([0, 0.5, 1])
    axes.tick_params(labelbottom=False)
    beat = np.asarray(activation.beat, dtype=np.float64)
    if len(beat):
        step = math.ceil(len(beat) / OVERVIEW_COLUMNS)
        edges = np.arange(0, len(beat), step)
        highest = np.maximum.reduceat(beat, edges)
        axes.fill_between(
            (edges - 0.5) / activation.frame_rate, highest, step="post", color=SOFT, alpha=0.6,
            linewidth=0, label="activation (highest per pixel)",
        )  # fmt: skip
    if estimate.grid is not None:
        times_s = estimate.beats_in(activation.duration_s).times_s
        axes.plot(
            times_s, prob_at_beats(activation, times_s), ".", color=FOUND, markersize=3.5,
            label="at the grid's beats",
        )  # fmt: skip
    legend(axes)


def draw_residuals(
    axes: Axes, activation: Activation, estimate: GridEstimate, reference: Grid | None
) -> None:
    """Draw the activation's peaks minus the grid over time, and the label minus the grid."""
    style(axes, "peak − grid (ms)")
    axes.set_xlabel("time (s)", labelpad=1)
    axes.axhline(0, color=FOUND, linewidth=1.2)
    limit_ms = 30.0
    grid = estimate.grid
    if grid is None:
        axes.text(
            0.5, 0.6, "no grid to compare with", transform=axes.transAxes, ha="center", color=CURVE
        )
        axes.set_ylim(-limit_ms, limit_ms)
        return
    axes.axhspan(-10, 10, color=FOUND, alpha=0.08, linewidth=0)
    times_s = grid.beat_times(activation.duration_s)
    residual_ms = 1000 * beat_residuals(activation, times_s)
    found = np.isfinite(residual_ms)
    axes.plot(
        times_s[found], residual_ms[found], ".", color=CURVE, markersize=3, alpha=0.45,
        label="peak at each beat",
    )  # fmt: skip
    if found.sum() >= TREND_BEATS:
        median_ms, spread_ms = _running_median(residual_ms[found], TREND_BEATS)
        # Where beats of several kinds mix, as at a wrong level, a median says nothing.
        median_ms[spread_ms > TREND_SPREAD_MS] = np.nan
        gap = np.diff(times_s[found], prepend=0) > TREND_BEATS * grid.period_s
        median_ms[gap] = np.nan  # no line across a break
        axes.plot(
            times_s[found], median_ms, color=CURVE, linewidth=1.8, label=f"median of {TREND_BEATS}"
        )
        limit_ms = max(limit_ms, _axis_limit_ms(residual_ms[found]))
    if reference is not None:
        label_s = reference.beat_times(activation.duration_s)
        k = np.round((label_s - grid.offset_s) / grid.period_s)
        label_ms = 1000 * (label_s - grid.offset_s - k * grid.period_s)
        axes.plot(label_s, label_ms, ".", color=LABEL, markersize=2.5, label="label")
        limit_ms = max(limit_ms, _axis_limit_ms(label_ms))
    if estimate.beats is not None:
        follow_s = estimate.beats.times_s
        k = np.round((follow_s - grid.offset_s) / grid.period_s)
        axes.plot(
            follow_s, 1000 * (follow_s - grid.offset_s - k * grid.period_s), ".", color=FOUND,
            markersize=2.5, label="piecewise beats",
        )  # fmt: skip
    for segment in estimate.segments[1:]:
        axes.axvline(segment.start_s, color=FOUND, linewidth=1, linestyle=":")
    limit_ms = min(limit_ms, 500 * grid.period_s)
    axes.set_ylim(-limit_ms, limit_ms)
    legend(axes)


def _axis_limit_ms(errors_ms: FloatArray) -> float:
    """Return a limit for the axes that holds a drift whole, but not hits between the beats."""
    return 3 * float(np.percentile(np.abs(errors_ms), 40))


def _running_median(values: FloatArray, width: int) -> tuple[FloatArray, FloatArray]:
    """Return the median of the ``width`` values around each, and their median distance from it."""
    padded = np.pad(values, (width // 2, width - width // 2 - 1), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    median = np.median(windows, axis=1)
    return median, np.median(np.abs(windows - median[:, None]), axis=1)
