"""The parts of the search against direct computation."""

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
from beatgrid.search import NoGridError
from beatgrid.search.candidates import candidate_lines
from beatgrid.search.downbeat import bar_phase
from beatgrid.search.evidence import evidence_from, log_odds, presence
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.least_squares import find_peaks, fit_peaks
from beatgrid.search.line import Line
from beatgrid.search.refine import maximise, newton_step
from beatgrid.search.scan import scan
from beatgrid.search.segmentation import best_path, has_local_tempo, segment_tempo

few = settings(max_examples=15, deadline=None, derandomize=True)
LIKELIHOOD = {"miss_probability": 0.1, "max_log_odds": 5.0}


def evidence_of(activation, **changes):
    keywords = LIKELIHOOD | {"smoothing_s": 0.010, "search_window": None} | changes
    return evidence_from(activation, **keywords)


def noisy_evidence(seed, duration_s=60.0):
    rng = np.random.default_rng(seed)
    truth = Grid(float(rng.uniform(70, 200)), rng.uniform(0, 1))
    return truth, evidence_of(noisy_activation(truth, duration_s, rng))


def test_log_odds_are_relative_to_the_base_rate_and_bounded():
    p = np.array([0.1, 0.1, 0.1, 0.7])
    g = log_odds(p, miss_probability=0.2, max_log_odds=9.0)
    odds = p / (1 - p) * (0.75 / 0.25)
    assert g == pytest.approx(np.log(0.2 + 0.8 * odds))
    sure = log_odds(np.array([0.0, 1.0]), miss_probability=0.2, max_log_odds=3.0)
    assert sure[0] > np.log(0.2)
    assert sure[1] == pytest.approx(np.log(0.2 + 0.8 * np.exp(3.0)))


def test_stretches_without_beats_do_not_count():
    music = pulse_activation(120.0, 0.0, 60.0).beat
    silence = np.full(len(music), 0.001)
    weight = presence(np.concatenate((silence, music, silence)), DEFAULT_FRAME_RATE)
    n, margin = len(music), int(5 * DEFAULT_FRAME_RATE)
    assert weight[: n - margin].max() == 0
    assert weight[n + margin : 2 * n - margin].min() == 1
    assert weight[2 * n + margin :].max() == 0


def test_curve_and_its_derivatives_agree():
    _, evidence = noisy_evidence(1)
    t = np.random.default_rng(0).uniform(-1, 61, 500)
    value, slope, curvature = evidence.derivatives(t)
    h = 1e-6
    assert value == pytest.approx(evidence(t))
    assert slope == pytest.approx((evidence(t + h) - evidence(t - h)) / (2 * h), abs=1e-3)
    h = 1e-5
    around = evidence(t + h) - 2 * value + evidence(t - h)
    assert curvature == pytest.approx(around / h**2, rel=1e-3, abs=20)
    assert np.all(evidence(np.array([-5.0, 1e6])) == 0)


def test_part_of_the_evidence_starts_at_zero():
    _, evidence = noisy_evidence(2)
    frames = 1000
    start_s = frames / evidence.frame_rate
    part = evidence.part(start_s, start_s + 20)
    t = np.linspace(1, 19, 50)
    assert part(t) == pytest.approx(evidence(t + start_s))
    assert evidence.part(60.5, 61.0) is None


def test_scan_equals_the_sum_over_the_grid():
    """Poisson's sum with all harmonics is the sum over beats, to single precision."""
    _, evidence = noisy_evidence(3)
    full = scan(evidence, 80, 160, harmonics=40, oversampling=4)
    for i in range(50, len(full.score), 211):
        line = Line.at(full.frequency_hz[i], full.phase[i], 0.0, evidence.duration_s)
        steps_s = np.linspace(-0.002, 0.002, 9)[:, None]
        direct = evidence(line.times_s + steps_s).sum(axis=1).max()
        assert full.score[i] == pytest.approx(direct, rel=0.02, abs=0.5)


@few
@given(scale=st.floats(0.01, 100), seed=st.integers(0, 1000))
def test_scaling_all_log_odds_keeps_the_best(scale, seed):
    _, evidence = noisy_evidence(seed, 30.0)
    scaled = replace(evidence, coefficients=evidence.coefficients * scale)
    a = scan(evidence, 60, 240, harmonics=12, oversampling=8)
    b = scan(scaled, 60, 240, harmonics=12, oversampling=8)
    assert np.argmax(a.score) == np.argmax(b.score)
    i = int(np.argmax(a.score))
    line = Line.at(a.frequency_hz[i], a.phase[i], 0.0, evidence.duration_s)
    first, second = maximise(evidence, line), maximise(scaled, line)
    assert second.time_s == pytest.approx(first.time_s, abs=1e-7)
    assert second.period_s == pytest.approx(first.period_s, abs=1e-9)


