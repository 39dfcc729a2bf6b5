"""The ranker: small fitted models that choose among candidates, with plain numbers inside.

``level`` scores candidates' metrical levels against each other (a softmax over candidates; linear,
or with a hidden layer); ``phase`` weighs beats against off-beats (a logistic function without
intercept, so that exchanging the two exchanges the answer); ``confidence`` gives the probability
that the grid chosen is right; ``bars``, where there is one, scores the beats
of a bar of four as its first (a softmax over them). All but the first are linear. They are fitted
by :mod:`beatgrid.calibration.fit` and travel in a checkpoint as a dict of lists.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, ClassVar

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.bar_features import BAR_FEATURES
from beatgrid.search.features import (
    CONFIDENCE_FEATURES,
    LEVEL_FEATURES,
    PHASE_FEATURES,
    Features,
)

FORMAT = 1


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A weighted sum of named features.

    Attributes:
        names: Names of the features it uses.
        weights: One per feature, (features,).
        bias: Constant term.
    """

    names: tuple[str, ...]
    weights: FloatArray
    bias: float = 0.0

    def scores(self, candidates: Sequence[Features]) -> FloatArray:
        """Score candidates, (candidates,)."""
        return feature_matrix(candidates, self.names) @ self.weights + self.bias

    def log_odds(self, features: Features) -> float:
        """Return the weighted sum of one set of features."""
        return float(np.array([features[name] for name in self.names]) @ self.weights + self.bias)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and strings."""
        return {
            "names": list(self.names),
            "weights": [float(w) for w in self.weights],
            "bias": float(self.bias),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], known: Collection[str]) -> LinearModel:
        """Make the model of plain numbers and strings.

        Raises:
            ValueError: If it uses features that are not ``known``, or holds other than one
                finite weight for each.
        """
        names = _known_names(plain, known)
        weights = np.asarray(plain["weights"], dtype=np.float64)
        if weights.shape != (len(names),) or not np.all(np.isfinite(weights)):
            raise ValueError(f"expected {len(names)} finite ranker weights, got {plain['weights']}")
        return cls(names, weights, float(plain["bias"]))


@dataclass(frozen=True, eq=False)
class NeuralModel:
    """Scores of all candidates of a track together: one hidden layer beside a linear model.

    Its inputs are a candidate's features and how far each lies below the highest among the
    candidates, standardised.

    Attributes:
        names: Names of the features it uses.
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

    _ARRAYS: ClassVar = ("mean", "scale", "linear", "hidden", "bias", "out")

    def scores(self, candidates: Sequence[Features]) -> FloatArray:
        """Score the candidates of one track, (candidates,)."""
        x = (compared(feature_matrix(candidates, self.names)) - self.mean) / self.scale
        return x @ self.linear + np.tanh(x @ self.hidden.T + self.bias) @ self.out

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and strings."""
        arrays = {name: getattr(self, name).tolist() for name in self._ARRAYS}
        return {"names": list(self.names), **arrays}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], known: Collection[str]) -> NeuralModel:
        """Make the model of plain numbers and strings.

        Raises:
            ValueError: If it uses features that are not ``known``, or its arrays do not fit
                together.
        """
        names = _known_names(plain, known)
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
        return cls(names, **arrays)


def feature_matrix(candidates: Sequence[Features], names: Sequence[str]) -> FloatArray:
    """Arrange the named features of candidates, float64 (candidates, names)."""
    return np.array([[features[name] for name in names] for features in candidates])


def compared(features: FloatArray) -> FloatArray:
    """Append how far each feature (candidates, n) is below its highest: (candidates, 2 n)."""
    features = np.asarray(features, dtype=np.float64)
    return np.concatenate((features, features - features.max(axis=0)), axis=1)


def _known_names(plain: Mapping[str, Any], known: Collection[str]) -> tuple[str, ...]:
    """Return the names of a model's features; features that came later, it does not use."""
    if not set(plain["names"]) <= set(known):
        raise ValueError(
            f"ranker coefficients are for features {list(plain['names'])}, this version "
            f"computes {list(known)}; fit them again"
        )
    return tuple(plain["names"])


@dataclass(frozen=True, eq=False)
class Ranker:
    """Everything fitted that the search uses.

    Attributes:
        level: Scores a candidate's metrical level against the others'.
        phase: Log-odds of beat against off-beat.
        confidence: Log-odds that the chosen grid is right.
        bars: Scores each beat of a bar of four as its first; None if it was not fitted.
    """

    level: LinearModel | NeuralModel
    phase: LinearModel
    confidence: LinearModel
    bars: LinearModel | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dict of lists and numbers, fit for JSON or a checkpoint."""
        plain = {
            "format": FORMAT,
            "level": self.level.to_dict(),
            "phase": self.phase.to_dict(),
            "confidence": self.confidence.to_dict(),
        }
        return plain if self.bars is None else {**plain, "bars": self.bars.to_dict()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Ranker:
        """Make the ranker of a plain dict.

        Raises:
            ValueError: If the format or the features are not this version's.
        """
        if plain.get("format") != FORMAT:
            raise ValueError(
                f"ranker coefficients have format {plain.get('format')!r}, this version reads "
                f"{FORMAT}; fit them again"
            )
        bars = plain.get("bars")
        kind = NeuralModel if "hidden" in plain["level"] else LinearModel
        return cls(
            kind.from_dict(plain["level"], LEVEL_FEATURES),
            LinearModel.from_dict(plain["phase"], PHASE_FEATURES),
            LinearModel.from_dict(plain["confidence"], CONFIDENCE_FEATURES),
            None if bars is None else LinearModel.from_dict(bars, BAR_FEATURES),
        )


@cache
def packaged(name: str) -> Ranker:
    """Load a ranker shipped with the package.

    Args:
        name: ``generic`` (fitted to synthetic activations, for any source of beat
            probabilities) or ``flux`` (fitted to real music's spectral flux).

    Raises:
        ValueError: If there is none of that name.
    """
    file = resources.files("beatgrid.search") / f"{name}.json"
    if not file.is_file():
        raise ValueError(f"no ranker named {name!r}; use 'generic', 'flux' or 'none'")
    return Ranker.from_dict(json.loads(file.read_text(encoding="utf-8")))
