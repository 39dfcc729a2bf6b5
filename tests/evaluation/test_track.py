"""Scores of one track whose errors are known by arithmetic."""

import dataclasses
import time

import numpy as np
import pytest

from beatgrid.evaluation import (
    TrackScore,
    evaluate_track,
    f_measure,
    metrical_level,
)
from beatgrid.grid import Grid

TRUE = Grid(bpm=120.0, offset_s=0.25)
DURATION_S = 300.0
N_BEATS = 600  # 0.25, 0.75, ... 299.75


def score(bpm: float, offset_s: float = TRUE.offset_s, **kwargs) -> TrackScore:
    return evaluate_track(TRUE, Grid(bpm, offset_s), DURATION_S, **kwargs)


def test_perfect_grid():
    s = score(120.0, confidence=0.9, downbeat_reliable=True)
    assert (s.level, s.ratio, s.drift_ms, s.phase_ms, s.max_error_ms) == ("ok", 1.0, 0, 0, 0)
    assert s.grid_ok_10
    assert s.grid_ok_21
    assert s.grid_ok_10_multi
    assert s.drift_ok_multi
    assert s.downbeat_ok is True
    assert not s.offbeat
    assert (s.f_measure, s.cmlt, s.amlt, s.acc1, s.acc2) == (1, 1, 1, True, True)
    assert s.confidence == 0.9


@pytest.mark.parametrize("error_ms", [9.9, -9.9, 21.4, -30.0])
def test_constant_phase_error_is_signed_estimate_minus_truth(error_ms):
    s = score(120.0, 0.25 + error_ms / 1000)
    assert s.phase_ms == pytest.approx(error_ms, abs=1e-6)
    assert s.max_error_ms == pytest.approx(abs(error_ms), abs=1e-6)
    assert s.drift_ms == 0
    assert s.grid_ok_10 == (abs(error_ms) < 10)
    assert s.grid_ok_21 == (abs(error_ms) < 21.5)
    assert s.drift_ok_multi


def test_wrong_tempo_drifts_by_the_difference_of_periods_per_beat():
    bpm = 120.01
    s = score(bpm)
    drift_ms = (N_BEATS - 1) * (60 / 120 - 60 / bpm) * 1000  # 24.96 ms, all at the end
    assert s.drift_ms == pytest.approx(drift_ms)
    assert s.max_error_ms == pytest.approx(drift_ms)
    assert s.phase_ms == pytest.approx(-drift_ms / 2, abs=0.05)
    assert not s.grid_ok_21
    assert not s.drift_ok_multi
    assert s.level == "ok"


def test_drift_shared_between_both_ends_passes_the_grid_but_not_the_drift():
    bpm = 120.01
    middle = 300
    offset_s = TRUE.offset_s + middle * (60 / 120 - 60 / bpm)
    s = score(bpm, offset_s)
    assert s.phase_ms == pytest.approx(0, abs=1e-6)
    assert s.max_error_ms == pytest.approx(300 * (0.5 - 60 / bpm) * 1000)
    assert s.grid_ok_21
    assert not s.grid_ok_10
    assert not s.drift_ok_multi


def test_beats_at_the_edges_find_partners_outside_the_track():
    true = Grid(120.0, 0.001)
    s = evaluate_track(true, Grid(120.0, -0.002), 60.0)
    assert s.phase_ms == pytest.approx(-3.0)
    assert s.max_error_ms == pytest.approx(3.0)


def test_scores_are_plain_values_whatever_the_grid_holds():
    grid = Grid(np.float64(120.0), np.float64(0.251))
    s = evaluate_track(grid, grid, 60.0, confidence=np.float32(0.5), downbeat_reliable=True)
    for name, value in dataclasses.asdict(s).items():
        assert type(value) in (bool, float, str, type(None)), name


def test_half_a_beat_off_is_offbeat():
    s = score(120.0, 0.5, downbeat_reliable=True)
    assert s.offbeat
    assert abs(s.phase_ms) == pytest.approx(250)
    assert not s.grid_ok_21_multi
    assert s.drift_ok_multi  # the drift alone is right
    assert s.downbeat_ok is False
    assert s.f_measure == 0
    assert s.amlt > 0.99  # mir_eval allows the off-beat here


