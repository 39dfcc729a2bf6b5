"""Beats that leave a line, and what they gain."""

import numpy as np
import pytest

from beatgrid.calibration.synthetic import DEFAULT_FRAME_RATE, noisy_activation, pulses
from beatgrid.grid import Activation, Grid
from beatgrid.search.evidence import evidence_from
from beatgrid.search.follow import COARSE_STEP_S, best_shifts, follow, wanders
from beatgrid.search.least_squares import find_peaks
from beatgrid.search.line import Line

DURATION_S = 60.0


def evidence_of(activation):
    return evidence_from(
        activation,
        miss_probability=0.1,
        max_log_odds=5.0,
        smoothing_s=0.01,
        search_window=None,
    )


def wandering(depth_s):
    """Beats at 120 BPM that swing around their grid."""
    beats_s = np.arange(0.25, DURATION_S, 0.5)
    beats_s = beats_s + depth_s * np.sin(beats_s)
    n_frames = int(DURATION_S * DEFAULT_FRAME_RATE)
    beat = pulses(beats_s, np.full(len(beats_s), 0.9), n_frames, DEFAULT_FRAME_RATE)
    return Activation(np.maximum(beat, 0.01), DEFAULT_FRAME_RATE), beats_s


@pytest.mark.parametrize("depth_s", [0.0, 0.01, 0.02, 0.03, 0.05])
@pytest.mark.parametrize("gain", [0.02, 0.16, 0.5])
def test_the_bound_decides_as_the_path_does(depth_s, gain):
    evidence = evidence_of(wandering(depth_s)[0])
    line = Line.through(0.25, 0.5, 0.0, DURATION_S)
    weight = evidence.weight_at(line.times_s)
    on_line, followed = (
        float((evidence(times_s) * weight).sum())
        for times_s in (line.times_s, best_shifts(evidence, line.times_s, COARSE_STEP_S))
    )
    assert wanders(evidence, line, gain) == (followed > (1 + gain) * on_line)


def test_constant_tracks_do_not_wander():
    activation = noisy_activation(Grid(120.0, 0.25), DURATION_S, np.random.default_rng(1))
    line = Line.through(0.25, 0.5, 0.0, DURATION_S)
    assert not wanders(evidence_of(activation), line, 0.16)
    assert wanders(evidence_of(wandering(0.05)[0]), line, 0.16)


@pytest.mark.parametrize("chunk_beats", [1, 7, 10_000])
def test_chunks_change_nothing(chunk_beats, monkeypatch):
    activation, beats_s = wandering(0.05)
    evidence, grid_s = evidence_of(activation), np.arange(0.25, DURATION_S, 0.5)
    expected_s = best_shifts(evidence, grid_s)
    np.testing.assert_allclose(expected_s, beats_s, atol=0.020)  # a frame is 11.6 ms
    monkeypatch.setattr("beatgrid.search.follow.CHUNK_BEATS", chunk_beats)
    np.testing.assert_array_equal(best_shifts(evidence, grid_s), expected_s)


def test_a_ramp_is_followed_to_the_ends_of_its_constant_guide():
    """Tempo up by 5 %: the constant guide is off by up to a ninth of a second."""
    k = np.arange(120)
    period_s = 0.5 / np.linspace(1, 1.05, len(k))
    beats_s = 0.25 + np.concatenate(([0.0], np.cumsum(period_s[:-1])))
    n_frames = int(DURATION_S * DEFAULT_FRAME_RATE)
    beat = pulses(beats_s, np.full(len(beats_s), 0.6), n_frames, DEFAULT_FRAME_RATE)
    activation = Activation(np.maximum(beat, 0.03), DEFAULT_FRAME_RATE)
    guide_s = np.polyval(np.polyfit(k, beats_s, 1), k)
    assert np.abs(guide_s - beats_s).max() > 0.100
    followed_s = follow(evidence_of(activation), find_peaks(activation, 0.01), guide_s)
    np.testing.assert_allclose(followed_s, beats_s, atol=0.004)
