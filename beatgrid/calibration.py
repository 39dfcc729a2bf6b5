"""Temperature scaling: make a network's probabilities mean what they say.

The grid search adds log-odds over hundreds of beats, so over-confident frames would drown all
other evidence. One divisor per channel, fitted on tracks the network was not trained on, repairs
most of it (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

TEMPERATURE_RANGE = (0.2, 10.0)


def fit_temperature(
    examples: Iterable[tuple[NDArray[np.floating], NDArray[np.floating]]],
) -> float:
    """The temperature under which the logits predict the targets best.

    Args:
        examples: (logits, targets in [0, 1]) of each track, both (frames,), known frames only.

    Returns:
        Divisor of the logits, > 0; above 1 where the network is over-confident. 1 without frames.
    """
    pairs = [(np.asarray(z, np.float64), np.asarray(y, np.float64)) for z, y in examples]
    logits = np.concatenate([z for z, _ in pairs]) if pairs else np.zeros(0)
    targets = np.concatenate([y for _, y in pairs]) if pairs else np.zeros(0)
    if not len(logits):
        return 1.0

    def cross_entropy(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, scaled) - targets * scaled))

    low, high = np.log(TEMPERATURE_RANGE)
    found = minimize_scalar(cross_entropy, bounds=(low, high), method="bounded")
    return float(np.exp(found.x))
