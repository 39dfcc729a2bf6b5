"""Grids are moved to the attacks of their beats, where most beats have one."""

from dataclasses import replace

import numpy as np
import pytest

from beatgrid.calibration.synthetic import DEFAULT_FRAME_RATE, pulse_activation, pulses
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridSearch

DURATION_S = 60.0
TRUTH = Grid(128.0, 0.2)
EARLY_S = 0.008


def early(offset_s=TRUTH.offset_s, attacks_s=None):
    """An activation whose peaks come before the attacks."""
    activation = pulse_activation(TRUTH.bpm, offset_s - EARLY_S, DURATION_S)
    return replace(activation, attacks_s=attacks_s)


def test_beats_are_where_the_attacks_are():
    rng = np.random.default_rng(0)
    beats_s = TRUTH.beat_times(DURATION_S)
    attacks_s = beats_s + rng.normal(0, 0.001, len(beats_s))
    plain, moved = (GridSearch()(early(attacks_s=a)) for a in (None, attacks_s))
    assert plain.offset_s == pytest.approx(TRUTH.offset_s - EARLY_S, abs=2e-4)
    assert plain.attack_delay_ms is None
    assert moved.attack_delay_ms == pytest.approx(1000 * EARLY_S, abs=0.4)
    delay_s = moved.attack_delay_ms / 1000
    for name in ("offset_s", "offset_raw_s"):
        assert getattr(moved, name) - getattr(plain, name) == pytest.approx(delay_s, abs=1e-4)
    assert moved.segments[0].offset_s - plain.segments[0].offset_s == pytest.approx(
        delay_s, abs=1e-4
    )
    assert moved.alternatives[0].offset_s - plain.alternatives[0].offset_s == pytest.approx(delay_s)
    # A line through 128 times with a standard deviation of 1 ms, at its end, and their median.
    assert moved.offset_std_ms == pytest.approx(np.sqrt((4 + np.pi / 2) / 128), rel=0.3)
    assert moved.bpm == plain.bpm


def test_a_third_of_the_beats_does_not_move_the_grid():
    beats_s = TRUTH.beat_times(DURATION_S)
    plain, other = (GridSearch()(early(attacks_s=a)) for a in (None, beats_s[::3]))
    assert other.offset_s == plain.offset_s
    assert other.offset_raw_s == plain.offset_raw_s
    assert other.attack_delay_ms is None


def test_attacks_between_the_beats_do_not_count():
    beats_s = TRUTH.beat_times(DURATION_S)
    between_s = beats_s[:-1] + TRUTH.period_s * np.random.default_rng(1).uniform(
        0.25, 0.75, len(beats_s) - 1
    )
    attacks_s = np.sort(np.concatenate((beats_s, between_s)))
    assert GridSearch()(early(attacks_s=attacks_s)).offset_s == pytest.approx(0.2, abs=3e-4)
    assert GridSearch()(early(attacks_s=between_s)).attack_delay_ms is None


def test_beat_one_at_the_start_of_a_file_is_kept():
    """Its peak lies further before 0 than a beat may that counts as the beat at 0."""
    activation = replace(
        pulse_activation(TRUTH.bpm, TRUTH.period_s - 0.013, DURATION_S),
        attacks_s=Grid(TRUTH.bpm, 0.0).beat_times(DURATION_S)[1:],
    )
    estimate = GridSearch()(activation)
    assert estimate.offset_s == pytest.approx(0.0, abs=3e-4)
    assert estimate.beats_in(DURATION_S).times_s[1] == pytest.approx(TRUTH.period_s, abs=3e-4)


def test_segments_and_their_beats_move_alike():
    before_s = np.arange(0.2, 60.0, 60 / 120)
    beats_s = np.concatenate((before_s, np.arange(before_s[-1] + 60 / 126, 119.5, 60 / 126)))
    n_frames = int(120 * DEFAULT_FRAME_RATE)
    beat = pulses(beats_s - EARLY_S, np.full(len(beats_s), 0.9), n_frames, DEFAULT_FRAME_RATE)
    activation = Activation(np.maximum(beat, 0.02), DEFAULT_FRAME_RATE)
    plain = GridSearch()(activation)
    moved = GridSearch()(replace(activation, attacks_s=beats_s))
    assert len(moved.segments) == len(plain.segments) == 2
    assert moved.segments[0].start_s == 0
    assert moved.segments[0].end_s == moved.segments[1].start_s
    assert moved.segments[1].end_s == plain.segments[1].end_s
    assert moved.segments[1].offset_s - plain.segments[1].offset_s == pytest.approx(
        EARLY_S, abs=5e-4
    )
    found_s, plain_s = (e.beats_in(120.0).times_s for e in (moved, plain))
    np.testing.assert_allclose(found_s - plain_s, EARLY_S, atol=5e-4)
    np.testing.assert_array_equal(
        moved.beats_in(120.0).bar_position, plain.beats_in(120.0).bar_position
    )


def test_the_tempo_is_that_of_the_attacks_too():
    """The activation's peaks drift by 16 ms against the attacks, which have the true tempo."""
    beats_s = TRUTH.beat_times(DURATION_S)
    drifting_s = beats_s - EARLY_S + 0.016 * (beats_s / DURATION_S - 0.5)
    n_frames = int(DURATION_S * DEFAULT_FRAME_RATE)
    beat = pulses(drifting_s, np.full(len(beats_s), 0.9), n_frames, DEFAULT_FRAME_RATE)
    activation = Activation(np.maximum(beat, 0.02), DEFAULT_FRAME_RATE)
    assert abs(GridSearch()(activation).bpm_raw - TRUTH.bpm) > 0.03
    moved = GridSearch()(replace(activation, attacks_s=beats_s))
    assert moved.bpm_raw == pytest.approx(TRUTH.bpm, abs=1e-4)
    assert moved.offset_raw_s == pytest.approx(TRUTH.offset_s, abs=1e-4)
