"""Random synthetic tracks: the ones measured on, and the wider kind the generic fit sees."""

from __future__ import annotations

import numpy as np

from beatgrid.calibration.synthetic import noisy_activation
from beatgrid.grid import Activation, Grid

DURATION_S = 180.0
# Of all searches here: the tempi the tables and the packaged coefficients were made with.
BPM_RANGE = (60.0, 240.0)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def standard_track(
    seed: int, bpm: float | None = None, duration_s: float = DURATION_S
) -> tuple[Grid, Activation]:
    """A track of the measured kind: 60-220 BPM with three decimals, fixed imperfections."""
    rng = np.random.default_rng([1, seed])
    bpm = round(log_uniform(rng, 60, 220), 3) if bpm is None else bpm
    grid = Grid(bpm, rng.uniform(0, 2))
    return grid, noisy_activation(grid, duration_s, rng)


def varied_track(seed: int) -> tuple[Grid, Activation]:
    """A track for fitting: imperfections drawn from wide ranges, other seeds."""
    rng = np.random.default_rng([2, seed])
    bpm = log_uniform(rng, 60, 230) if rng.random() < 0.5 else 0.0
    while not 60 < bpm < 235:
        bpm = 130 * 2 ** rng.normal(0, 0.4)
    grid = Grid(bpm, rng.uniform(0, 2))
    low = rng.uniform(0.05, 0.3)
    activation = noisy_activation(
        grid,
        rng.uniform(20, 200),
        rng,
        jitter_s=rng.uniform(0.001, 0.015),
        missing=rng.uniform(0, 0.5),
        offbeat=rng.uniform(0, 0.8),
        offbeat_height=(low, low + rng.uniform(0.1, 0.7)),
        sixteenth=rng.uniform(0, 0.4) * (rng.random() < 0.5),
        triplet=rng.uniform(0, 0.4) * (rng.random() < 0.2),
        stray_hz=rng.uniform(0, 3) * (rng.random() < 0.5),
        breakdown=rng.uniform(0, 0.3),
        noise=rng.uniform(0.005, 0.06),
        downbeat_height=rng.uniform(0.3, 1) if rng.random() < 0.5 else None,
    )
    return grid, edited(activation, rng) if rng.random() < 0.2 else activation


def edited(activation: Activation, rng: np.random.Generator) -> Activation:
    """The same track with up to a second cut out somewhere in its middle half."""
    n_frames = len(activation)
    start = int(n_frames * rng.uniform(0.25, 0.75))
    end = start + int(activation.frame_rate * rng.uniform(0.05, 1))
    return Activation(
        np.delete(activation.beat, slice(start, end)),
        activation.frame_rate,
        downbeat=None
        if activation.downbeat is None
        else np.delete(activation.downbeat, slice(start, end)),
    )
