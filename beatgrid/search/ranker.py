"""Small fitted models that choose among candidates, with plain numbers for coefficients.

Three linear models: ``level`` scores candidates' tempi against each other (a softmax over
candidates), ``phase`` weighs beats against off-beats (a logistic function without intercept,
so that exchanging the two exchanges the answer), ``confidence`` gives the probability that the
grid chosen is right. They are fitted by :mod:`beatgrid.search.fit` and travel in a checkpoint
as a dict of lists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.candidates import LEVEL_FEATURES, PHASE_FEATURES

FORMAT = 1
CONFIDENCE_FEATURES = ("joint_logit", "log_contrast", "log_residual_ms", "on")


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A weighted sum of named features.

    Attributes:
        names: Feature names, in order.
        weights: One per feature, (features,).
        bias: Constant term.
    """

    names: tuple[str, ...]
    weights: FloatArray
    bias: float = 0.0

    def __call__(self, features: FloatArray) -> FloatArray:
        """Weighted sums of features (..., features) -> (...)."""
        return np.asarray(features) @ self.weights + self.bias

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return {
            "names": list(self.names),
            "weights": [float(w) for w in self.weights],
            "bias": float(self.bias),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], names: Sequence[str]) -> LinearModel:
        """Inverse of ``to_dict``.

        Raises:
            ValueError: If the coefficients belong to other features than ``names``.
        """
        if list(plain["names"]) != list(names):
            raise ValueError(
                f"ranker coefficients are for features {list(plain['names'])}, this version "
                f"computes {list(names)}; fit them again"
            )
        weights = np.asarray(plain["weights"], dtype=np.float64)
        if weights.shape != (len(names),) or not np.all(np.isfinite(weights)):
            raise ValueError(f"expected {len(names)} finite ranker weights, got {plain['weights']}")
        return cls(tuple(names), weights, float(plain["bias"]))


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Everything fitted that the search uses.

    Attributes:
        level: Scores a candidate's tempo against the others'.
        phase: Log-odds of beat against off-beat.
        confidence: Log-odds that the chosen grid is right.
    """

    level: LinearModel
    phase: LinearModel
    confidence: LinearModel

    def to_dict(self) -> dict[str, Any]:
        """Plain dict of lists and numbers, fit for JSON or a checkpoint."""
        return {
            "format": FORMAT,
            "level": self.level.to_dict(),
            "phase": self.phase.to_dict(),
            "confidence": self.confidence.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Coefficients:
        """Inverse of ``to_dict``.

        Raises:
            ValueError: If the format or the features are not this version's.
        """
        if plain.get("format") != FORMAT:
            raise ValueError(
                f"ranker coefficients have format {plain.get('format')!r}, this version reads "
                f"{FORMAT}; fit them again"
            )
        return cls(
            LinearModel.from_dict(plain["level"], LEVEL_FEATURES),
            LinearModel.from_dict(plain["phase"], PHASE_FEATURES),
            LinearModel.from_dict(plain["confidence"], CONFIDENCE_FEATURES),
        )


@cache
def packaged(name: str) -> Coefficients:
    """Coefficients shipped with the package.

    Args:
        name: ``generic`` (fitted on synthetic activations, for any source of beat
            probabilities) or ``flux`` (fitted on real music's spectral flux).

    Raises:
        ValueError: If there are none of that name.
    """
    file = resources.files("beatgrid.search") / f"{name}.json"
    if not file.is_file():
        raise ValueError(f"no ranker named {name!r}; use 'generic', 'flux' or 'none'")
    return Coefficients.from_dict(json.loads(file.read_text(encoding="utf-8")))


def softmax(scores: FloatArray) -> FloatArray:
    """Probabilities proportional to exp(score)."""
    shifted = np.exp(scores - np.max(scores))
    return shifted / shifted.sum()


def sigmoid(log_odds: float) -> float:
    """Probability of log-odds."""
    return float(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))))
