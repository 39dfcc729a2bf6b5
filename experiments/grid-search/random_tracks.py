"""Random synthetic tracks: the ones measured on."""

from __future__ import annotations

import numpy as np

from beatgrid.calibration.synthetic import log_uniform, noisy_activation
from beatgrid.grid import Activation, Grid

DURATION_S = 180.0


def standard_track(
    seed: int, bpm: float | None = None, duration_s: float = DURATION_S
) -> tuple[Grid, Activation]:
    """Make a track of the measured kind: 60-220 BPM with three decimals, fixed imperfections."""
    rng = np.random.default_rng([1, seed])
    bpm = round(log_uniform(rng, 60, 220), 3) if bpm is None else bpm
    grid = Grid(bpm, rng.uniform(0, 2))
    return grid, noisy_activation(grid, duration_s, rng)
