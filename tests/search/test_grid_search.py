"""The grid search as a whole: exact on known grids, honest where there is none."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beatgrid.calibration.synthetic import (
    DEFAULT_FRAME_RATE,
    noisy_activation,
    pulse_activation,
    pulses,
)
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridEstimate, GridSearch, Ranker, prob_at_beats
from beatgrid.search.features import LEVEL_FEATURES
from beatgrid.search.ranker import packaged

few = settings(max_examples=15, deadline=None, derandomize=True)


def worst_error_ms(estimate, truth, duration_s):
    """Largest distance of a true beat from the nearest estimated one."""
    beats = (truth.beat_times(duration_s) - estimate.offset_s) / estimate.grid.period_s
    return 1000 * estimate.grid.period_s * np.abs(beats - np.round(beats)).max()


@pytest.mark.parametrize("ranker", ["generic", "none"])
@pytest.mark.parametrize("bpm", [72.0, 98.765, 128.0, 150.0, 174.3, 219.4])
def test_perfect_activation_is_found_exactly(bpm, ranker):
    truth = Grid(bpm, 0.123)
    search = GridSearch(ranker=ranker, prior_weight=0.2)
    estimate = search(pulse_activation(bpm, truth.offset_s, 180.0))
    assert estimate.bpm == pytest.approx(bpm, abs=1e-3)
    assert worst_error_ms(estimate, truth, 180.0) < 0.5
    assert estimate.offset_s == pytest.approx(truth.first_beat_s, abs=0.0005)
    assert estimate.constant_tempo
    assert len(estimate.segments) == 1


@pytest.mark.parametrize("period_frames", [30, 43])
def test_period_of_whole_frames_has_no_bias(period_frames):
    bpm = 60 * DEFAULT_FRAME_RATE / period_frames
    # The worst case for sampling: every beat at the same fraction of a frame.
    for fraction in (0.0, 0.3, 0.5):
        truth = Grid(bpm, (5 + fraction) / DEFAULT_FRAME_RATE)
        estimate = GridSearch(max_snap_drift_ms=0)(pulse_activation(bpm, truth.offset_s, 120.0))
        assert worst_error_ms(estimate, truth, 120.0) < 0.1


def test_noisy_activations_within_two_milliseconds():
    errors = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth = Grid(round(float(rng.uniform(80, 200)), 3), rng.uniform(0, 1))
        estimate = GridSearch()(noisy_activation(truth, 150.0, rng))
        errors.append(worst_error_ms(estimate, truth, 150.0))
    assert np.median(errors) < 1
    assert max(errors) < 3


def test_box_targets_are_centred():
    """A network taught with +-30 ms boxes gives flat tops: their middle is the beat."""
    truth = Grid(133.7, 0.2)
    times_s = np.arange(int(120 * DEFAULT_FRAME_RATE)) / DEFAULT_FRAME_RATE
    beats = (times_s - truth.offset_s) / truth.period_s
    box = np.abs(beats - np.round(beats)) * truth.period_s <= 0.03
    estimate = GridSearch()(Activation(np.where(box, 0.97, 0.01), DEFAULT_FRAME_RATE))
    assert worst_error_ms(estimate, truth, 120.0) < 2


@few
@given(
    shift_s=st.floats(0.0, 1.5),
    bpm=st.floats(75, 200),
    seed=st.integers(0, 1000),
)
def test_shifted_activation_shifts_the_offset(shift_s, bpm, seed):
    """Moving every peak by s seconds moves the offset by s, modulo a beat."""
    rng = np.random.default_rng(seed)
    times_s = Grid(bpm, 0.5).beat_times(70.0) + rng.normal(
        0, 0.003, len(Grid(bpm, 0.5).beat_times(70.0))
    )
    heights = rng.uniform(0.5, 1, len(times_s))
    search = GridSearch(max_snap_drift_ms=0)

    def estimate(moved_s):
        n_frames = int(72 * DEFAULT_FRAME_RATE)
        beat = np.maximum(pulses(times_s + moved_s, heights, n_frames, DEFAULT_FRAME_RATE), 0.002)
        return search(Activation(beat, DEFAULT_FRAME_RATE))

    before, after = estimate(0.0), estimate(shift_s)
    assert after.bpm == pytest.approx(before.bpm, abs=0.003)
    # A first beat shortly before 0 is reported at 0; the grid is not moved for that.
    moved = (after.grid.offset_s - before.grid.offset_s - shift_s) / before.grid.period_s
    assert abs(moved - round(moved)) * before.grid.period_s < 0.0005


@few
@given(stretch=st.floats(0.6, 1.6), seed=st.integers(0, 1000))
def test_stretched_time_scales_the_tempo(stretch, seed):
    """The same frames read at another frame rate: BPM scales, exactly."""
    rng = np.random.default_rng(seed)
    activation = noisy_activation(Grid(120.0, 0.3), 60.0, rng)
    stretched = Activation(activation.beat, activation.frame_rate / stretch)
    settings_ = {"ranker": "none", "prior_weight": 0.0, "max_snap_drift_ms": 0}
    # Everything measured in seconds scales with the frames.
    before = GridSearch(110, 130, smoothing_s=0.010, **settings_)(activation)
    after = GridSearch(110 / stretch, 130 / stretch, smoothing_s=0.010 * stretch, **settings_)(
        stretched
    )
    assert after.bpm == pytest.approx(before.bpm / stretch, rel=2e-5)


@pytest.mark.parametrize("bpm", [174.0, 127.5, 141.8, 128.03])
def test_snapping_returns_the_round_tempo_behind_a_noisy_one(bpm):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        activation = noisy_activation(Grid(bpm, 0.2), 120.0, rng, jitter_s=0.005)
        estimate = GridSearch()(activation)
        assert estimate.bpm == bpm
        assert estimate.bpm_raw != bpm
        unsnapped = GridSearch(max_snap_drift_ms=0)(activation)
        assert unsnapped.bpm == unsnapped.bpm_raw == estimate.bpm_raw


def test_snapping_gives_way_to_evidence():
    # Three minutes know 173.98 from 174, and 20 minutes 173.995.
    assert GridSearch()(pulse_activation(173.98, 0.2, 180.0)).bpm == 173.98
    long = GridSearch()(pulse_activation(173.995, 0.2, 1200.0))
    assert long.bpm == pytest.approx(173.995, abs=1e-4)


@pytest.mark.parametrize(
    ("bpm_min", "bpm_max"), [(122, 126), (123.25, 124.75), (123.9, 124.1), (124, 124), (124, 200)]
)
@pytest.mark.parametrize("duration_s", [20.0, 360.0])
def test_a_range_gives_the_grid_it_holds_however_narrow(bpm_min, bpm_max, duration_s):
    truth = Grid(124.0, 0.3)
    rng = np.random.default_rng(5)
    activation = noisy_activation(truth, duration_s, rng, jitter_s=0.002)
    estimate = GridSearch(bpm_min=bpm_min, bpm_max=bpm_max)(activation)
    assert estimate.bpm == 124.0
    assert worst_error_ms(estimate, truth, duration_s) < 3


def test_a_range_without_the_tempo_gives_none():
    activation = noisy_activation(Grid(124.0, 0.3), 60.0, np.random.default_rng(5))
    estimate = GridSearch(bpm_min=113, bpm_max=114)(activation)
    assert estimate.reason == "no tempo stands out"


@pytest.mark.parametrize("bpm", [124.0, 124.03, 123.98])
def test_a_known_tempo_is_kept_and_its_beat_found(bpm):
    """The true tempo is 124: over a minute the known one drifts by up to 15 ms."""
    truth = Grid(124.0, 0.3)
    activation = noisy_activation(truth, 60.0, np.random.default_rng(6), jitter_s=0.002)
    estimate = GridSearch(bpm=bpm)(activation)
    assert estimate.bpm == estimate.bpm_raw == bpm
    assert estimate.bpm_std == 0.0
    drift_ms = 1000 * 60.0 * abs(bpm - 124.0) / 124.0
    # The error is shared by both ends: the phase is that of the middle.
    assert worst_error_ms(estimate, truth, 60.0) < drift_ms / 2 + 3


@pytest.mark.parametrize("offset_s", [-0.006, -0.001, 0.0, 0.004])
def test_beat_one_at_the_beginning_of_the_file_is_kept(offset_s):
    truth = Grid(128.0, offset_s)
    estimate = GridSearch()(pulse_activation(128.0, offset_s, 60.0, beats_per_bar=4))
    first_s = max(0.0, offset_s)
    assert estimate.offset_s == pytest.approx(first_s, abs=0.001)
    assert estimate.grid.first_beat_s == pytest.approx(first_s, abs=0.001)
    assert estimate.grid.first_downbeat_s == pytest.approx(first_s, abs=0.001)
    assert estimate.segments[0].offset_s == pytest.approx(first_s, abs=0.001)
    assert min(a.offset_s for a in estimate.alternatives) == pytest.approx(first_s, abs=0.003)
    # The grid itself is not moved.
    assert worst_error_ms(estimate, truth, 60.0) < 7 if offset_s < 0 else 1


def test_a_beat_well_before_the_file_is_not_in_it():
    estimate = GridSearch()(pulse_activation(120.0, -0.015, 60.0))
    assert estimate.offset_s == pytest.approx(0.485, abs=0.001)


def test_loops_of_four_seconds_have_a_grid():
    estimate = GridSearch()(pulse_activation(120.0, 0.1, 4.0))
    assert estimate.bpm == pytest.approx(120.0, abs=0.5)
    assert estimate.offset_s == pytest.approx(0.1, abs=0.01)


def test_downbeat_channel_places_the_bars():
    for beats_per_bar in (4, 3):
        truth = Grid(126.5, 1.234, beats_per_bar)
        activation = pulse_activation(126.5, 1.234, 90.0, beats_per_bar=beats_per_bar)
        estimate = GridSearch()(activation)
        assert estimate.downbeat_known
        assert estimate.beats_per_bar == beats_per_bar
        assert estimate.offset_s == pytest.approx(truth.first_downbeat_s, abs=0.001)
        assert estimate.downbeat_confidence > 0.9


def test_without_downbeats_the_offset_is_the_first_beat():
    estimate = GridSearch()(pulse_activation(100.0, 1.3, 60.0))
    assert not estimate.downbeat_known
    assert estimate.downbeat_confidence is None
    assert estimate.offset_s == pytest.approx(0.1, abs=0.001)


def test_nothing_outside_the_search_window_counts():
    first, second = pulse_activation(120.0, 0.1, 60.0), pulse_activation(131.0, 0.1, 60.0)
    both = Activation(np.concatenate((first.beat, second.beat)), DEFAULT_FRAME_RATE)
    assert GridSearch(search_window=(0, 58))(both).bpm == 120.0
    assert GridSearch(search_window=(62, 120))(both).bpm == 131.0


def test_a_long_silent_intro_does_not_vote():
    music = pulse_activation(172.0, 0.1, 40.0)
    silence = np.full(int(100 * DEFAULT_FRAME_RATE), 0.001)
    activation = Activation(np.concatenate((silence, music.beat, silence)), DEFAULT_FRAME_RATE)
    estimate = GridSearch()(activation)
    assert estimate.bpm == 172.0
    assert estimate.constant_tempo


def noise(rng, n):
    return rng.random(n)


def speech(rng, n):
    """Syllables at irregular distances around 200 ms, with pauses."""
    gaps_s = np.where(rng.random(n // 10) < 0.93, rng.gamma(6, 0.033, n // 10), 0.8)
    times_s = np.cumsum(gaps_s)
    return pulses(times_s, rng.uniform(0.1, 0.9, len(times_s)), n, DEFAULT_FRAME_RATE, 0.015)


@pytest.mark.parametrize(
    "beat",
    [
        np.zeros(0),
        np.zeros(1),
        np.ones(2),
        np.zeros(9000),
        np.ones(9000),
        np.full(9000, 0.3),
        np.eye(1, 9000, 500)[0],
        pulse_activation(150.0, 0.1, 3.0).beat,
        *(noise(np.random.default_rng(seed), 9000) for seed in range(5)),
        *(speech(np.random.default_rng(seed), 9000) for seed in range(5)),
    ],
)
@pytest.mark.parametrize("ranker", ["auto", "none", "flux"])
def test_no_grid_where_there_is_none(beat, ranker):
    estimate = GridSearch(ranker=ranker)(Activation(beat, DEFAULT_FRAME_RATE))
    assert estimate.bpm is None
    assert estimate.grid is None
    assert estimate.confidence == 0
    assert estimate.reason


@pytest.mark.parametrize(
    ("strength", "height", "found"),
    [
        (0.05, 0.9, False),  # tones and tremolo: no sound begins
        (0.25, 0.08, False),  # brown noise: few onsets, faint beats
        (0.25, 0.6, True),  # soft music
        (2.0, 0.08, True),  # faint beats, but drums
    ],
)
def test_no_grid_where_nothing_begins(strength, height, found):
    clean = pulse_activation(120.0, 0.2, 60.0, height=height)
    rng = np.random.default_rng(0)
    onset = strength * (clean.beat / height)[:, None] * rng.uniform(0.9, 1, (len(clean), 4))
    estimate = GridSearch()(Activation(clean.beat, clean.frame_rate, onset=onset))
    assert (estimate.grid is not None) is found
    if not found:
        assert estimate.reason == "nothing begins clearly enough to be a beat"


@pytest.mark.parametrize(
    ("between", "settings", "bpm"),
    [(0.0, {}, 75.0), (0.1, {}, 150.0), (0.0, {"bpm_min": 130}, 150.0)],
)
def test_beats_between_the_sounds_of_a_metronome_are_imagined(between, settings, bpm):
    marked = pulse_activation(150.0, 0.1, 45.0)
    sounding = pulse_activation(75.0, 0.1, 45.0).beat
    onset = np.maximum(sounding, between * marked.beat)[:, None] * np.ones(4)
    estimate = GridSearch(**settings)(Activation(marked.beat, marked.frame_rate, onset=onset))
    assert estimate.bpm == pytest.approx(bpm, abs=1e-3)


def test_degenerate_side_channels_are_harmless():
    activation = pulse_activation(125.0, 0.2, 40.0)
    for extra in (np.zeros(len(activation)), np.ones(len(activation))):
        dull = replace(activation, downbeat=extra, onset=np.zeros((len(activation), 4)))
        assert GridSearch()(dull).bpm == 125.0


def test_estimate_is_plain_numbers():
    estimate = GridSearch()(pulse_activation(125.0, 0.2, 40.0, beats_per_bar=4))
    assert type(estimate.bpm) is float
    assert type(estimate.offset_s) is float
    assert all(type(a.bpm) is float and type(a.ratio) is float for a in estimate.alternatives)
    assert all(type(s.offset_s) is float for s in estimate.segments)
    assert json.dumps([estimate.bpm_std, estimate.score, estimate.confidence])


def test_rivals_are_reported_best_first():
    rng = np.random.default_rng(0)
    estimate = GridSearch()(noisy_activation(Grid(140.0, 0.1), 100.0, rng))
    probabilities = [a.probability for a in estimate.alternatives]
    assert probabilities == sorted(probabilities, reverse=True)
    # One of them is right, or the chosen one, or an off-beat.
    assert estimate.confidence + sum(probabilities) <= 1.0
    assert any(a.ratio == pytest.approx(0.5, abs=1e-3) for a in estimate.alternatives)
    assert all(0 <= a.offset_s < 60 / a.bpm for a in estimate.alternatives)


def test_what_the_confidence_leaves_is_shared_among_the_rivals():
    activation = noisy_activation(Grid(75.0, 0.1), 60.0, np.random.default_rng(5), offbeat=0.5)
    unsure = packaged("generic").to_dict()
    unsure["confidence"]["bias"] = -50.0
    plain = GridSearch(n_alternatives=50)(activation)
    lost = GridSearch(n_alternatives=50)(activation, unsure)
    assert plain.confidence > 0.05
    for one, other in zip(plain.alternatives, lost.alternatives, strict=True):
        assert one.probability == pytest.approx((1 - plain.confidence) * other.probability)
    assert 0.1 < sum(a.probability for a in lost.alternatives) <= 1.0  # the rest: off-beats


def test_ranker_settles_what_likelihood_cannot():
    """Half of the off-beats sound as well: likelihood and prior double the slow tempo."""
    rng = np.random.default_rng(5)
    activation = noisy_activation(Grid(75.0, 0.1), 120.0, rng, offbeat=0.5)
    assert GridSearch(ranker="none")(activation).bpm == pytest.approx(150, abs=0.1)
    assert GridSearch(ranker="generic")(activation).bpm == pytest.approx(75, abs=0.05)


def test_coefficients_that_come_with_the_activation_are_used_if_auto():
    activation = noisy_activation(Grid(75.0, 0.1), 60.0, np.random.default_rng(5))
    plain = packaged("generic").to_dict()
    plain["confidence"]["bias"] = -50.0
    assert GridSearch(ranker="auto")(activation, plain).confidence < 1e-6
    assert GridSearch(ranker="generic")(activation, plain).confidence > 0.5


@pytest.mark.parametrize("name", ["generic", "flux"])
def test_packaged_coefficients_survive_the_round_trip(name):
    plain = packaged(name).to_dict()
    assert Ranker.from_dict(json.loads(json.dumps(plain))).to_dict() == plain


def test_coefficients_of_another_version_are_refused():
    plain = packaged("generic").to_dict()
    with pytest.raises(ValueError, match="format 99"):
        Ranker.from_dict(plain | {"format": 99})
    other = plain | {"level": plain["level"] | {"names": ["swagger"]}}
    with pytest.raises(ValueError, match="fit them again"):
        Ranker.from_dict(other)
    bad = plain | {"level": plain["level"] | {"weights": [1.0]}}
    with pytest.raises(ValueError, match="finite ranker weights"):
        Ranker.from_dict(bad)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"bpm_min": 0}, "bpm_min"),
        ({"bpm_min": 200, "bpm_max": 100}, "bpm_min"),
        ({"bpm": 0.0}, "bpm=0.0: must be a number from 1 to 10000 or null"),
        ({"bpm": float("nan")}, "bpm=nan: must be a number from 1 to 10000 or null"),
        ({"miss_probability": 1.0}, "miss_probability"),
        ({"search_window": (5, 5)}, "search_window"),
        ({"ranker": "best"}, "no ranker named 'best'"),
    ],
)
def test_impossible_settings_are_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        GridSearch(**keywords)


def test_probability_at_beats_is_linear_between_frames():
    activation = Activation(np.array([0.0, 1.0, 0.5]), frame_rate=10.0)
    times_s = np.array([-1.0, 0.05, 0.1, 0.15, 9.0])
    assert prob_at_beats(activation, times_s) == pytest.approx([0, 0.5, 1, 0.75, 0.5])
    assert prob_at_beats(Activation(np.zeros(0), 10.0), times_s).tolist() == [0] * 5


def test_everything_about_no_grid_is_unknown():
    estimate = GridSearch()(Activation(np.zeros(100), 10.0))
    unknown = (estimate.bpm_std, estimate.offset_std_ms, estimate.score, estimate.max_drift_ms)
    assert unknown == (None,) * 4
    assert estimate.offbeat_confidence is estimate.downbeat_confidence is None
    assert estimate.bpm is estimate.offset_s is estimate.beats_per_bar is None
    assert estimate.constant_tempo is None
    assert not estimate.downbeat_known


@pytest.mark.parametrize(("grid", "reason"), [(None, None), (Grid(120, 0), "silence")])
def test_an_estimate_is_a_grid_or_a_reason(grid, reason):
    with pytest.raises(ValueError, match="either a grid or a reason"):
        GridEstimate(grid=grid, reason=reason)


def test_without_least_squares_the_errors_are_those_of_the_likelihood():
    activation = noisy_activation(Grid(127.3, 0.2), 90.0, np.random.default_rng(3))
    estimate = GridSearch(least_squares=False, max_snap_drift_ms=0)(activation)
    assert abs(estimate.bpm - 127.3) < 5 * estimate.bpm_std
    assert 0 < estimate.bpm_std < 0.02


def test_a_feature_that_came_later_leaves_fitted_rankers_as_they_are():
    """The packaged rankers name fewer features than the table has; they use what they name."""
    level = packaged("generic").level
    assert set(level.names) < set(LEVEL_FEATURES)
    features = dict.fromkeys(LEVEL_FEATURES, 0.0)
    base = level.scores([features])[0]
    later = next(name for name in LEVEL_FEATURES if name not in level.names)
    assert level.scores([features | {later: 9.0}])[0] == base
    first = level.names[0]
    moved = level.scores([features | {first: 1.0}])[0]
    assert moved - base == pytest.approx(level.weights[0])
