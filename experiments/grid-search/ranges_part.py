"""Part 11: a range of tempi gives the grid it holds, however narrow; and a known tempo."""

from __future__ import annotations

import numpy as np
from tables import write_table

from beatgrid.calibration.synthetic import log_uniform, noisy_activation
from beatgrid.evaluation import evaluate_track
from beatgrid.grid import Grid
from beatgrid.search import GridSearch

SEED = 11
WIDTHS_BPM = (0.0, 0.1, 0.5, 1.5, 4.0, 16.0)
DURATIONS_S = (30.0, 60.0, 360.0)
N_TRACKS = 50


def ranges() -> None:
    """Run part 11: the true tempo lies anywhere in the range, at its bounds too."""
    rows = []
    for width in WIDTHS_BPM:
        row: dict[str, object] = {"range, BPM": "known" if width == 0 else f"{width:g}"}
        for duration_s in DURATIONS_S:
            right = 0
            for track in range(N_TRACKS):
                rng = np.random.default_rng([SEED, track, int(duration_s)])
                truth = Grid(round(log_uniform(rng, 60, 200), 3), float(rng.uniform(0, 1)))
                activation = noisy_activation(truth, duration_s, rng)
                low = truth.bpm - width * (track % 5) / 4
                found = GridSearch(bpm_min=low, bpm_max=low + width)(activation).grid
                right += evaluate_track(truth, found, duration_s).grid_ok_10
            row[f"{duration_s:g} s"] = f"{right} of {N_TRACKS}"
        rows.append(row)
    write_table("11-ranges", rows)
