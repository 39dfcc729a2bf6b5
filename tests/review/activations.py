"""Activations whose beats are known."""

from __future__ import annotations

import numpy as np

from beatgrid.grid import Activation, Grid

FRAME_RATE = 44100 / 512


def activation_of(grid: Grid, duration_s: float, missing: float = 0.0) -> Activation:
    """Bumps of 12 ms at the beats of a grid, at their exact times; some may be missing."""
    times_s = np.arange(round(duration_s * FRAME_RATE)) / FRAME_RATE
    beats_s = grid.beat_times(duration_s)
    kept = np.random.default_rng(5).random(len(beats_s)) >= missing

    def bumps(at_s: np.ndarray) -> np.ndarray:
        total = np.full(len(times_s), 0.002)
        for beat_s in at_s:
            near = slice(max(0, int((beat_s - 0.1) * FRAME_RATE)), int((beat_s + 0.1) * FRAME_RATE))
            total[near] += 0.95 * np.exp(-0.5 * ((times_s[near] - beat_s) / 0.012) ** 2)
        return np.clip(total, 0, 1)

    return Activation(
        bumps(beats_s[kept]),
        FRAME_RATE,
        duration_s,
        downbeat=bumps(grid.downbeat_times(duration_s)),
    )
