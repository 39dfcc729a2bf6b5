"""Tracks that leave their grid, and tracks that only seem to."""

import numpy as np
import pytest

from beatgrid.calibration.synthetic import DEFAULT_FRAME_RATE, noisy_activation, pulses
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridSearch

DURATION_S = 120.0


def activation_of(beats_s, seed):
    """Imperfect peaks at given beats."""
    rng = np.random.default_rng(seed)
    kept = beats_s[rng.random(len(beats_s)) > 0.1]
    times_s = kept + rng.normal(0, 0.004, len(kept))
    heights = rng.uniform(0.5, 1, len(kept))
    n_frames = int(DURATION_S * DEFAULT_FRAME_RATE)
    beat = pulses(times_s, heights, n_frames, DEFAULT_FRAME_RATE)
    return Activation(np.maximum(beat, rng.uniform(0, 0.05, n_frames)), DEFAULT_FRAME_RATE)


def spliced(bpm_before, bpm_after, gap_beats=1.0):
    """Beats of one tempo up to the middle, then of another."""
    before_s = np.arange(0.2, DURATION_S / 2, 60 / bpm_before)
    start_s = before_s[-1] + gap_beats * 60 / bpm_before
    return np.concatenate((before_s, np.arange(start_s, DURATION_S, 60 / bpm_after)))


@pytest.mark.parametrize(
    ("bpm_before", "bpm_after", "gap_beats"),
    [(120, 126, 1.0), (128, 150, 1.0), (140, 140.5, 1.0), (125, 125, 4 / 3), (125, 125, 3 / 4)],
)
def test_splices_are_found(bpm_before, bpm_after, gap_beats):
    estimate = GridSearch()(activation_of(spliced(bpm_before, bpm_after, gap_beats), 1))
    assert not estimate.constant_tempo
    assert [s.bpm for s in estimate.segments] == pytest.approx([bpm_before, bpm_after], abs=0.05)
    assert estimate.segments[0].end_s == pytest.approx(DURATION_S / 2, abs=2.0)
    assert estimate.segments[0].offset_s == pytest.approx(0.2, abs=0.005)
    assert estimate.segments[0].start_s == 0
    assert estimate.segments[1].end_s == pytest.approx(DURATION_S, abs=0.02)
    assert estimate.max_drift_ms > 40
    assert estimate.confidence < 0.5
    assert estimate.grid is not None


def test_ramp_is_followed():
    """110 to 125 BPM: too steep for any constant grid, clear in every part."""
    t = np.linspace(0, DURATION_S, 120_001)
    beats = np.concatenate(([0], np.cumsum((110 + 15 * t[1:] / DURATION_S) / 60 * np.diff(t))))
    estimate = GridSearch()(activation_of(np.interp(np.arange(int(beats[-1])), beats, t), 2))
    assert not estimate.constant_tempo
    assert estimate.confidence < 0.2
    for segment in estimate.segments:
        middle_s = (segment.start_s + segment.end_s) / 2
        assert segment.bpm == pytest.approx(110 + 15 * middle_s / DURATION_S, abs=0.5)


def test_segments_cover_the_track_without_gaps():
    estimate = GridSearch()(activation_of(spliced(120, 126), 3))
    ends_s = [s.end_s for s in estimate.segments]
    assert [s.start_s for s in estimate.segments] == [0.0, *ends_s[:-1]]
    assert all(s.start_s <= s.offset_s < s.start_s + 60 / s.bpm for s in estimate.segments)


def test_off_beat_passage_is_no_break():
    truth = Grid(124.0, 0.1)
    beats_s = truth.beat_times(DURATION_S)
    passage = (beats_s > 50) & (beats_s < 80)
    estimate = GridSearch()(activation_of(beats_s + passage * truth.period_s / 2, 4))
    assert estimate.constant_tempo
    assert estimate.bpm == 124.0


def test_constant_tracks_stay_whole():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = Grid(rng.uniform(70, 200), 0.3)
        estimate = GridSearch()(noisy_activation(truth, DURATION_S, rng))
        assert estimate.constant_tempo
        assert estimate.max_drift_ms < 15