@few
@given(seed=st.integers(0, 10_000))
def test_no_neighbour_beats_the_optimum(seed):
    """Brute force over shifts of the grid and of its ends finds nothing better."""
    _, evidence = noisy_evidence(seed)
    scanned = scan(evidence, 60, 240, harmonics=12, oversampling=8)
    i = int(np.argmax(scanned.score))
    start = Line.at(scanned.frequency_hz[i], scanned.phase[i], 0.0, evidence.duration_s)
    best = maximise(evidence, start)
    score = evidence(best.times_s).sum()
    assert score >= evidence(start.times_s).sum()
    lever = best.k / np.abs(best.k).max()
    for shift_s in np.linspace(-0.01, 0.01, 41):
        for tilt_s in np.linspace(-0.01, 0.01, 41):
            moved = evidence(best.times_s + shift_s + tilt_s * lever).sum()
            assert score >= moved - 1e-6


def test_line_is_anchored_near_the_middle():
    line = Line.through(0.2, 0.5, 0.0, 100.0)
    assert line.time_s == pytest.approx(50.2)
    assert line.times_s[0] == pytest.approx(0.2)
    assert line.times_s[-1] == pytest.approx(99.7)
    assert line.bpm == 120


def test_peaks_of_gaussian_bumps_are_exact():
    times_s = np.array([1.0, 1.5031, 2.0077, 3.3333])
    beat = pulses(times_s, np.array([0.9, 0.5, 0.7, 0.3]), 500, DEFAULT_FRAME_RATE)
    found = find_peaks(Activation(beat, DEFAULT_FRAME_RATE), smoothing_s=0.010)
    highest = np.sort(found.times_s[np.argsort(-found.height)[:4]])
    assert highest == pytest.approx(times_s, abs=2e-4)


def test_least_squares_ignores_peaks_of_other_notes():
    rng = np.random.default_rng(0)
    truth = Grid(130.0, 0.25)
    times_s = truth.beat_times(90.0)
    late = rng.random(len(times_s)) < 0.15
    beat = pulses(times_s + 0.03 * late, np.full(len(times_s), 0.9), 7800, DEFAULT_FRAME_RATE)
    activation = Activation(beat, DEFAULT_FRAME_RATE)
    start = Line.through(0.252, truth.period_s * 1.00001, 0.0, 90.0)
    line = fit_peaks(find_peaks(activation, 0.010), start, np.ones(len(start.k)))
    error_s = line.times_s - times_s[: len(line.times_s)]
    assert np.abs(error_s).max() < 5e-4


def test_least_squares_needs_peaks():
    start = Line.through(0.1, 0.5, 0.0, 30.0)
    few_peaks = find_peaks(pulse_activation(120, 0.1, 2.0), 0.010)
    assert fit_peaks(few_peaks, start, np.ones(len(start.k))) is start


def test_candidates_contain_simple_ratios_within_the_range():
    evidence = evidence_of(pulse_activation(120.0, 0.1, 60.0))
    scanned = scan(evidence, 60, 200, harmonics=12, oversampling=8)
    lines = candidate_lines(evidence, scanned, scanned.score, (60.0, 200.0))
    tempi = [line.bpm for line in lines]
    for bpm in (60, 80, 90, 96, 120, 150, 160, 180):
        assert min(abs(t / bpm - 1) for t in tempi) < 0.02
    assert all(60 <= t <= 200.1 for t in tempi)


def test_offbeat_grid_has_the_opposite_features():
    rng = np.random.default_rng(0)
    activation = noisy_activation(Grid(110.0, 0.1), 80.0, rng, downbeat_height=0.8)
    activation = replace(activation, onset=rng.random((len(activation), 4)))
    extract = FeatureExtractor(evidence_of(activation), activation, **LIKELIHOOD)
    line = Line.through(0.1, 60 / 110, 0.0, 80.0)
    on = extract(line).phase_features
    off = extract(line.half_beat_later()).phase_features
    # Beats at the ends of the track fall out of one of the two.
    assert off == pytest.approx({name: -value for name, value in on.items()}, abs=0.15)
    assert on["on"] > 1


@pytest.mark.parametrize("n", [4, 3])
@pytest.mark.parametrize("first_k", [-7, 0, 2])
def test_bar_phase_is_counted_from_beat_zero(n, first_k):
    k = np.arange(first_k, first_k + 60)
    found = bar_phase(np.where(k % n == 1, 4.0, -2.0), first_k, (4, 3))
    assert (found.beats_per_bar, found.phase) == (n, 1)
    assert found.probability > 0.9


@pytest.mark.parametrize("level", [2.0, -2.0])
def test_a_level_common_to_all_beats_does_not_choose_the_bar(level):
    """A network that cannot tell bars apart puts the same on every beat: no reason for 3/4."""
    rng = np.random.default_rng(0)
    found = bar_phase(level + 0.1 * rng.normal(size=400), 0, (4, 3))
    assert found.beats_per_bar == 4


