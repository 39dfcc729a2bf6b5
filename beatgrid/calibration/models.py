"""Small models from examples: a choice among rows, a sign, a probability.

scikit-learn is imported inside the function that needs it: nothing else here or in the search
does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from beatgrid.grid import FloatArray
from beatgrid.search.ranker import LinearModel, NeuralModel, compared


def fit_softmax(
    features: Sequence[FloatArray],
    right: Sequence[int],
    weight: FloatArray,
    names: tuple[str, ...],
    penalty: float,
) -> LinearModel:
    """Weights that maximise the softmax probability of the right row of each array."""
    scale = _scale(np.concatenate(features))
    differences = [f / scale - f[r] / scale for f, r in zip(features, right, strict=True)]

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        total, slope = 0.5 * penalty * float(w @ w), penalty * w
        for d, track_weight in zip(differences, weight, strict=True):
            score = d @ w
            top = float(score.max())
            probability = np.exp(score - top)
            norm = float(probability.sum())
            total += track_weight * (top + np.log(norm))
            slope = slope + track_weight * (probability / norm) @ d
        return total, slope

    return LinearModel(names, _minimise(loss, len(names)) / scale)


def fit_neural_softmax(
    features: Sequence[FloatArray],
    right: Sequence[int],
    weight: FloatArray,
    names: tuple[str, ...],
    penalty: float,
    n_units: int = 16,
    n_nets: int = 3,
) -> NeuralModel:
    """As ``fit_softmax`` with a hidden layer: the mean of a few nets from different starts.

    Args:
        features: Rows of each example, (rows, features).
        right: The right row of each.
        weight: How much each example counts.
        names: Of the features.
        penalty: L2 penalty on all weights of standardised inputs, in units of one example.
        n_units: Hidden units of each net.
        n_nets: How many nets are averaged.
    """
    rows = [compared(f) for f in features]
    stacked = np.concatenate(rows)
    mean, scale = stacked.mean(axis=0), _scale(stacked)
    x = (stacked - mean) / scale
    width = x.shape[1]
    starts = np.cumsum([0, *(len(r) for r in rows[:-1])])
    example = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    truth = starts + np.asarray(right)
    of_row = weight[example]

    def unpack(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        linear, rest = w[:width], w[width:]
        hidden, rest = rest[: n_units * width].reshape(n_units, width), rest[n_units * width :]
        return linear, hidden, rest[:n_units], rest[n_units:]

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        linear, hidden, bias, out = unpack(w)
        active = np.tanh(x @ hidden.T + bias)
        score = x @ linear + active @ out
        top = np.maximum.reduceat(score, starts)
        probability = np.exp(score - top[example])
        norm = np.add.reduceat(probability, starts)
        total = float(weight @ (top + np.log(norm) - score[truth]))
        slope = of_row * probability / norm[example]
        slope[truth] -= weight
        back = np.outer(slope, out) * (1 - active**2)
        gradient = np.concatenate(
            (x.T @ slope, (back.T @ x).ravel(), back.sum(axis=0), active.T @ slope)
        )
        free = np.ones(len(w))  # all but the biases are penalised
        free[width * (1 + n_units) : width * (1 + n_units) + n_units] = 0.0
        return total + 0.5 * penalty * float(free @ w**2), gradient + penalty * free * w

    nets = []
    for seed in range(n_nets):
        rng = np.random.default_rng(seed)
        start = np.concatenate(
            (
                np.zeros(width),
                rng.normal(0, width**-0.5, n_units * width),
                np.zeros(n_units),
                rng.normal(0, 0.1, n_units),
            )
        )
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
        nets.append(unpack(found.x))
    linear, hidden, bias, out = (np.stack(part) for part in zip(*nets, strict=True))
    return NeuralModel(
        names,
        mean,
        scale,
        linear.mean(axis=0),
        hidden.reshape(-1, width),
        bias.ravel(),
        out.ravel() / n_nets,
    )


def fit_sign(
    positive: FloatArray, weight: FloatArray, names: tuple[str, ...], penalty: float
) -> LinearModel:
    """Weights without intercept that make ``positive @ weights`` the log-odds of being right."""
    scale = _scale(np.concatenate((positive, -positive)))
    x = positive / scale

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        score = x @ w
        wrong = 1 / (1 + np.exp(np.clip(score, -50, 50)))
        total = 0.5 * penalty * float(w @ w) + float(weight @ np.logaddexp(0, -score))
        return total, penalty * w - (weight * wrong) @ x

    return LinearModel(names, _minimise(loss, len(names)) / scale)


def _minimise(loss: Callable[[FloatArray], tuple[float, FloatArray]], n: int) -> FloatArray:
    return minimize(loss, np.zeros(n), jac=True, method="L-BFGS-B").x


def _scale(features: FloatArray) -> FloatArray:
    """Standard deviations, 1 for features that never differ (channels that are missing)."""
    deviation = features.std(axis=0)
    return np.where(deviation > 1e-9, deviation, 1.0)


def fit_probability(
    features: FloatArray, right: NDArray[np.bool_], weight: FloatArray, names: tuple[str, ...]
) -> LinearModel:
    """Logistic regression; a constant if all grids are right, or all wrong."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    used = weight > 0
    if len(np.unique(right[used])) < 2:
        n_right = float(np.sum(right[used]))
        bias = np.log((n_right + 1) / (np.sum(used) - n_right + 1))
        return LinearModel(names, np.zeros(len(names)), float(bias))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3))
    model.fit(features[used], right[used], logisticregression__sample_weight=weight[used])
    scaler, regression = model[0], model[1]
    weights = regression.coef_[0] / scaler.scale_
    bias = float(regression.intercept_[0] - weights @ scaler.mean_)
    return LinearModel(names, weights, bias)
