"""Grids under review: beats of one tempo and of several, results and back."""

import numpy as np
import pytest

from beatgrid.grid import Activation, Grid
from beatgrid.output.result import grid_result
from beatgrid.review.reviewed_grid import ReviewedGrid, Stretch
from beatgrid.search import Beats, GridEstimate, Segment
from tests.output.test_result import INFO

DURATION_S = 30.0
FLAT = Activation(np.full(3000, 0.5), 100.0, DURATION_S)


def result_of(estimate):
    return grid_result(estimate, FLAT, INFO, None, {})


def constant(grid, known=True):
    return GridEstimate(grid=grid, confidence=0.5, downbeat_confidence=0.9 if known else None)


def test_beats_of_one_tempo():
    beats = ReviewedGrid(2.0, (Stretch(0.0, Grid(120.0, 0.75, 3)),)).beats()
    assert beats.times_s.tolist() == [0.25, 0.75, 1.25, 1.75]
    assert beats.bar_position.tolist() == [3, 1, 2, 3]


def test_a_first_beat_shortly_before_the_track_is_at_its_start():
    beats = ReviewedGrid(1.2, (Stretch(0.0, Grid(120.0, -0.004)),)).beats()
    np.testing.assert_allclose(beats.times_s, [0.0, 0.496, 0.996])
    assert beats.bar_position.tolist() == [1, 2, 3]


def test_beats_of_several_tempi_begin_at_each_start():
    grid = ReviewedGrid(4.0, (Stretch(0.0, Grid(120.0, 0.0)), Stretch(2.0, Grid(60.0, 2.0, 4))))
    beats = grid.beats()
    np.testing.assert_allclose(beats.times_s, [0, 0.5, 1, 1.5, 2, 3])
    assert beats.bar_position.tolist() == [1, 2, 3, 4, 1, 2]
    assert beats.segment.tolist() == [0, 0, 0, 0, 1, 1]
    assert [grid.index_at(t) for t in (-1, 0, 1.99, 2, 9)] == [0, 0, 0, 1, 1]
    assert (grid.end_s(0), grid.end_s(1)) == (2.0, 4.0)


def test_a_split_at_a_beat_belongs_to_what_follows_whatever_arithmetic_says():
    period_s = Grid(174.3, 0).period_s
    at_s = 0.1 + 37 * period_s
    same = Grid(174.3, 0.1)
    whole = ReviewedGrid(30.0, (Stretch(0.0, same),)).beats()
    split = ReviewedGrid(
        30.0, (Stretch(0.0, same), Stretch(at_s + 1e-9, Grid(174.3, at_s)))
    ).beats()
    np.testing.assert_allclose(split.times_s, whole.times_s)
    assert int(np.argmax(split.segment)) == 37


@pytest.mark.parametrize("offset_s", [0.31, -0.004, 1.9])
@pytest.mark.parametrize("beats_per_bar", [3, 4])
def test_a_result_leads_back_to_its_grid(offset_s, beats_per_bar):
    truth = Grid(127.3, offset_s, beats_per_bar)
    grid = ReviewedGrid.from_result(result_of(constant(truth)))
    assert grid.is_constant
    assert grid.stretches[0].grid.bpm == 127.3
    bar_s = truth.period_s * beats_per_bar
    away_s = (grid.stretches[0].grid.offset_s - offset_s + bar_s / 2) % bar_s - bar_s / 2
    assert abs(away_s) < 2e-6
    np.testing.assert_allclose(
        grid.beats().times_s, Beats.of_grid(truth, DURATION_S).times_s, atol=2e-6
    )


def test_a_result_without_bars_counts_from_its_first_beat():
    grid = ReviewedGrid.from_result(result_of(constant(Grid(120.0, 0.7), known=False)))
    assert not grid.downbeat_known
    assert grid.beats().bar_position[0] == 1


def test_a_result_without_a_grid_has_no_stretch():
    grid = ReviewedGrid.from_result(result_of(GridEstimate.none("noise")))
    assert grid.stretches == ()
    assert len(grid.beats().times_s) == 0
    assert ReviewedGrid.from_plain(grid.to_plain()) == grid


def piecewise(times_s, positions, segment):
    n = len(times_s)
    beats = Beats(
        np.asarray(times_s),
        np.asarray(positions, dtype=np.int64),
        np.asarray(segment, dtype=np.int64),
        np.ones(n, dtype=bool),
    )
    return GridEstimate(
        grid=Grid(120.0, 0.0),
        downbeat_confidence=0.9,
        beats=beats,
        segments=(Segment(0.0, 15.0, 120.0, 0.0), Segment(15.0, 30.0, 60.0, 15.0)),
    )


def test_straight_segments_are_grids():
    times_s = [*np.arange(0, 15, 0.5), *np.arange(15.0, 30.0)]
    positions = [*(np.arange(30) % 4 + 1), *(np.arange(15) % 4 + 1)]
    result = result_of(piecewise(times_s, positions, [0] * 30 + [1] * 15))
    grid = ReviewedGrid.from_result(result)
    assert [s.own_beats for s in grid.stretches] == [None, None]
    np.testing.assert_allclose(grid.beats().times_s, times_s)
    assert grid.beats().bar_position.tolist() == positions


def test_beats_that_glide_are_kept_beat_by_beat():
    times_s = [*np.arange(0, 15, 0.5), *(15.0 + np.cumsum(np.linspace(0.9, 1.1, 14)))]
    positions = [*(np.arange(30) % 4 + 1), *(np.arange(14) % 4 + 1)]
    grid = ReviewedGrid.from_result(result_of(piecewise(times_s, positions, [0] * 30 + [1] * 14)))
    assert [s.own_beats is None for s in grid.stretches] == [True, False]
    np.testing.assert_allclose(grid.beats().times_s, times_s, atol=1e-6)
    assert not grid.is_constant
    assert ReviewedGrid.from_plain(grid.to_plain()) == grid
    later = grid.stretches[1].moved(0.01)
    assert later.own_beats[0][0] == pytest.approx(15.91, abs=1e-6)


def test_same_beats_is_exact_to_a_tenth_of_a_millisecond():
    def of(offset_s, bpm=120.0, n=4):
        return ReviewedGrid(30.0, (Stretch(0.0, Grid(bpm, offset_s, n)),))

    assert of(0.3).same_beats(of(0.30005))
    assert of(0.3).same_beats(of(2.3))
    assert not of(0.3).same_beats(of(0.301))
    assert not of(0.3).same_beats(of(0.8))  # the same beats, other bars
    assert not of(0.3).same_beats(of(0.3, 120.01))


@pytest.mark.parametrize("plain", [{}, {"stretches": 3}, {"stretches": [{}], "duration_s": 1}])
def test_what_is_no_grid_is_refused(plain):
    with pytest.raises(ValueError, match="not a grid under review"):
        ReviewedGrid.from_plain(plain)