@pytest.mark.parametrize(("shift_s", "offbeat"), [(0.124, False), (-0.124, False), (0.126, True)])
def test_offbeat_begins_at_a_quarter_period(shift_s, offbeat):
    assert score(120.0, 0.25 + shift_s).offbeat is offbeat


@pytest.mark.parametrize(
    ("bpm", "level"),
    [
        (120.0 * 1.019, "ok"),
        (120.0 * 0.981, "ok"),
        (120.0 * 1.021, "other"),
        (240.0, "2"),
        (60.0, "1/2"),
        (180.0, "3/2"),
        (80.0, "2/3"),
        (160.0, "4/3"),
        (90.0, "3/4"),
        (100.0, "other"),
    ],
)
def test_levels(bpm, level):
    assert metrical_level(TRUE, Grid(bpm, 0.0)) == level
    s = score(bpm)
    assert s.level == level
    assert s.ratio == pytest.approx(bpm / 120)
    assert (s.drift_ms is None) == (level == "other")
    assert (s.phase_ms is None) == (s.max_error_ms is None) == (level not in {"ok", "2", "1/2"})
    if level != "ok":
        assert not s.grid_ok_21


def test_double_tempo_is_compared_at_every_true_beat():
    s = score(240.0, 0.254)
    assert s.phase_ms == pytest.approx(4)
    assert s.max_error_ms == pytest.approx(4)
    assert s.drift_ms == pytest.approx(0, abs=1e-9)
    assert not s.grid_ok_10
    assert s.grid_ok_10_multi
    assert s.drift_ok_multi
    # The beats that start on the true off-beat are the same grid.
    assert score(240.0, 0.504).phase_ms == pytest.approx(4)
    # At most a quarter of the true period away: never off-beat.
    far = score(240.0, 0.25 + 0.125)
    assert abs(far.phase_ms) == pytest.approx(125)
    assert not far.offbeat
    assert not far.grid_ok_21_multi


@pytest.mark.parametrize("first_true_beat", [0, 1])
def test_half_tempo_may_take_either_of_two_beats(first_true_beat):
    s = score(60.0, 0.25 + 0.5 * first_true_beat - 0.004)
    assert s.phase_ms == pytest.approx(-4)
    assert s.max_error_ms == pytest.approx(4)
    assert s.grid_ok_10_multi
    assert not s.grid_ok_10
    assert not s.offbeat


def test_half_tempo_between_the_beats_is_offbeat():
    s = score(60.0, 0.5)
    assert s.offbeat
    assert not s.grid_ok_21_multi


def test_drift_of_a_multiple_is_measured_at_the_true_level():
    for level_ratio in (0.5, 2.0, 1.5, 2 / 3):
        s = score(120.01 * level_ratio)
        assert s.drift_ms == pytest.approx((N_BEATS - 1) * (0.5 - 60 / 120.01) * 1000)
        assert not s.drift_ok_multi
        steady = score(120.001 * level_ratio)
        assert steady.drift_ms == pytest.approx((N_BEATS - 1) * (0.5 - 60 / 120.001) * 1000)
        assert steady.drift_ok_multi == (level_ratio in (0.5, 2.0))


@pytest.mark.parametrize("level_ratio", [1.0, 2.0, 0.5])
def test_line_of_errors_agrees_with_beat_by_beat_search(level_ratio):
    rng = np.random.default_rng(3)
    for _ in range(20):
        true = Grid(rng.uniform(60, 200), rng.uniform(-3, 3))
        duration_s = rng.uniform(20, 200)
        # Small enough that the nearest beat is the partner throughout.
        found = Grid(
            true.bpm * level_ratio * (1 + rng.normal() * 1e-5),
            true.offset_s + rng.normal() * 0.005,
        )
        s = evaluate_track(true, found, duration_s)
        sparse, dense = (found, true) if level_ratio < 1 else (true, found)
        k_dense = np.arange(-30, 1500)
        dense_s = dense.offset_s + k_dense * dense.period_s
        times_s = sparse.beat_times(duration_s)
        error_s = np.abs(times_s[:, None] - dense_s).min(axis=1)
        # At half the tempo the worst true beat may have no partner: one more beat of drift.
        assert s.max_error_ms == pytest.approx(1000 * error_s.max(), abs=0.05)


