"""Offset, drift and bars of a label, against known ones."""

import numpy as np
import pytest

from beatgrid.audit.fit import anchor
from beatgrid.grid import Grid
from tests.audit.tracks import DURATION_S, TRUTH, evidence_of


@pytest.mark.parametrize("early_s", [-0.055, -0.02, 0.0, 0.02, 0.055])
def test_an_offset_is_measured_with_its_sign_and_its_error(early_s):
    fit = evidence_of(Grid(124.0, TRUTH.offset_s - early_s)).fit
    assert fit.offset_s == pytest.approx(early_s, abs=0.0015)
    assert abs(fit.offset_s - early_s) < 4 * fit.offset_std_s < 0.004
    assert abs(fit.drift_s) < 4 * fit.drift_std_s + 0.001
    assert fit.onset_offset_s == pytest.approx(0.0, abs=0.003)


@pytest.mark.parametrize("error", [-0.005, -0.001, 0.001, 0.005])
def test_a_wrong_tempo_drifts_from_the_beat_where_the_label_was_set(error):
    label = Grid(124.0 * (1 + error), TRUTH.offset_s)
    fit = evidence_of(label).fit
    slope_s = TRUTH.period_s - label.period_s
    n_periods = len(label.beat_times(DURATION_S)) - 1
    assert fit.drift_s == pytest.approx(slope_s * n_periods, abs=0.004)
    assert fit.last_shift_s == pytest.approx(slope_s * n_periods, abs=0.004)
    assert fit.grid(4).bpm == pytest.approx(124.0, abs=0.01)
    assert fit.grid(4).offset_s == pytest.approx(TRUTH.offset_s, abs=0.004)


def test_an_offset_outside_the_track_is_anchored_at_its_nearest_downbeat():
    grid = Grid(120.0, -7.9)
    assert anchor(grid, 30.0) == pytest.approx(0.1)
    assert anchor(Grid(120.0, 62.1), 30.0) == pytest.approx(28.1)
    assert anchor(Grid(120.0, 12.3), 30.0) == 12.3
    assert anchor(Grid(10.0, -1.0), 8.0) == pytest.approx(5.0)  # no downbeat inside: a beat


def test_on_beats_and_off_beats_are_told_apart_wherever_the_label_is():
    on = evidence_of(TRUTH).fit
    off = evidence_of(Grid(124.0, TRUTH.offset_s + TRUTH.period_s / 2)).fit
    assert on.phase_log_odds == pytest.approx(-off.phase_log_odds)
    assert on.phase_log_odds > 2
    assert abs(off.offset_s) < 0.0015
    assert on.kept == pytest.approx(1.0, abs=0.02)
    assert off.kept < 0.5
    assert on.strength == pytest.approx(off.strength)


def test_a_tempo_that_no_beat_has_finds_little_evidence():
    evidence = evidence_of(Grid(137.0, 0.4))
    assert evidence.fit is None or evidence.strength_share < 0.2
    assert evidence.level == "other"


@pytest.mark.parametrize("turned", range(4))
def test_bars_tell_by_how_many_beats_the_downbeat_is_later(turned):
    bars = evidence_of(Grid(124.0, TRUTH.offset_s - turned * TRUTH.period_s)).bars
    assert bars.later_beats == turned
    assert bars.lasting
    assert np.sign(bars.margin) == (1 if turned else -1)
