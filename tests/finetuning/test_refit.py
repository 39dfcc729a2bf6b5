"""A ranker moved by a user's tracks: what stays, what is judged by whom."""

from dataclasses import replace

import pytest

from beatgrid.calibration.temperature import calibrated
from beatgrid.finetuning.refit import outcomes, refitted
from beatgrid.search import GridSearch
from beatgrid.search.ranker import packaged
from tests.calibration.test_temperature import model_of, slow_track

SEARCH = GridSearch()


@pytest.fixture(scope="module")
def former():
    """A model whose temperature was fitted, with the ranker for any source of activations."""
    loud = model_of(2.0)
    plain = {"temperatures": [2.0], "ranker": packaged("generic").to_dict()}
    return replace(loud, calibration=plain)


@pytest.fixture(scope="module")
def tracks():
    return [slow_track(seed) for seed in range(7)]


def test_the_ranker_moves_and_the_temperatures_stay(former, tracks):
    own, taught, rendered = tracks[:2], tracks[2:4], tracks[4:]
    fitted, judged = refitted(former, own, rendered, taught, SEARCH, 3.0)
    assert fitted.calibration["temperatures"] == [2.0]
    assert (len(judged.own), len(judged.rendered)) == (2, 3)
    # Slow tracks are what the former ranker knows badly, and these teach it.
    unseen = [slow_track(seed) for seed in range(20, 23)]
    costs = [sum(o.nats for o in outcomes(m, unseen, [], SEARCH).own) for m in (former, fitted)]
    assert costs[1] < 0.9 * costs[0]


def test_a_tempo_in_doubt_is_judged_and_teaches_nothing(former, tracks):
    doubtful = [replace(t, label=replace(t.label, suspect="octave")) for t in tracks[:2]]
    with_doubts, judged = refitted(former, doubtful, tracks[2:], [], SEARCH, 10.0)
    assert len(judged.own) == 2
    assert all(outcome.nats < 7 for outcome in judged.own)
    without, _ = calibrated(
        former, [replace(t, weight=1.0) for t in tracks[2:]], SEARCH,
        start=packaged("generic"), pull=10.0, temperatures=[2.0],
    )  # fmt: skip
    assert with_doubts.calibration == without.calibration