def test_downbeat_needs_bar_phase_and_bar_length():
    assert score(120.0, 0.75, downbeat_reliable=True).downbeat_ok is False
    assert score(120.0, 2.25, downbeat_reliable=True).downbeat_ok is True  # one bar later
    assert score(120.0, 0.30, downbeat_reliable=True).downbeat_ok is True  # bars, not precision
    three = evaluate_track(TRUE, Grid(120.0, 0.25, 3), DURATION_S, downbeat_reliable=True)
    assert three.downbeat_ok is False
    assert score(240.0, downbeat_reliable=True).downbeat_ok is False


def test_downbeat_is_not_judged_where_either_side_does_not_know_it():
    assert score(120.0).downbeat_ok is None
    assert score(120.0, downbeat_reliable=True, estimate_downbeat_known=False).downbeat_ok is None
    unknown = evaluate_track(
        TRUE, None, DURATION_S, downbeat_reliable=True, estimate_downbeat_known=False
    )
    assert unknown.downbeat_ok is None


def test_no_estimate_is_wrong_everywhere():
    s = evaluate_track(TRUE, None, DURATION_S, confidence=0.0, downbeat_reliable=True)
    assert s.level == "none"
    assert s.bpm_found is s.ratio is s.drift_ms is s.phase_ms is s.max_error_ms is None
    flags = [f.name for f in dataclasses.fields(s) if isinstance(getattr(s, f.name), bool)]
    assert not any(getattr(s, name) for name in flags)
    assert s.downbeat_ok is False
    assert (s.f_measure, s.cmlt, s.amlt) == (0, 0, 0)


def test_tempo_accuracies():
    assert score(120.0 * 1.039).acc1
    assert not score(120.0 * 1.041).acc1
    for ratio in (2, 3, 1 / 2, 1 / 3):
        assert score(120.0 * ratio).acc2
        assert not score(120.0 * ratio).acc1
    assert not score(180.0).acc2


def test_too_short_for_the_sequence_scores_of_the_literature():
    s = evaluate_track(TRUE, TRUE, 5.3)  # one beat after the 5 s that are left out
    assert s.f_measure is s.cmlt is s.amlt is None
    assert s.grid_ok_10
    lone = evaluate_track(TRUE, Grid(10.0, 6.0), 8.0)  # one estimated beat: no interval, no warning
    assert (lone.f_measure, lone.cmlt) == (0, 0)
    assert f_measure(np.empty(0), np.empty(0)) == 0


def test_f_measure_matches_one_to_one():
    true_s = np.array([1.0, 2.0, 3.0])
    # Two near the first beat, the second just inside and the third just outside the window.
    found_s = np.array([0.98, 1.02, 2.0699, 3.0701])
    assert f_measure(true_s, found_s) == pytest.approx(2 * 2 / 7)


@pytest.mark.parametrize("duration_s", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_a_bad_duration(duration_s):
    with pytest.raises(ValueError, match="duration_s must be a positive number"):
        evaluate_track(TRUE, TRUE, duration_s)


def test_refuses_a_track_without_true_beats_and_a_confidence_that_is_none():
    with pytest.raises(ValueError, match=r"no beat of Grid\(bpm=30.*lies in \[0, 0.1\) s"):
        evaluate_track(Grid(30.0, 1.0), TRUE, 0.1)
    with pytest.raises(ValueError, match="confidence must be a probability"):
        score(120.0, confidence=1.2)


def test_a_track_is_scored_in_milliseconds():
    found = Grid(174.31, 0.1)
    true = Grid(174.3, 0.1)
    evaluate_track(true, found, 300.0)
    best_s = np.inf
    for _ in range(5):
        start = time.perf_counter()
        evaluate_track(true, found, 300.0)
        best_s = min(best_s, time.perf_counter() - start)
    assert best_s < 0.01  # about 3 ms; twice the slack for a busy machine
