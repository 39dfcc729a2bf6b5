"""Grid and Activation: the definition of a grid, checked against plain enumeration."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beatgrid.grid import Activation, Grid

grids = st.builds(Grid, st.floats(20.0, 400.0), st.floats(-500.0, 500.0), st.integers(1, 12))
durations = st.floats(0.0, 600.0)


def test_beats_are_offset_plus_multiples_of_the_period_before_it_too():
    grid = Grid(120.0, 1.1, 3)
    np.testing.assert_allclose(grid.beat_times(2.5), [0.1, 0.6, 1.1, 1.6, 2.1])
    assert grid.beat_indices(2.5).tolist() == [-2, -1, 0, 1, 2]
    assert grid.bar_positions(2.5).tolist() == [2, 3, 1, 2, 3]
    np.testing.assert_allclose(grid.downbeat_times(2.5), [1.1])
    assert (grid.first_beat_s, grid.first_downbeat_s) == pytest.approx((0.1, 1.1))


def test_the_range_includes_0_and_excludes_the_end():
    assert Grid(60.0, 2.0).beat_times(3.0).tolist() == [0.0, 1.0, 2.0]
    assert Grid(60.0, 0.5).beat_times(0.5).tolist() == []


@settings(deadline=None)
@given(grids, durations)
def test_beats_are_all_that_lie_inside_and_no_others(grid, duration_s):
    times_s = grid.beat_times(duration_s)
    slack_s = 1e-9  # of rounding at the ends
    assert np.all(times_s >= -slack_s)
    assert np.all(times_s < duration_s + slack_s)
    assert np.allclose(np.diff(times_s), grid.period_s)
    if len(times_s):
        assert times_s[0] - grid.period_s < slack_s
        assert times_s[-1] + grid.period_s > duration_s - slack_s
    else:
        assert duration_s <= grid.period_s + slack_s


@settings(deadline=None)
@given(grids, durations)
def test_every_beats_per_bar_th_beat_is_a_downbeat(grid, duration_s):
    downbeats = grid.beat_indices(duration_s)[grid.bar_positions(duration_s) == 1]
    assert np.all(downbeats % grid.beats_per_bar == 0)
    assert len(grid.downbeat_times(duration_s)) == len(downbeats)
    assert np.all(np.diff(downbeats) == grid.beats_per_bar)


@settings(deadline=None)
@given(grids)
def test_first_beat_and_downbeat_are_the_first_of_the_track(grid):
    bar_s = grid.period_s * grid.beats_per_bar
    assert 0 <= grid.first_beat_s < grid.period_s + 1e-9
    assert 0 <= grid.first_downbeat_s < bar_s + 1e-9
    for first_s, period_s in (
        (grid.first_beat_s, grid.period_s),
        (grid.first_downbeat_s, bar_s),
    ):
        periods = (first_s - grid.offset_s) / period_s
        if first_s > 0:
            assert periods == pytest.approx(round(periods), abs=1e-6)
        else:  # it lies at most 10 ms before the track
            assert 0 <= (periods - np.floor(periods)) * period_s <= 0.010 + 1e-9


@pytest.mark.parametrize(
    ("offset_s", "first_s"),
    [(-0.009, 0.0), (-0.011, 0.489), (0.0, 0.0), (0.02, 0.02), (1.994, 0.0)],
)
def test_a_beat_up_to_10_ms_before_0_is_the_beat_at_0(offset_s, first_s):
    grid = Grid(120.0, offset_s)
    assert grid.first_beat_s == pytest.approx(first_s)
    # Labels are as they are: what is inside the track does not change.
    assert grid.beat_times(10.0)[0] == pytest.approx(offset_s % 0.5)


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ((0.0, 0.0), "bpm"),
        ((-120.0, 0.0), "bpm"),
        ((math.nan, 0.0), "bpm"),
        ((math.inf, 0.0), "bpm"),
        ((120.0, math.nan), "offset_s"),
        ((120.0, 0.0, 0), "beats_per_bar"),
    ],
)
def test_what_is_no_grid_is_refused_by_name(arguments, culprit):
    with pytest.raises(ValueError, match=culprit):
        Grid(*arguments)


def test_frames_of_an_activation_are_at_their_index_over_the_rate():
    activation = Activation(np.zeros(862), 44100 / 512)
    assert len(activation) == 862
    assert activation.times_s[861] == pytest.approx(861 * 512 / 44100, rel=1e-15)
    assert activation.duration_s == pytest.approx(862 * 512 / 44100, rel=1e-15)
    assert Activation(np.zeros(862), 86.0, duration_s=9.5).duration_s == 9.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beat": [0.5], "frame_rate": 0.0}, "frame_rate"),
        ({"beat": [[0.5]], "frame_rate": 100.0}, "one probability per frame"),
        ({"beat": [1.5], "frame_rate": 100.0}, "did you pass logits"),
        ({"beat": [math.nan], "frame_rate": 100.0}, "probabilities"),
        ({"beat": [0.5], "frame_rate": 100.0, "downbeat": [0.1, 0.2]}, "downbeat has 2 frames"),
        ({"beat": [0.5], "frame_rate": 100.0, "onset": np.zeros((3, 2))}, "onset has 3 frames"),
    ],
)
def test_what_is_no_activation_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        Activation(**arguments)
