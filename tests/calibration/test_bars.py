"""Fitting the choice of the first beat of the bar."""

import json
from dataclasses import replace

import numpy as np
import pytest

from beatgrid.calibration import bars as fitting
from beatgrid.calibration.bars import BarExample, cross_validated_bars, fit_bars, refit_bars
from beatgrid.calibration.examples import Example, LabelledCandidates
from beatgrid.calibration.fit import fit_ranker
from beatgrid.calibration.synthetic import noisy_activation
from beatgrid.grid import Grid
from beatgrid.search import GridSearch, Ranker
from beatgrid.search.bar_features import BAR_FEATURES
from beatgrid.search.ranker import LinearModel

TOLD_BY = BAR_FEATURES.index("shape_4_mid")


def bar_example(seed, weight=1.0):
    """Only one feature tells the first beat; the network's downbeats are half a bar off."""
    rng = np.random.default_rng(seed)
    right = int(rng.integers(4))
    features = rng.normal(0, 0.2, (4, len(BAR_FEATURES)))
    features[:, TOLD_BY] += np.eye(4)[right]
    return BarExample(features, right, (right + 2) % 4, weight)


def track(seed, bars_trust=1.0, beats_per_bar=4):
    """A track with a chord for each bar, whose network hears downbeats half a bar late."""
    rng = np.random.default_rng(seed)
    grid = Grid(float(rng.uniform(80, 160)), rng.uniform(0, 2), beats_per_bar)
    late = Grid(grid.bpm, grid.offset_s + 2 * grid.period_s)
    activation = noisy_activation(late, 40.0, rng, downbeat_height=0.8)
    bar = (activation.times_s - grid.offset_s) // (4 * grid.period_s)
    chords_db = rng.uniform(-40, 0, (int(np.ptp(bar)) + 1, 32))
    spectrum_db = chords_db[(bar - bar.min()).astype(int)]
    return Example(replace(activation, spectrum_db=spectrum_db), grid, bars_trust=bars_trust)


def test_learns_what_tells_the_first_beat():
    model = fit_bars([bar_example(seed) for seed in range(100)], 1.0)
    assert int(np.argmax(np.abs(model.weights))) == TOLD_BY
    unseen = [bar_example(seed) for seed in range(1000, 1050)]
    assert all(np.argmax(e.features @ model.weights) == e.right for e in unseen)


def test_few_tracks_fit_no_model_but_move_one():
    examples = [bar_example(seed) for seed in range(100)]
    assert fit_bars(examples[: fitting.ENOUGH_FOR_BARS - 1], 1.0) is None
    start = fit_bars(examples, 1.0)
    assert refit_bars(start, [], 10.0) is start
    # Tracks that contradict it: the first beat is where nothing changes.
    contrary = [replace(e, features=-e.features) for e in examples[:20]]
    moved = refit_bars(start, contrary, 10.0)
    assert moved.weights[TOLD_BY] < start.weights[TOLD_BY]
    assert refit_bars(start, contrary, 1e8).weights == pytest.approx(start.weights, abs=1e-4)


def test_a_model_of_fewer_features_keeps_those_it_has():
    examples = [bar_example(seed) for seed in range(100)]
    start = replace(fit_bars(examples, 1.0), names=("first", "shape_4_mid"), weights=np.ones(2))
    moved = refit_bars(start, examples, 10.0)
    assert moved.names == start.names
    assert moved.weights[1] > 1 > moved.weights[0]


def test_cross_validation_counts_by_weight_what_others_would_choose():
    honest = [bar_example(seed) for seed in range(30)]
    liar = replace(bar_example(7, weight=10.0), right=bar_example(7).plain)
    examples = [*honest, None, liar]
    folds = np.arange(len(examples)) % 2
    seen = []

    def fit(others):
        seen.append(others)
        return LinearModel(("shape_4_mid",), np.ones(1))

    assert cross_validated_bars(examples, folds, fit) == pytest.approx((30 / 40, 10 / 40))
    assert [len(others) for others in seen] == [16, 15]
    assert liar in seen[0]
    assert liar not in seen[1]
    assert cross_validated_bars(examples, folds, lambda others: None) == (None, 10 / 40)
    assert cross_validated_bars([None], folds[:1], fit) == (None, None)


def test_a_track_says_which_beat_is_its_first():
    described = LabelledCandidates.of(track(3), GridSearch())
    chosen = int(np.argmax(described.bars.features[:, TOLD_BY]))
    assert described.bars.right == chosen
    assert described.bars.plain == (chosen + 2) % 4
    assert described.bars.weight == 1.0
    assert described.example.activation.spectrum_db is None


@pytest.mark.parametrize(
    "example",
    [
        track(3, bars_trust=0.0),
        track(3, beats_per_bar=3),
        track(3)._replace(phase_reliable=False),
        track(3)._replace(activation=replace(track(3).activation, spectrum_db=None)),
        track(3)._replace(activation=replace(track(3).activation, downbeat=None)),
    ],
    ids=["unknown", "three", "off-beat", "no spectrum", "no downbeats"],
)
def test_tracks_whose_bars_tell_nothing_are_left_out(example):
    assert LabelledCandidates.of(example, GridSearch()).bars is None


def test_a_ranker_carries_the_model(monkeypatch):
    monkeypatch.setattr(fitting, "ENOUGH_FOR_BARS", 10)
    ranker, report = fit_ranker(map(track, range(20)), n_units=0)
    assert report.bars_plain < 0.2
    assert report.bars_right == 1.0
    plain = json.loads(json.dumps(ranker.to_dict()))
    assert Ranker.from_dict(plain).to_dict() == plain
    unseen = track(99)
    search = GridSearch()
    found = search(unseen.activation, plain).grid
    bars = (found.offset_s - unseen.grid.offset_s) / (4 * unseen.grid.period_s)
    assert bars == pytest.approx(round(bars), abs=0.02)

    # A ranker without the model goes without it, also where it is fitted on.
    del plain["bars"]
    before = Ranker.from_dict(plain)
    assert before.bars is None
    assert fit_ranker(map(track, range(10)), start=before)[0].bars is None
    moved, _ = fit_ranker(map(track, range(10)), start=ranker)
    assert moved.bars.names == BAR_FEATURES
