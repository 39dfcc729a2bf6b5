"""Scores of peers from beats made of the true grid, late by a known time."""

from __future__ import annotations

import pytest

from beatgrid.comparison.estimates import Estimate
from beatgrid.comparison.scores import (
    Answer,
    Reference,
    answer_of,
    score_system,
    tempo_range_of,
)
from beatgrid.comparison.systems import SYSTEMS
from beatgrid.grid import Grid
from tests.comparison.peers import beats_estimate

TRACKS = {f"t{i}": Grid(90.0 + 7 * i, 0.3) for i in range(5)}
REFERENCES = {name: Reference(grid, 120.0) for name, grid in TRACKS.items()}


def late(seconds: float) -> dict[str, Answer]:
    return {
        name: answer_of(beats_estimate(name, Grid(g.bpm, g.offset_s + seconds)), "beats")
        for name, g in TRACKS.items()
    }


def test_beats_that_are_late_have_that_bias_and_lose_it():
    found = score_system(SYSTEMS["madmom"], late(0.035), REFERENCES)
    assert found.bias_ms == pytest.approx(35.0, abs=1e-6)
    assert not any(score.grid_ok_21 for score in found.scores.values())
    assert found.unbiased is not None
    for score in found.unbiased.values():
        assert score.grid_ok_10
        assert score.phase_ms == pytest.approx(0.0, abs=1e-6)
        assert score.f_measure == 1.0


def test_sequence_scores_are_of_the_systems_own_beats():
    (name, grid), *_ = TRACKS.items()
    beats_s = grid.beat_times(120.0)
    half = tuple(beats_s[beats_s < 60])
    answer = Answer(grid, beats_s=half)
    references = {name: REFERENCES[name]}
    found = score_system(SYSTEMS["madmom"], {name: answer}, references).scores[name]
    assert found.grid_ok_10
    n_true, n_found = (beats_s >= 5).sum(), (beats_s[beats_s < 60] >= 5).sum()
    assert found.f_measure == pytest.approx(2 * n_found / (n_true + n_found))
    assert found.cmlt == pytest.approx(n_found / n_true)


def test_a_tempo_alone_is_judged_by_its_tempo_alone():
    name, grid = next(iter(TRACKS.items()))
    estimate = Estimate(name, "a", "h", "m", 120.0, bpm=2 * grid.bpm)
    answer = answer_of(estimate, "tempo")
    found = score_system(SYSTEMS["tempocnn"], {name: answer}, {name: REFERENCES[name]})
    assert found.scores[name].level == "2"
    assert found.statistics == ("level_ok", "acc1", "acc2")
    assert (found.bias_ms, found.unbiased) == (None, None)


@pytest.mark.parametrize("kind", ["grid", "beats", "tempo"])
def test_nothing_found_is_wrong_and_no_error(kind):
    name = next(iter(TRACKS))
    for estimate in (None, Estimate(name, "a", "h", "m", 120.0, error="crashed")):
        assert answer_of(estimate, kind) == Answer(None)
    answer = answer_of(Estimate(name, "a", "h", "m", 120.0), kind)
    assert answer.grid is None
    found = score_system(SYSTEMS["madmom"], {name: answer}, {name: REFERENCES[name]})
    assert found.scores[name].level == "none"
    assert found.scores[name].f_measure == 0.0


def test_a_grid_is_taken_as_it_was_told():
    estimate = Estimate(
        "t", "a", "h", "m", 60.0, bpm=100.0, offset_s=0.7, beats_per_bar=3, confidence=0.5
    )
    answer = answer_of(estimate, "grid")
    assert answer.grid == Grid(100.0, 0.7, 3)
    assert answer.bars_known
    assert answer.confidence == 0.5


@pytest.mark.parametrize(
    ("bpm", "name"),
    [(89.9, "below 90 BPM"), (90.0, "90 to 180 BPM"), (180.0, "from 180 BPM")],
)
def test_ranges_meet_without_a_gap(bpm, name):
    assert tempo_range_of(bpm) == name
