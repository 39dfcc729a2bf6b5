"""The search held near a given grid: exact within its bounds, and never outside."""

from dataclasses import replace

import numpy as np
import pytest

from beatgrid.calibration.synthetic import pulse_activation
from beatgrid.grid import Activation, Grid
from beatgrid.search import NoGridError
from beatgrid.search.held import held_search
from tests.review.activations import FRAME_RATE, activation_of

TRUTH = Grid(128.0, 0.35)
DURATION_S = 120.0
ACTIVATION = activation_of(TRUTH, DURATION_S, missing=0.15)


def error_s(grid: Grid) -> float:
    beats_s = TRUTH.beat_times(DURATION_S)
    k = np.round((beats_s - grid.offset_s) / grid.period_s)
    return float(np.abs(grid.offset_s + k * grid.period_s - beats_s).max())


@pytest.mark.parametrize("at_s", [0.0, 60.0, 119.0])
@pytest.mark.parametrize(
    ("share", "shift_s"), [(-0.0045, 0.035), (-0.001, -0.035), (0.0, 0.0), (0.0045, -0.035)]
)
def test_what_lies_within_the_bounds_is_found(at_s, share, shift_s):
    period_s = 60 / (128.0 * (1 + share))
    beat_s = TRUTH.offset_s + round((at_s - TRUTH.offset_s) / TRUTH.period_s) * TRUTH.period_s
    start = Grid(60 / period_s, beat_s + shift_s)
    found = held_search(ACTIVATION, start, at_s)
    assert found.bpm == 128.0
    assert error_s(found) < 0.002


def test_the_bars_are_those_of_the_given_grid():
    start = Grid(128.1, TRUTH.offset_s + TRUTH.period_s + 0.01, 3)
    found = held_search(ACTIVATION, start, 0.8)
    assert found.beats_per_bar == 3
    assert found.offset_s == pytest.approx(TRUTH.offset_s + TRUTH.period_s, abs=0.002)


@pytest.mark.parametrize("bpm", [126.0, 130.0, 64.5, 85.0])
def test_another_tempo_is_never_taken(bpm):
    start = Grid(bpm, 0.35)
    found = held_search(ACTIVATION, start, 60.0)
    assert abs(found.bpm / bpm - 1) <= 0.005 + 1e-9
    at_s = start.offset_s + round((60.0 - 0.35) / start.period_s) * start.period_s
    distance = (at_s - found.offset_s) / found.period_s
    assert abs(distance - round(distance)) * found.period_s <= 0.040 + 1e-6


def test_an_off_beat_stays_one():
    start = Grid(128.0, TRUTH.offset_s + TRUTH.period_s / 2)
    found = held_search(ACTIVATION, start, 60.0)
    at_s = start.offset_s + round((60.0 - start.offset_s) / start.period_s) * start.period_s
    beats = (at_s - found.offset_s) / found.period_s
    assert abs(beats - round(beats)) * found.period_s <= 0.040 + 1e-6


def test_only_the_stretch_counts():
    slow, fast = Grid(100.0, 0.2), Grid(101.0, 60.1)
    one, two = activation_of(slow, DURATION_S), activation_of(fast, DURATION_S)
    n = round(60 * FRAME_RATE)
    both = Activation(np.concatenate((one.beat[:n], two.beat[n:])), FRAME_RATE, DURATION_S)
    found = held_search(both, Grid(100.9, 60.09), 90.0, start_s=60.0)
    assert found.bpm == 101.0
    assert (found.offset_s - 60.1 + 0.1) % fast.period_s == pytest.approx(0.1, abs=0.002)


def test_forty_minutes_are_exact_to_their_ends():
    truth = Grid(139.97, 0.1)
    activation = activation_of(truth, 2400.0)
    found = held_search(activation, Grid(140.3, 0.12), 5.0)
    assert found.bpm == pytest.approx(139.97, abs=2e-4)
    assert abs((found.offset_s - 0.1 + 0.2) % truth.period_s - 0.2) < 0.003


def test_a_flat_activation_has_nothing_to_hold_on_to():
    with pytest.raises(NoGridError):
        held_search(Activation(np.full(2000, 0.3), FRAME_RATE), Grid(120, 0), 1.0)


def test_beats_are_held_where_their_attacks_are():
    """As the search puts them: the activation of bare clicks is early."""
    truth = Grid(128.0, 0.2)
    activation = replace(
        pulse_activation(truth.bpm, truth.offset_s - 0.008, 60.0),
        attacks_s=truth.beat_times(60.0),
    )
    found = held_search(activation, truth, 30.0)
    assert found.bpm == truth.bpm
    assert found.first_beat_s == pytest.approx(truth.first_beat_s, abs=1e-4)
