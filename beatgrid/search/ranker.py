"""Small fitted models that choose among candidates, with plain numbers for coefficients.

Three models: ``level`` scores candidates' tempi against each other (a softmax over candidates;
linear, or with a hidden layer); ``phase`` weighs beats against off-beats (a logistic function
without intercept, so that exchanging the two exchanges the answer); ``confidence`` gives the
probability that the grid chosen is right. The last two are linear. All are fitted by
:mod:`beatgrid.calibration.fit` and travel in a checkpoint as a dict of lists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, ClassVar

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

        Features of ``names`` that the coefficients do not know weigh nothing.

        Raises:
            ValueError: If the coefficients know features that are not among ``names``.
        """
        if not set(plain["names"]) <= set(names):
            raise ValueError(
                f"ranker coefficients are for features {list(plain['names'])}, this version "
                f"computes {list(names)}; fit them again"
            )
        given = np.asarray(plain["weights"], dtype=np.float64)
        if given.shape != (len(plain["names"]),) or not np.all(np.isfinite(given)):
            raise ValueError(
                f"expected {len(plain['names'])} finite ranker weights, got {plain['weights']}"
            )
        weights = np.zeros(len(names))
        weights[[list(names).index(name) for name in plain["names"]]] = given
        return cls(tuple(names), weights, float(plain["bias"]))


@dataclass(frozen=True, eq=False)
class NeuralModel:
    """Scores of all candidates of a track together: one hidden layer beside a linear model.

    What it sees of a candidate are the features and how far each lies below the highest among
    the candidates, standardised.

    Attributes:
        names: Feature names, in order.
        mean: Of the inputs, (2 * features,).
        scale: Standard deviation of the inputs, (2 * features,).
        linear: Weight of each input, (2 * features,).
        hidden: Weights of the hidden units, (units, 2 * features).
        bias: Of the hidden units, (units,).
        out: What each unit, after a tanh, adds to the score, (units,).
    """

    names: tuple[str, ...]
    mean: FloatArray
    scale: FloatArray
    linear: FloatArray
    hidden: FloatArray
    bias: FloatArray
    out: FloatArray

    def __call__(self, features: FloatArray) -> FloatArray:
        """Scores (candidates,) of features (candidates, features)."""
        x = (compared(features) - self.mean) / self.scale
        return x @ self.linear + np.tanh(x @ self.hidden.T + self.bias) @ self.out

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        arrays = {name: getattr(self, name).tolist() for name in self._ARRAYS}
        return {"names": list(self.names), **arrays}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], names: Sequence[str]) -> NeuralModel:
        """Inverse of ``to_dict``.

        Raises:
            ValueError: If the coefficients belong to other features than ``names``, or do not
                fit together.
        """
        if list(plain["names"]) != list(names):
            raise ValueError(
                f"ranker coefficients are for features {list(plain['names'])}, this version "
                f"computes {list(names)}; fit them again"
            )
        arrays = {name: np.asarray(plain[name], dtype=np.float64) for name in cls._ARRAYS}
        units, width = len(arrays["bias"]), 2 * len(names)
        shapes: dict[str, tuple[int, ...]] = {
            **{name: (width,) for name in ("mean", "scale", "linear")},
            **{name: (units,) for name in ("bias", "out")},
            "hidden": (units, width),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape or not np.all(np.isfinite(arrays[name])):
                raise ValueError(
                    f"ranker coefficients {name!r}: expected finite numbers of shape {shape}, "
                    f"got shape {arrays[name].shape}"
                )
        return cls(tuple(names), **arrays)

    _ARRAYS: ClassVar = ("mean", "scale", "linear", "hidden", "bias", "out")


def compared(features: FloatArray) -> FloatArray:
    """Features (candidates, n), and how far each is below its highest: (candidates, 2 n)."""
    features = np.asarray(features, dtype=np.float64)
    return np.concatenate((features, features - features.max(axis=0)), axis=1)


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Everything fitted that the search uses.

    Attributes:
        level: Scores a candidate's tempo against the others'.
        phase: Log-odds of beat against off-beat.
        confidence: Log-odds that the chosen grid is right.
    """

    level: LinearModel | NeuralModel
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
        kind = NeuralModel if "hidden" in plain["level"] else LinearModel
        return cls(
            kind.from_dict(plain["level"], LEVEL_FEATURES),
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
