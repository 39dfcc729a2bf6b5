"""Log-odds and scores to probabilities."""

from __future__ import annotations

import numpy as np

from beatgrid.grid import FloatArray


def softmax(scores: FloatArray) -> FloatArray:
    """Return probabilities proportional to exp(score)."""
    shifted = np.exp(scores - np.max(scores))
    return shifted / shifted.sum()


def sigmoid(log_odds: float) -> float:
    """Return the probability of log-odds."""
    return float(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))))
