"""The position of a peak between samples."""

from __future__ import annotations

from typing import Any

import numpy as np


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
