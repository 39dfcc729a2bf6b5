"""Peaks of a curve, and where one lies between samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def parabolic_peak(before: Any, at: Any, after: Any) -> tuple[Any, Any]:
    """Return the vertex of the parabola through a sample and its two neighbours.

    Exact where the curve is a parabola; the logarithm of a Gaussian bump is one.

    Args:
        before: Values one step before the highest samples, any shape; floats or arrays.
        at: Values of the highest samples, same shape.
        after: Values one step after them, same shape.

    Returns:
        (shift, height): the vertex lies ``shift`` steps after the sample, in [-0.5, 0.5], and is
        ``height`` high. Where the three do not bend downwards the shift is 0.
    """
    curvature = before - 2 * at + after
    curvature = np.where(curvature < 0, curvature, -np.inf)  # divided by infinity: no shift
    shift = np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)
    return shift, at - 0.25 * (before - after) * shift


def local_maxima(curve: ArrayLike, height: float, distance: int) -> NDArray[np.int64]:
    """Return the indices of local maxima, those of ``scipy.signal.find_peaks`` (tested).

    ``scipy.signal`` is not imported: it takes half a second to load, a fifth of what predicting
    one file costs.

    Args:
        curve: Any values, (samples,).
        height: Lowest value of a maximum.
        distance: Where maxima lie closer than this to a higher one they are left out, at least 1.

    Returns:
        Ascending (maxima,); the middle of a flat one. The first and the last sample are none.
    """
    x = np.asarray(curve)
    if len(x) == 0:
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate(([True], x[1:] != x[:-1])))  # of runs of equal values
    ends = np.append(starts[1:], len(x)) - 1
    level = x[starts]
    is_higher = level[1:-1] > np.maximum(level[:-2], level[2:])
    peaks = ((starts + ends) // 2)[1:-1][is_higher]
    peaks = peaks[x[peaks] >= height]
    first = np.searchsorted(peaks, peaks - distance, side="right")  # of those that are too close
    beyond = np.searchsorted(peaks, peaks + distance, side="left")
    kept = np.ones(len(peaks), dtype=bool)
    for i in np.argsort(x[peaks])[::-1]:
        if kept[i]:
            kept[first[i] : beyond[i]] = False
            kept[i] = True
    return peaks[kept]
