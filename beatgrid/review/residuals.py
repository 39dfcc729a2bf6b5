"""How far the beats of a grid are from those that the network heard."""

from __future__ import annotations

import numpy as np

from beatgrid.search.beats import Beats
from beatgrid.search.least_squares import Peaks

# Peaks farther away, or beyond a quarter of a beat, are other notes.
MAX_RESIDUAL_S = 0.100
# Lower peaks are noise.
MIN_HEIGHT = 0.05


def residuals_ms(peaks: Peaks, beats: Beats) -> list[float | None]:
    """Return for each beat how much later the nearest peak is, in ms; None where there is none.

    A slope over the track means a wrong tempo, a constant a wrong phase, a step an edit.

    Args:
        peaks: Of the activation.
        beats: Of the grid.
    """
    times_s = peaks.times_s[peaks.height >= MIN_HEIGHT]
    if not len(times_s) or len(beats.times_s) < 2:
        return [None] * len(beats.times_s)
    right = np.searchsorted(times_s, beats.times_s)
    left_s = times_s[np.maximum(right - 1, 0)]
    right_s = times_s[np.minimum(right, len(times_s) - 1)]
    is_left = np.abs(beats.times_s - left_s) < np.abs(right_s - beats.times_s)
    residual_s = np.where(is_left, left_s, right_s) - beats.times_s
    gaps_s = np.diff(beats.times_s)
    period_s = np.minimum(np.append(gaps_s, gaps_s[-1]), np.insert(gaps_s, 0, gaps_s[0]))
    reach_s = np.minimum(MAX_RESIDUAL_S, period_s / 4)
    return [
        round(1000 * float(r), 2) if near else None
        for r, near in zip(residual_s, np.abs(residual_s) <= reach_s, strict=True)
    ]
