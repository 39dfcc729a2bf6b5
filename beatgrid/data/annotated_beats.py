"""The grid of annotated beats, where they keep one tempo.

Data sets of research hold the times of beats, tapped or placed by people: 10 ms or more beside the
beat each, on music of any kind. A robust line through them (``beatgrid.search.beat_line``) is far
finer than a single beat where the tempo is constant, and means nothing where it is not. What tells
them apart is what is left:

- *wander*: the largest median of 16 neighbouring residuals. Taps scatter, so their median is near
  0; a tempo that moves takes all 16 with it. Beyond ``MAX_WANDER_S``, what Grid-OK@21.5 ms allows,
  no grid describes the track.
- *jitter*: the standard deviation of the residuals, by their median. Beyond ``MAX_JITTER_S`` the
  beats are hardly on a line at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beatgrid.errors import BeatgridError
from beatgrid.grid import FloatArray, Grid
from beatgrid.search.beat_line import beat_line

MIN_BEATS = 8
MAX_WANDER_S = 0.020
MAX_JITTER_S = 0.030
MIN_BAR_AGREEMENT = 0.9
"""Share of the positions that must agree with the bars that most of them speak for."""

COARSE_S = 0.005
"""Beats that are rounded to, or scatter by, so much are coarse.

A grid through n of them is finer than that by the root of n, but not what all have in common: a
whole number of steps in a beat, or the habit of a hand that taps early.
"""

_WINDOW = 16
# The median absolute deviation times this is the standard deviation of Gaussian errors.
_MAD_TO_SIGMA = 1.4826
_MAX_BEATS_PER_BAR = 64
# Seconds that times may be multiples of, and how near to one counts.
_RESOLUTIONS_S = (0.01, 0.005, 0.001)
_SAME_S = 1e-6


class UnusableBeatsError(BeatgridError):
    """Beats that describe no grid.

    Args:
        kind: In few words, the same for all beats of the kind.
        detail: With figures.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


@dataclass(frozen=True)
class AnnotatedGrid:
    """A grid through annotated beats.

    Attributes:
        grid: Its offset is a downbeat where bars are known.
        bars_known: Whether the beats' positions tell one bar throughout.
        n_beats: How many beats there are.
        jitter_s: Standard deviation of a beat from the grid.
        wander_s: Largest median of 16 neighbouring beats' distances from it.
        resolution_s: What the times are rounded to, 10 ms at most; 0 below a millisecond.
    """

    grid: Grid
    bars_known: bool
    n_beats: int
    jitter_s: float
    wander_s: float
    resolution_s: float

    @property
    def is_coarse(self) -> bool:
        """Whether the beats are rounded or scattered beyond ``COARSE_S``."""
        return max(self.jitter_s, self.resolution_s) >= COARSE_S


def annotated_grid(
    times_s: FloatArray, positions: NDArray[np.integer] | None = None
) -> AnnotatedGrid:
    """Return the grid that beats keep.

    Args:
        times_s: Of the beats, (beats,); those that are no number are left out.
        positions: Of each in its bar, 1 on downbeats, 0 outside of bars; None: not known.

    Raises:
        UnusableBeatsError: They are too few, or keep no tempo.
    """
    times_s, positions = _in_order(times_s, positions)
    if len(times_s) < MIN_BEATS:
        raise UnusableBeatsError("too few beats", f"{len(times_s)}, {MIN_BEATS} are needed")
    line = beat_line(times_s)
    if line is None:
        raise UnusableBeatsError("no tempo in the beats", "their intervals are beyond 24-400 BPM")
    grid = line.grid
    k = np.round((times_s - grid.offset_s) / grid.period_s).astype(np.int64)
    residuals_s = times_s - grid.offset_s - k * grid.period_s
    wander_s = _wander_s(residuals_s)
    jitter_s = _MAD_TO_SIGMA * float(np.median(np.abs(residuals_s - np.median(residuals_s))))
    if wander_s > MAX_WANDER_S:
        raise UnusableBeatsError(
            "the tempo is not constant",
            f"beats lie up to {1000 * wander_s:.0f} ms beside one grid for a while",
        )
    if jitter_s > MAX_JITTER_S:
        raise UnusableBeatsError(
            "the beats scatter", f"by {1000 * jitter_s:.0f} ms around the nearest grid"
        )
    bars = None if positions is None else _bars(k, positions)
    if bars is not None:
        first, beats_per_bar = bars
        grid = Grid(grid.bpm, grid.offset_s + first * grid.period_s, beats_per_bar)
    return AnnotatedGrid(
        grid, bars is not None, len(times_s), jitter_s, wander_s, _resolution_s(times_s)
    )


def _in_order(
    times_s: FloatArray, positions: NDArray[np.integer] | None
) -> tuple[FloatArray, NDArray[np.integer] | None]:
    times_s = np.asarray(times_s, dtype=np.float64)
    usable = np.flatnonzero(np.isfinite(times_s))
    order = usable[np.argsort(times_s[usable], kind="stable")]
    return times_s[order], None if positions is None else np.asarray(positions)[order]


def _wander_s(residuals_s: FloatArray) -> float:
    """Return the largest median of neighbouring residuals, in size."""
    window = min(_WINDOW, len(residuals_s) // 2)
    windows = np.lib.stride_tricks.sliding_window_view(residuals_s, window)
    return float(np.abs(np.median(windows, axis=-1)).max())


def _bars(k: NDArray[np.int64], positions: NDArray[np.integer]) -> tuple[int, int] | None:
    """Return number of a downbeat and beats per bar, where the positions agree on them."""
    known = positions > 0
    # Of each bar its last position; the last bar may not be complete.
    lasts = positions[:-1][(positions[1:] == 1) & known[:-1]]
    if not len(lasts):
        return None
    beats_per_bar = int(np.bincount(lasts.astype(np.int64)).argmax())
    if not 1 <= beats_per_bar <= _MAX_BEATS_PER_BAR:
        return None
    first = (k[known] - (positions[known] - 1)) % beats_per_bar
    counts = np.bincount(first.astype(np.int64), minlength=beats_per_bar)
    if counts.max() < MIN_BAR_AGREEMENT * len(positions):
        return None
    return int(counts.argmax()), beats_per_bar


def _resolution_s(times_s: FloatArray) -> float:
    """Return the coarsest of a few steps that all times are multiples of; 0 if of none."""
    for step_s in _RESOLUTIONS_S:
        if np.abs(times_s - np.round(times_s / step_s) * step_s).max() < _SAME_S:
            return step_s
    return 0.0
