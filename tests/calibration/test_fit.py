"""Fitting the models of the search: learns, reports honestly, ends in plain numbers."""

import json

import numpy as np
import pytest

from beatgrid.calibration.examples import Example, worst_error_s
from beatgrid.calibration.fit import _folds, fit_ranker
from beatgrid.calibration.synthetic import DEFAULT_FRAME_RATE, noisy_activation
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridSearch, Ranker
from beatgrid.search.line import Line
from beatgrid.search.ranker import NeuralModel


def slow_examples(n):
    """Slow tracks with busy off-beats, which likelihood and prior double."""
    for seed in range(n):
        rng = np.random.default_rng(seed)
        grid = Grid(float(rng.uniform(66, 90)), rng.uniform(0, 1))
        activation = noisy_activation(grid, 40.0, rng, offbeat=0.6)
        yield Example(activation, grid, group=str(seed // 2))


@pytest.fixture(scope="module")
def fitted():
    return fit_ranker(slow_examples(20))


def test_learns_the_level_that_likelihood_misses(fitted):
    ranker, report = fitted
    assert report.n_tracks == 20
    assert report.level_found == 1
    assert report.level_plain < 0.5
    assert report.level_right > 0.9
    unseen = noisy_activation(Grid(77.0, 0.2), 60.0, np.random.default_rng(99), offbeat=0.6)
    assert GridSearch()(unseen, ranker).bpm == pytest.approx(77, abs=0.05)


def test_a_ranker_is_plain_numbers(fitted):
    plain = fitted[0].to_dict()
    again = Ranker.from_dict(json.loads(json.dumps(plain)))
    assert again.to_dict() == plain


def test_plain_tuples_will_do_and_no_weight_means_left_out():
    right = [(e.activation, e.grid, 1.0) for e in slow_examples(6)]
    wrong = [(e.activation, Grid(2 * e.grid.bpm, e.grid.offset_s), 0.0) for e in slow_examples(6)]
    assert fit_ranker(right + wrong)[0].to_dict() == fit_ranker(right)[0].to_dict()


def test_groups_are_never_split():
    folds = _folds(["a", "b", "a", "c", "b", "d"], 3)
    assert folds[0] == folds[2]
    assert folds[1] == folds[4]
    assert set(folds) == {0, 1, 2}


def test_too_few_tracks_are_refused():
    with pytest.raises(ValueError, match="at least 5"):
        fit_ranker(list(slow_examples(3)))
    silent = Activation(np.zeros(4000), DEFAULT_FRAME_RATE)
    with pytest.raises(ValueError, match="at least 5"):
        fit_ranker([Example(silent, Grid(120, 0))] * 10)


def test_labels_that_no_candidate_meets_are_refused():
    examples = [e._replace(grid=Grid(e.grid.bpm * 1.07, 0.0)) for e in slow_examples(10)]
    with pytest.raises(ValueError, match="none of the labelled tempi"):
        fit_ranker(examples)


def test_worst_error_is_at_the_end_of_a_drifting_line():
    truth = Grid(120.0, 0.0)
    line = Line.through(0.001, 0.5 * 1.0001, 0.0, 100.0)
    assert worst_error_s(line, truth, 100.0) == pytest.approx(0.001 + 199 * 0.00005)


def test_many_tracks_are_fitted_with_hidden_units(monkeypatch):
    monkeypatch.setattr("beatgrid.calibration.fit.ENOUGH_FOR_UNITS", 20)
    ranker, report = fit_ranker(slow_examples(20))
    assert isinstance(ranker.level, NeuralModel)
    assert report.level_right > 0.9
    plain = json.loads(json.dumps(ranker.to_dict()))
    assert Ranker.from_dict(plain).to_dict() == plain
    unseen = noisy_activation(Grid(77.0, 0.2), 60.0, np.random.default_rng(99), offbeat=0.6)
    assert GridSearch()(unseen, plain).bpm == pytest.approx(77, abs=0.05)


def test_few_tracks_move_a_ranker_and_do_not_replace_it(fitted):
    start, _ = fitted
    examples = list(slow_examples(10))
    moved, report = fit_ranker(examples, start=start, pull=10.0)
    assert moved.level.names == start.level.names
    assert report.level_right == 1
    stiff, _ = fit_ranker(examples, start=start, pull=1e8)
    for part in ("level", "phase", "confidence"):
        far, near = (getattr(ranker, part).weights for ranker in (moved, stiff))
        at = getattr(start, part).weights
        assert near == pytest.approx(at, abs=1e-4)
        assert not np.allclose(far, at, atol=1e-3)


def test_a_ranker_of_fewer_features_keeps_those_it_has(fitted):
    plain = fitted[0].to_dict()
    for part in ("level", "phase", "confidence"):
        plain[part]["names"], plain[part]["weights"] = (
            plain[part]["names"][1:],
            plain[part]["weights"][1:],
        )
    start = Ranker.from_dict(plain)
    moved, _ = fit_ranker(list(slow_examples(10)), start=start)
    assert moved.level.names == start.level.names
    assert len(moved.confidence.weights) == len(start.confidence.weights)