def test_bar_phase_without_evidence_is_a_guess():
    found = bar_phase(np.zeros(40), 0, (4,))
    assert found.probability == pytest.approx(0.25)


def test_best_path_equals_enumeration():
    rng = np.random.default_rng(0)
    for _ in range(20):
        gains = rng.normal(0, 1, (9, 3))
        breaks, states = best_path(gains, 3, 0.7)
        edges = [0, *breaks, 9]
        found = sum(
            gains[a:b, s].sum() for a, b, s in zip(edges[:-1], edges[1:], states, strict=True)
        ) - 0.7 * len(breaks)
        options = [[], *([b] for b in range(3, 7)), [3, 6]]
        best = max(
            sum(gains[a:b].sum(axis=0).max() for a, b in zip([0, *cuts], [*cuts, 9], strict=True))
            - 0.7 * len(cuts)
            for cuts in options
        )
        assert found == pytest.approx(best)


def test_a_flat_activation_holds_no_grid():
    with pytest.raises(NoGridError, match="the activation is flat"):
        evidence_of(Activation(np.full(900, 0.4), 100.0))
    with pytest.raises(NoGridError, match="the activation is empty"):
        evidence_of(Activation(np.zeros(0), 100.0))
    assert np.ptp(evidence_of(pulse_activation(100, 0, 20)).coefficients) > 1


@pytest.mark.parametrize(("curvature", "lever"), [(-1.7, 1 / 3), (-2.9, 2 / 3), (-4.4, 2 / 3)])
def test_newtons_step_goes_uphill_where_the_hessian_is_singular(curvature, lever):
    """Of a single beat the Hessian is singular, with an eigenvalue that rounding puts below 0."""
    design = np.array([1.0, lever])
    step = newton_step(design, curvature * np.outer(design, design))
    assert np.all(np.isfinite(step))
    assert step @ design > 0


def test_onsets_and_beats_are_counted_per_beat():
    """A kick on every beat and a hat four times as often, at 120 BPM for a minute."""
    n_frames, rate = 6000, 100.0
    onset = np.zeros((n_frames, 3))
    onset[::50, 0] = 1.0
    onset[::25, 1] = 1.0
    onset[6::12, 2] = 1.0
    beat = np.full(n_frames, 1e-9)
    beat[::50] = 0.9
    activation = Activation(beat, rate, onset=onset)
    evidence = evidence_from(
        activation, miss_probability=0.1, max_log_odds=5.0, smoothing_s=0.01, search_window=None
    )
    extract = FeatureExtractor(evidence, activation, **LIKELIHOOD)
    features = extract(Line.through(0.0, 0.5, 0.0, 60.0)).level_features
    names = ("low_onsets", "mid_onsets", "high_onsets", "beats")
    per_beat = 2.0 ** np.array([features[name] for name in names])
    expected = (np.array([120, 240, 500, 108]) + 5) / 120  # five are added to each count
    np.testing.assert_allclose(per_beat, expected, rtol=0.02)


def test_harmonics_count_in_scans_of_parts_too(monkeypatch):
    """The setting reaches every scan: of parts whose tempo is looked for, and of segments."""
    used = []

    def recording(evidence, *bpm_range, harmonics, oversampling):
        used.append(harmonics)
        return scan(evidence, *bpm_range, harmonics=harmonics, oversampling=oversampling)

    monkeypatch.setattr("beatgrid.search.segmentation.scan", recording)
    _, evidence = noisy_evidence(4)
    has_local_tempo(evidence, (60.0, 200.0), 7.0, harmonics=5)
    n_parts = len(used)
    segment_tempo(evidence, Line.through(0.0, 0.5, 0.0, 60.0), harmonics=5, oversampling=8)
    assert 0 < n_parts < len(used)
    assert set(used) == {5}


def test_onsets_are_told_apart_by_seconds_not_by_frames():
    """Hats every 93 ms are all counted at half the frame rate as well."""
    counts = []
    for rate in (86.0, 43.0):
        n_frames = int(60 * rate)
        hats = np.zeros((n_frames, 3))
        hats[:: round(0.093 * rate), 2] = 1.0
        beat = np.full(n_frames, 0.01)
        beat[:: round(0.5 * rate)] = 0.9
        activation = Activation(beat, rate, onset=hats)
        extract = FeatureExtractor(evidence_of(activation), activation, **LIKELIHOOD)
        counts.append(extract(Line.through(0.0, 0.5, 0.0, 60.0)).level_features["high_onsets"])
    assert counts[1] == pytest.approx(counts[0], abs=0.02)


def test_distance_from_a_line_is_that_from_its_nearest_beat():
    line = Line.through(0.2, 0.5, 0.0, 10.0)
    times_s = np.array([0.2, 0.3, 0.6, -0.4, 50.21])
    assert line.distance_s(times_s) == pytest.approx([0.0, 0.1, 0.1, 0.1, 0.01])
