"""Framewise training targets from beat times; numpy only.

Targets feed the loss alone. Grids are always evaluated against the label's own ``Grid``.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

TargetShape = Literal["box", "soft"]


def beat_target(
    times_s: ArrayLike,
    n_frames: int,
    frame_rate: float,
    shape: TargetShape,
    width_s: float,
) -> NDArray[np.float32]:
    """Return each frame's share of a beat, by the distance d of its centre to the nearest beat.

    "box" is the original notebook's hard label: 1 where d <= ``width_s``, else 0. The frames it
    marks jump by whole frames, so where the period is a whole number of frames every beat is
    rounded alike and the network learns a biased phase.

    "soft" is ``exp(-d^2 / (2 width_s^2))``: 1 at the beat's fractional time. By Poisson's
    summation formula the centroid of a sampled Gaussian misses its centre by about
    ``4 pi s^2 exp(-2 pi^2 s^2)`` frames, s = ``width_s * frame_rate``: 1 % of a frame at s = 0.6,
    3e-8 frames at s = 1. Keep ``width_s`` above 0.6 frames.

    Args:
        times_s: Beat times in seconds, (beats,), in any order; they may lie outside the frames.
        n_frames: Length of the result. Frame i is centred at ``i / frame_rate``.
        frame_rate: Frames per second, never rounded.
        shape: "box" or "soft".
        width_s: Half-width of the box, or standard deviation of the soft bump, in seconds.

    Returns:
        float32 (frames,), in [0, 1]; zeros where there are no beats.

    Raises:
        ValueError: an argument outside its domain.
    """
    if shape not in ("box", "soft"):
        raise ValueError(f"shape must be 'box' or 'soft', not {shape!r}")
    if not (math.isfinite(width_s) and width_s > 0):
        raise ValueError(f"width_s must be a positive number of seconds, not {width_s!r}")
    if not (math.isfinite(frame_rate) and frame_rate > 0):
        raise ValueError(f"frame_rate must be positive, not {frame_rate!r}")
    beats_s = np.sort(np.asarray(times_s, dtype=np.float64))
    if beats_s.ndim != 1 or not np.all(np.isfinite(beats_s)):
        raise ValueError(
            f"times_s must be finite times, (beats,); got shape {beats_s.shape} "
            f"with {np.count_nonzero(~np.isfinite(beats_s))} that are not finite"
        )
    if len(beats_s) == 0:
        return np.zeros(n_frames, dtype=np.float32)

    frames_s = np.arange(n_frames) / frame_rate
    following = np.searchsorted(beats_s, frames_s)
    last = len(beats_s) - 1
    distance_s = np.minimum(
        np.abs(frames_s - beats_s[np.minimum(following, last)]),
        np.abs(frames_s - beats_s[np.maximum(following - 1, 0)]),
    )
    if shape == "box":
        return (distance_s <= width_s).astype(np.float32)
    return np.exp(-0.5 * (distance_s / width_s) ** 2).astype(np.float32)
