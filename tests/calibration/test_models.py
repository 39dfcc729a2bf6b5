"""The small models: each at the optimum that an independent minimisation finds."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp

from beatgrid.calibration.models import (
    fit_choice,
    fit_neural_choice,
    fit_probability,
    fit_sign,
    refit_choice,
    refit_logistic,
)
from beatgrid.search.ranker import LinearModel, NeuralModel, compared

NAMES = ("a", "b", "noise")


def named(rows):
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def uneven_choices(n, seed):
    """Of two to six candidates the right one is likelier the higher ``a`` and the lower ``b``."""
    rng = np.random.default_rng(seed)
    rows = [rng.normal(0, (1.0, 3.0, 0.5), (rng.integers(2, 7), 3)) for _ in range(n)]
    right = [int(np.argmax(r @ [1.0, -0.2, 0.0] + rng.gumbel(size=len(r)))) for r in rows]
    return rows, right, rng.uniform(0.2, 2.0, n)


def choice_cost(scores, right, weight):
    """Weighted minus log-probability of the right candidates, one track after the other."""
    return sum(w * (logsumexp(s) - s[r]) for s, r, w in zip(scores, right, weight, strict=True))


def test_a_linear_choice_is_the_optimum_that_another_minimiser_finds():
    rows, right, weight = uneven_choices(80, 0)
    scale = np.concatenate(rows).std(axis=0)

    def objective(w):
        return choice_cost([r / scale @ w for r in rows], right, weight) + 0.5 * 3.0 * w @ w

    reference = minimize(objective, np.zeros(3), method="BFGS", options={"gtol": 1e-7}).x / scale
    model = fit_choice(rows, right, weight, NAMES, 3.0)
    assert model.weights == pytest.approx(reference, rel=1e-4, abs=1e-5)
    assert model.weights[0] > 0.5
    assert model.bias == 0


def test_a_sign_is_the_optimum_that_another_minimiser_finds():
    rng = np.random.default_rng(1)
    positive = rng.normal((0.5, -1.0, 0.0), (1.0, 3.0, 0.5), (120, 3))
    weight = rng.uniform(0.2, 2.0, 120)
    scale = np.sqrt((positive**2).mean(axis=0))  # of the examples and their opposites

    def objective(w):
        return weight @ np.logaddexp(0, -positive / scale @ w) + 0.5 * 3.0 * w @ w

    reference = minimize(objective, np.zeros(3), method="BFGS", options={"gtol": 1e-8}).x / scale
    model = fit_sign(positive, weight, NAMES, 3.0)
    assert model.weights == pytest.approx(reference, rel=1e-4, abs=1e-5)
    assert model.bias == 0


def test_a_neural_choice_cannot_be_improved_by_another_minimiser():
    """From where it stands, scipy on an objective written anew gains next to nothing."""
    rows, right, weight = uneven_choices(40, 2)
    n_units = 2
    model = fit_neural_choice(rows, right, weight, NAMES, 3.0, n_units=n_units, n_nets=1)
    inputs = [(compared(r) - model.mean) / model.scale for r in rows]
    shapes = [(6,), (n_units, 6), (n_units,), (n_units,)]
    edges = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def objective(flat):
        parts = [p.reshape(s) for p, s in zip(np.split(flat, edges), shapes, strict=True)]
        linear, hidden, bias, out = parts
        scores = [x @ linear + np.tanh(x @ hidden.T + bias) @ out for x in inputs]
        squares = (linear**2).sum() + (hidden**2).sum() + (out**2).sum()
        return choice_cost(scores, right, weight) + 0.5 * 3.0 * squares

    parts = (model.linear, model.hidden, model.bias, model.out)
    start = np.concatenate([np.ravel(p) for p in parts])
    better = minimize(objective, start, method="BFGS", options={"maxiter": 50})
    assert objective(start) == pytest.approx(better.fun, rel=1e-5)
    assert objective(start) < 0.9 * objective(np.zeros_like(start))


def test_the_same_examples_give_the_same_model():
    fitted = [fit_neural_choice(*uneven_choices(30, 3), NAMES, 3.0).to_dict() for _ in range(2)]
    assert fitted[0] == fitted[1]


def test_separable_signs_stay_finite():
    positive = np.random.default_rng(4).uniform(1, 2, (30, 3))
    model = fit_sign(positive, np.ones(30), NAMES, 0.01)
    assert np.all(np.isfinite(model.weights))
    assert np.all(positive @ model.weights > 0)


@pytest.mark.parametrize("truth", [True, False])
def test_a_probability_of_one_class_is_a_constant(truth):
    model = fit_probability(np.zeros((8, 3)), np.full(8, truth), np.ones(8), NAMES)
    assert model.log_odds(named([[1.0, 2.0, 3.0]])[0]) == pytest.approx(
        np.log(9.0) if truth else -np.log(9.0)
    )


def choices(n, seed):
    """Of four rows the right one has two features of equal sign, the others of unequal."""
    rng = np.random.default_rng(seed)
    rows, right = [], []
    for _ in range(n):
        signs = rng.choice((-1.0, 1.0), 4)
        truth = int(rng.integers(4))
        second = np.where(np.arange(4) == truth, signs, -signs)
        rows.append(np.stack((signs, second, rng.normal(size=4)), axis=1))
        right.append(truth)
    return rows, right


def share_right(model, rows, right):
    return np.mean(
        [np.argmax(model.scores(named(r))) == i for r, i in zip(rows, right, strict=True)]
    )


def test_hidden_units_learn_a_choice_that_no_linear_model_can():
    weight = np.ones(200)
    linear = fit_choice(*choices(200, 0), weight, NAMES, 1.0)
    neural = fit_neural_choice(*choices(200, 0), weight, NAMES, 1.0)
    assert share_right(linear, *choices(100, 1)) < 0.6
    assert share_right(neural, *choices(100, 1)) > 0.95


def test_hidden_units_survive_as_plain_numbers():
    model = fit_neural_choice(*choices(30, 0), np.ones(30), NAMES, 1.0, n_units=3, n_nets=2)
    again = NeuralModel.from_dict(json.loads(json.dumps(model.to_dict())), NAMES)
    rows = choices(1, 1)[0][0]
    np.testing.assert_array_equal(again.scores(named(rows)), model.scores(named(rows)))
    with pytest.raises(ValueError, match="fit them again"):
        NeuralModel.from_dict(model.to_dict(), ("a", "b", "c"))
    for broken in ({"out": [1.0]}, {"mean": [float("nan")] * 6}):
        with pytest.raises(ValueError, match=f"{next(iter(broken))!r}: expected finite numbers"):
            NeuralModel.from_dict(model.to_dict() | broken, NAMES)


def test_scores_do_not_depend_on_the_order_of_candidates():
    rows, right = choices(40, 0)
    model = fit_neural_choice(rows, right, np.ones(40), NAMES, 1.0)
    np.testing.assert_allclose(
        model.scores(named(rows[0][::-1]))[::-1], model.scores(named(rows[0])), atol=1e-12
    )


def test_a_model_scores_by_the_names_of_its_features():
    model = LinearModel.from_dict({"names": ["b"], "weights": [2.0], "bias": 1.0}, ("a", "b"))
    assert model.log_odds({"a": 5.0, "b": 3.0}) == 7.0
    assert model.scores([{"b": 3.0, "a": 5.0}, {"a": 0.0, "b": 0.0}]).tolist() == [7.0, 1.0]
    with pytest.raises(ValueError, match="fit them again"):
        LinearModel.from_dict({"names": ["z"], "weights": [2.0], "bias": 1.0}, ("a", "b"))


def test_a_refit_without_pull_forgets_and_with_much_of_it_stays():
    rows, right, weight = uneven_choices(80, 0)
    fresh = fit_choice(rows, right, weight, NAMES, 1e-6)
    start = LinearModel(NAMES, np.array([-1.0, 2.0, 0.5]))
    forgot = refit_choice(start, rows, right, weight, 1e-6)
    assert forgot.weights == pytest.approx(fresh.weights, rel=1e-3, abs=1e-4)
    stayed = refit_choice(start, rows, right, weight, 1e8)
    assert stayed.weights == pytest.approx(start.weights, abs=1e-5)


def test_a_linear_refit_is_the_optimum_that_another_minimiser_finds():
    rows, right, weight = uneven_choices(60, 3)
    scale = np.concatenate(rows).std(axis=0)
    start = np.array([0.2, 0.1, -0.4])

    def objective(w):
        moved = w - start * scale
        return choice_cost([r / scale @ w for r in rows], right, weight) + 0.5 * 4 * moved @ moved

    reference = minimize(objective, start * scale, method="BFGS", options={"gtol": 1e-7}).x / scale
    model = refit_choice(LinearModel(NAMES, start), rows, right, weight, 4.0)
    assert model.weights == pytest.approx(reference, rel=1e-4, abs=1e-5)


def test_a_neural_refit_begins_where_it_was_and_learns():
    rows, right, weight = uneven_choices(40, 5)
    start = fit_neural_choice(rows, right, weight, NAMES, 10.0, n_units=3, n_nets=2)
    stayed = refit_choice(start, rows, right, weight, 1e8)
    scores = [[m.scores(named(r)) for r in rows] for m in (start, stayed)]
    assert np.concatenate(scores[1]) == pytest.approx(np.concatenate(scores[0]), abs=1e-4)
    others, right_of_others, weight = uneven_choices(60, 6)
    flipped = [-r for r in others]  # now the lower ``a`` is right
    moved = refit_choice(start, flipped, right_of_others, weight, 1.0)
    assert isinstance(moved, NeuralModel)
    costs = [
        choice_cost([m.scores(named(r)) for r in flipped], right_of_others, weight)
        for m in (start, moved)
    ]
    assert costs[1] < 0.7 * costs[0]


def test_a_logistic_refit_is_the_optimum_that_another_minimiser_finds():
    rng = np.random.default_rng(8)
    features = rng.normal(0, (1.0, 3.0, 0.5), (90, 3))
    right = features @ [1.0, -0.3, 0.0] + rng.logistic(size=90) > 0.4
    weight, scale = rng.uniform(0.2, 2.0, 90), features.std(axis=0)
    start = LinearModel(NAMES, np.array([-0.5, 0.2, 1.0]), 0.7)
    begin = np.array([*(start.weights * scale), start.bias])

    def objective(w):
        z = features / scale @ w[:3] + w[3]
        moved = w - begin
        return weight @ (np.logaddexp(0, z) - right * z) + 0.5 * 2.0 * moved @ moved

    reference = minimize(objective, begin, method="BFGS", options={"gtol": 1e-7}).x
    model = refit_logistic(start, features, right, weight, 2.0)
    assert model.weights == pytest.approx(reference[:3] / scale, rel=1e-4, abs=1e-5)
    assert model.bias == pytest.approx(reference[3], rel=1e-4)
    fixed = refit_logistic(start, features, right, weight, 2.0, with_bias=False)
    assert fixed.bias == start.bias
