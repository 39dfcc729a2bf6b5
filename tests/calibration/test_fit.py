"""Fitting the models of the search: learns, reports honestly, ends in plain numbers."""

import json

import numpy as np
import pytest

from beatgrid.calibration.fit import Example, _folds, fit, worst_error_s
from beatgrid.calibration.models import fit_neural_softmax, fit_softmax
from beatgrid.calibration.synthetic import DEFAULT_FRAME_RATE, noisy_activation
from beatgrid.grid import Activation, Grid
from beatgrid.search import Coefficients, GridSearch
from beatgrid.search.ranker import LinearModel, NeuralModel
from beatgrid.search.refine import Line


def slow_examples(n):
    """Slow tracks with busy off-beats, which likelihood and prior double."""
    for seed in range(n):
        rng = np.random.default_rng(seed)
        grid = Grid(float(rng.uniform(66, 90)), rng.uniform(0, 1))
        activation = noisy_activation(grid, 40.0, rng, offbeat=0.6)
        yield Example(activation, grid, group=str(seed // 2))


@pytest.fixture(scope="module")
def fitted():
    return fit(slow_examples(20))


def test_learns_the_level_that_likelihood_misses(fitted):
    coefficients, report = fitted
    assert report.n_tracks == 20
    assert report.level_found == 1
    assert report.level_plain < 0.5
    assert report.level_right > 0.9
    unseen = noisy_activation(Grid(77.0, 0.2), 60.0, np.random.default_rng(99), offbeat=0.6)
    assert GridSearch()(unseen, coefficients).bpm == pytest.approx(77, abs=0.05)


def test_coefficients_are_plain_numbers(fitted):
    plain = fitted[0].to_dict()
    again = Coefficients.from_dict(json.loads(json.dumps(plain)))
    assert again.to_dict() == plain


def test_plain_tuples_will_do_and_no_weight_means_left_out():
    right = [(e.activation, e.grid, 1.0) for e in slow_examples(6)]
    wrong = [(e.activation, Grid(2 * e.grid.bpm, e.grid.offset_s), 0.0) for e in slow_examples(6)]
    assert fit(right + wrong)[0].to_dict() == fit(right)[0].to_dict()


def test_groups_are_never_split():
    folds = _folds(["a", "b", "a", "c", "b", "d"], 3)
    assert folds[0] == folds[2]
    assert folds[1] == folds[4]
    assert set(folds) == {0, 1, 2}


def test_too_few_tracks_are_refused():
    with pytest.raises(ValueError, match="at least 5"):
        fit(list(slow_examples(3)))
    silent = Activation(np.zeros(4000), DEFAULT_FRAME_RATE)
    with pytest.raises(ValueError, match="at least 5"):
        fit([Example(silent, Grid(120, 0))] * 10)


def test_labels_that_no_candidate_meets_are_refused():
    examples = [e._replace(grid=Grid(e.grid.bpm * 1.07, 0.0)) for e in slow_examples(10)]
    with pytest.raises(ValueError, match="none of the labelled tempi"):
        fit(examples)


def test_worst_error_is_at_the_end_of_a_drifting_line():
    truth = Grid(120.0, 0.0)
    line = Line.through(0.001, 0.5 * 1.0001, 0.0, 100.0)
    assert worst_error_s(line, truth, 100.0) == pytest.approx(0.001 + 199 * 0.00005)


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
    return np.mean([np.argmax(model(r)) == i for r, i in zip(rows, right, strict=True)])


def test_hidden_units_learn_a_choice_that_no_linear_model_can():
    names, weight = ("a", "b", "noise"), np.ones(200)
    linear = fit_softmax(*choices(200, 0), weight, names, 1.0)
    neural = fit_neural_softmax(*choices(200, 0), weight, names, 1.0)
    assert share_right(linear, *choices(100, 1)) < 0.6
    assert share_right(neural, *choices(100, 1)) > 0.95


def test_hidden_units_survive_as_plain_numbers():
    names = ("a", "b", "noise")
    model = fit_neural_softmax(*choices(30, 0), np.ones(30), names, 1.0, n_units=3, n_nets=2)
    again = NeuralModel.from_dict(json.loads(json.dumps(model.to_dict())), names)
    rows = choices(1, 1)[0][0]
    np.testing.assert_array_equal(again(rows), model(rows))
    with pytest.raises(ValueError, match="fit them again"):
        NeuralModel.from_dict(model.to_dict(), ("a", "b", "c"))
    for broken in ({"out": [1.0]}, {"mean": [float("nan")] * 6}):
        with pytest.raises(ValueError, match=f"{next(iter(broken))!r}: expected finite numbers"):
            NeuralModel.from_dict(model.to_dict() | broken, names)


def test_scores_do_not_depend_on_the_order_of_candidates():
    rows, right = choices(40, 0)
    model = fit_neural_softmax(rows, right, np.ones(40), ("a", "b", "noise"), 1.0)
    np.testing.assert_allclose(model(rows[0][::-1])[::-1], model(rows[0]), atol=1e-12)


def test_many_tracks_are_fitted_with_hidden_units(monkeypatch):
    monkeypatch.setattr("beatgrid.calibration.fit.ENOUGH_FOR_UNITS", 20)
    coefficients, report = fit(slow_examples(20))
    assert isinstance(coefficients.level, NeuralModel)
    assert report.level_right > 0.9
    plain = json.loads(json.dumps(coefficients.to_dict()))
    assert Coefficients.from_dict(plain).to_dict() == plain
    unseen = noisy_activation(Grid(77.0, 0.2), 60.0, np.random.default_rng(99), offbeat=0.6)
    assert GridSearch()(unseen, plain).bpm == pytest.approx(77, abs=0.05)


def test_features_that_came_later_weigh_nothing():
    model = LinearModel.from_dict({"names": ["b"], "weights": [2.0], "bias": 1.0}, ("a", "b"))
    assert model(np.array([5.0, 3.0])) == 7.0
    with pytest.raises(ValueError, match="fit them again"):
        LinearModel.from_dict({"names": ["z"], "weights": [2.0], "bias": 1.0}, ("a", "b"))
