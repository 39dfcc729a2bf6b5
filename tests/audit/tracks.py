"""Synthetic activations of a known grid, and labels of them with a known fault."""

import functools

import numpy as np

from beatgrid.audit.evidence import Evidence, measure, search
from beatgrid.calibration.synthetic import noisy_activation
from beatgrid.grid import Activation, Grid
from beatgrid.search.ranker import packaged

TRUTH = Grid(124.0, 0.40)
DURATION_S = 60.0


@functools.cache
def track(truth: Grid = TRUTH, duration_s: float = DURATION_S) -> Activation:
    """Beats with 4 ms of jitter, some missing, some off-beats; downbeats; onsets on the beats."""
    made = noisy_activation(truth, duration_s, np.random.default_rng(0), downbeat_height=0.8)
    onset = np.repeat(np.asarray(made.beat, dtype=np.float32)[:, None], 4, axis=1)
    return Activation(made.beat, made.frame_rate, made.duration_s, made.downbeat, onset)


@functools.cache
def found(truth: Grid = TRUTH, duration_s: float = DURATION_S):
    """What the free search finds in it."""
    return search()(track(truth, duration_s), packaged("generic"))


def evidence_of(
    label: Grid, truth: Grid = TRUTH, label_duration_s: float | None = None
) -> Evidence:
    """Measure a label against the track of a true grid."""
    return measure(label, track(truth), found(truth), packaged("generic"), label_duration_s)
