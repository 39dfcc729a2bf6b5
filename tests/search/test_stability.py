"""Tracks that leave their grid, and tracks that only seem to."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from beatgrid.calibration.synthetic import DEFAULT_FRAME_RATE, noisy_activation, pulses
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridSearch
from beatgrid.search.evidence import evidence_from
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.line import Line
from beatgrid.search.stability import tempo_stability

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


@pytest.mark.parametrize("seed", [1, 2])
def test_free_introductions_leave_the_tempo_constant(seed):
    """Notes in free time, marked as beats are, which a grid of their own fits here and there."""
    rng = np.random.default_rng([30, seed])
    truth = Grid(rng.uniform(80, 170), 0.3)
    intervals_s = truth.period_s * rng.uniform(0.9, 1.4) * (1 + 0.15 * rng.normal(0, 1, 150))
    free_s = np.cumsum(np.maximum(intervals_s, 0.15))
    beats_s = truth.beat_times(DURATION_S)
    times_s = np.concatenate((free_s[free_s < 40], beats_s[beats_s > 40]))
    estimate = GridSearch()(activation_of(times_s, seed))
    assert estimate.constant_tempo
    assert estimate.bpm == pytest.approx(truth.bpm, abs=0.02)


def test_constant_tracks_stay_whole():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = Grid(rng.uniform(70, 200), 0.3)
        estimate = GridSearch()(noisy_activation(truth, DURATION_S, rng))
        assert estimate.constant_tempo
        assert estimate.max_drift_ms < 15


def four_on_the_floor(beats_s, seed, n_frames):
    """Kicks on the beats, open hats between them, bars of four: all three channels."""
    rng = np.random.default_rng(seed)

    def channel(times_s, height, floor=0.02):
        bumps = pulses(times_s, np.full(len(times_s), height), n_frames, DEFAULT_FRAME_RATE)
        return np.maximum(bumps, rng.uniform(0, floor, n_frames))

    between_s = 0.5 * (beats_s[:-1] + beats_s[1:])
    low, high = channel(beats_s, 1.0), channel(between_s, 1.0)
    return Activation(
        np.maximum(channel(beats_s, 0.9), channel(between_s, 0.25)),
        DEFAULT_FRAME_RATE,
        downbeat=channel(beats_s[::4], 0.8),
        onset=np.stack((low, 0.5 * (low + high), 0.5 * (low + high), high), axis=1),
    )


@pytest.mark.parametrize("jump_beats", [0.5, 0.46, 0.54, 1.5, 2.5])
def test_edits_by_half_a_beat_are_found(jump_beats):
    period_s = 60 / 126
    before_s = np.arange(0.2, 60.0, period_s)
    behind_s = np.arange(before_s[-1] + (1 + jump_beats) * period_s, 119.0, period_s)
    beats_s = np.concatenate((before_s, behind_s))
    estimate = GridSearch()(four_on_the_floor(beats_s, 7, int(DURATION_S * DEFAULT_FRAME_RATE)))
    assert [s.bpm for s in estimate.segments] == pytest.approx([126.0, 126.0], abs=0.03)
    assert estimate.segments[1].start_s == pytest.approx(before_s[-1], abs=2.0)
    assert estimate.max_drift_ms == pytest.approx(1000 * 0.5 * period_s, abs=25)
    assert estimate.confidence < 0.5
    found_s = estimate.beats_in(DURATION_S).times_s
    distance_s = np.abs(found_s[:, None] - beats_s).min(axis=0)
    assert np.mean(distance_s < 0.02) > 0.96


def test_an_off_beat_passage_over_an_unbroken_grid_is_no_edit():
    """For 30 s the kick pauses and the hats are louder than the beat; then all is as before."""
    truth = Grid(126.0, 0.2)
    beats_s = truth.beat_times(DURATION_S)
    full = four_on_the_floor(beats_s, 8, int(DURATION_S * DEFAULT_FRAME_RATE))
    passage = (full.times_s > 50) & (full.times_s < 80)
    shift = round(truth.period_s / 2 * DEFAULT_FRAME_RATE)
    beat, onset = full.beat.copy(), full.onset.copy()
    beat[passage] = np.roll(full.beat, shift)[passage]
    onset[passage, 0] *= 0.02
    estimate = GridSearch()(
        Activation(beat, DEFAULT_FRAME_RATE, downbeat=full.downbeat, onset=onset)
    )
    assert estimate.constant_tempo
    assert estimate.bpm == 126.0


def test_segments_lie_on_the_beat_where_the_off_beat_is_as_likely():
    """Behind the change of tempo the network favours the hats, kick and bars stay on the beat."""
    beats_s = spliced(120, 126)
    made = four_on_the_floor(beats_s, 7, int(DURATION_S * DEFAULT_FRAME_RATE))
    between_s = 0.5 * (beats_s[:-1] + beats_s[1:])
    later_s = between_s[between_s > DURATION_S / 2]
    hats = pulses(later_s, np.full(len(later_s), 0.95), len(made), DEFAULT_FRAME_RATE)
    found = GridSearch()(replace(made, beat=np.maximum(made.beat, hats)))
    assert len(found.segments) == 2
    found_s = found.beats_in(DURATION_S).times_s
    apart_s = np.abs(beats_s[:, None] - found_s).min(axis=1)
    assert np.mean(apart_s < 0.010) > 0.97


def test_wandering_tempo_is_followed_beat_by_beat():
    """1 % up and down in 16 s: too fast for segments of bars, up to 25 ms from any one grid."""
    t = np.linspace(0, DURATION_S, 120_001)
    bpm = 120 * (1 + 0.01 * np.sin(2 * np.pi * t / 16))
    count = np.concatenate(([0], np.cumsum(bpm[1:] / 60 * np.diff(t))))
    beats_s = np.interp(np.arange(int(count[-1])), count, t)
    estimate = GridSearch()(activation_of(beats_s, 9))
    assert not estimate.constant_tempo
    found = estimate.beats_in(DURATION_S)
    error_s = np.abs(found.times_s[:, None] - beats_s).min(axis=0)
    assert np.median(error_s) < 0.004
    assert np.mean(error_s < 0.02) > 0.97
    constant_s = estimate.grid.beat_times(DURATION_S)
    assert np.median(np.abs(constant_s[:, None] - beats_s).min(axis=0)) > 0.010


def test_a_wandering_segment_behind_an_edit_is_followed():
    """120 BPM; a third of a beat repeated at 60 s, then 1 % up and down in 40 s."""
    before_s = np.arange(0.2, DURATION_S / 2, 0.5)
    t = np.arange(0, DURATION_S / 2, 0.001)
    count = np.cumsum(2 * (1 + 0.01 * np.sin(2 * np.pi * t / 40)) * 0.001)
    behind_s = before_s[-1] + 4 / 3 * 0.5 + np.interp(np.arange(int(count[-1])), count, t)
    beats_s = np.concatenate((before_s, behind_s))
    estimate = GridSearch()(activation_of(beats_s, 14))
    found_s = estimate.beats_in(DURATION_S).times_s
    error_s = np.abs(found_s[:, None] - beats_s).min(axis=0)
    assert np.mean(error_s < 0.02) > 0.96


@pytest.mark.parametrize("gap_beats", [1.0, 4 / 3, 3 / 4])
def test_beats_follow_the_segments_without_gap_or_repetition(gap_beats):
    beats_s = spliced(120, 126, gap_beats)
    search = GridSearch()
    estimate = search(activation_of(beats_s, 10))
    found = estimate.beats_in(DURATION_S)
    error_s = np.abs(found.times_s[:, None] - beats_s).min(axis=0)
    assert np.mean(error_s < 0.02) > 0.98
    assert abs(len(found.times_s) - len(beats_s)) <= 1
    gaps = np.diff(found.times_s) / 0.5
    assert gaps.min() > 0.4
    assert gaps.max() < 1.6
    assert set(found.segment) == {0, 1}
    assert found.certain.mean() > 0.95
    inside = [found.times_s[found.segment == i] for i in (0, 1)]
    assert inside[0].max() < inside[1].min()


def test_one_grid_stays_available():
    activation = activation_of(spliced(120, 126), 11)
    estimate = GridSearch(piecewise=False)(activation)
    assert not estimate.constant_tempo
    assert estimate.beats is None
    found = estimate.beats_in(DURATION_S)
    assert np.diff(found.times_s) == pytest.approx(estimate.grid.period_s)
    assert set(found.segment) == {0, 1}


@pytest.mark.parametrize(("bpm_behind", "gap_beats", "first_bar"), [(126, 1.0, 0), (120, 2.37, 2)])
def test_bars_are_counted_through_a_change_and_anew_behind_an_edit(
    bpm_behind, gap_beats, first_bar
):
    beats_s = spliced(120, bpm_behind, gap_beats)
    n_before = len(np.arange(0.2, DURATION_S / 2, 60 / 120))
    position = np.arange(len(beats_s)) % 4
    if first_bar:
        position[n_before:] = (np.arange(len(beats_s) - n_before) - first_bar) % 4
    downbeats_s = beats_s[position == 0]
    n_frames = int(DURATION_S * DEFAULT_FRAME_RATE)
    downbeat = pulses(downbeats_s, np.full(len(downbeats_s), 0.9), n_frames, DEFAULT_FRAME_RATE)
    beat = activation_of(beats_s, 12).beat
    estimate = GridSearch()(Activation(beat, DEFAULT_FRAME_RATE, downbeat=downbeat))
    found_s = estimate.beats_in(DURATION_S).downbeat_times_s
    error_s = np.abs(found_s[:, None] - downbeats_s).min(axis=0)
    assert np.mean(error_s < 0.03) > 0.95
    assert abs(len(found_s) - len(downbeats_s)) <= 1


def test_a_slowing_end_is_said_and_the_body_stays_steady():
    period_s = 0.5
    slowing_s = period_s * (1 + 0.8 * (np.arange(1, 13) / 12) ** 2)
    steady_s = np.arange(0.2, 90.0, period_s)
    beats_s = np.concatenate((steady_s, steady_s[-1] + np.cumsum(slowing_s)))
    estimate = GridSearch()(four_on_the_floor(beats_s, 13, int(100 * DEFAULT_FRAME_RATE)))
    assert estimate.bpm == 120.0
    body, end = estimate.segments
    assert body.bpm == pytest.approx(120.0, abs=0.01)
    assert end.start_s == pytest.approx(90.0, abs=3.0)
    assert 70 < end.bpm < 110
    assert estimate.max_drift_ms > 100
    found_s = estimate.beats_in(100.0).times_s
    assert np.mean(np.abs(found_s[:, None] - beats_s).min(axis=0) < 0.03) > 0.96


def test_memory_of_long_tracks():
    """Hours of sets and broadcasts: no array of beats times phases for the whole track."""
    grid, n_copies = Grid(120.0, 0.25), 60
    minute = noisy_activation(grid, 60.0, np.random.default_rng(1))
    beat = np.tile(minute.beat, n_copies)
    activation = Activation(beat, minute.frame_rate, onset=np.tile(beat[:, None], (1, 4)))
    evidence = evidence_from(
        activation,
        miss_probability=0.1,
        max_log_odds=5.0,
        smoothing_s=0.01,
        search_window=None,
    )
    extractor = FeatureExtractor(evidence, activation, miss_probability=0.1, max_log_odds=5.0)
    line = Line.through(0.25, len(minute) / minute.frame_rate / 120, 0.0, evidence.duration_s)
    tracemalloc.start()
    try:
        stability = tempo_stability(extractor, line, harmonics=12, oversampling=8)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(stability.segments) == 1
    assert peak_bytes < 12e6
