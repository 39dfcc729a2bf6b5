"""The line through a tracker's beats against the grid that they were made of."""

from __future__ import annotations

import numpy as np
import pytest

from beatgrid.grid import Grid
from beatgrid.search.beat_line import beat_line

DURATION_S = 240.0


def errors_ms(beats_s: np.ndarray, truth: Grid) -> np.ndarray:
    """How far the line is from every true beat, up to whole periods."""
    found = beat_line(list(beats_s))
    assert found is not None
    times_s = truth.beat_times(DURATION_S)
    line = found.grid
    k = np.round((times_s - line.offset_s) / line.period_s)
    return 1000 * (line.offset_s + k * line.period_s - times_s)


@pytest.mark.parametrize("bpm", [47.3, 90.0, 128.0, 173.21, 298.7])
def test_exact_beats_are_their_own_line(bpm):
    truth = Grid(bpm, 0.137)
    found = beat_line(list(truth.beat_times(DURATION_S)))
    assert found is not None
    assert found.grid.bpm == pytest.approx(bpm, rel=1e-9)
    assert found.share_on_line == 1.0
    assert not found.bars_known
    assert np.abs(errors_ms(truth.beat_times(DURATION_S), truth)).max() < 1e-6


@pytest.mark.parametrize("bpm", [61.7, 117.4, 187.3, 251.3])
def test_times_in_steps_of_ten_milliseconds_are_averaged(bpm):
    truth = Grid(bpm, 0.204)
    beats_s = np.round(truth.beat_times(DURATION_S), 2)
    # Rounding errs by up to 5 ms; as noise, a line through so many errs by a tenth of that.
    assert np.abs(errors_ms(beats_s, truth)).max() < 1.5


@pytest.mark.parametrize("seed", range(3))
def test_missed_doubled_and_stray_beats_do_not_move_the_line(seed):
    rng = np.random.default_rng(seed)
    truth = Grid(126.7, 0.31)
    beats_s = truth.beat_times(DURATION_S)
    kept = beats_s[rng.random(len(beats_s)) > 0.15]
    doubled = kept[rng.random(len(kept)) < 0.05] + 0.03
    stray = rng.uniform(0, DURATION_S, len(beats_s) // 10)
    jitter = rng.normal(0, 0.004, len(kept))
    found = np.concatenate([kept + jitter, doubled, stray])
    assert np.abs(errors_ms(found, truth)).max() < 2.5


def test_a_break_without_beats_costs_nothing():
    truth = Grid(174.0, 0.05)
    beats_s = truth.beat_times(DURATION_S)
    beats_s = beats_s[(beats_s < 80) | (beats_s > 140)]
    assert np.abs(errors_ms(beats_s, truth)).max() < 1e-6


@pytest.mark.parametrize(("factor", "share"), [(2.0, 0.35), (0.5, 0.35)])
def test_a_stretch_at_another_octave_leaves_the_level_of_the_rest(factor, share):
    truth = Grid(120.0, 0.2)
    switch_s = share * DURATION_S
    other = Grid(120.0 * factor, 0.2).beat_times(switch_s)
    own = truth.beat_times(DURATION_S)
    beats_s = np.concatenate([other, own[own >= switch_s]])
    found = beat_line(list(beats_s))
    assert found is not None
    assert found.grid.bpm == pytest.approx(120.0, rel=1e-9)
    assert np.abs(errors_ms(beats_s, truth)).max() < 1e-6


def test_the_octave_kept_for_longer_is_the_level():
    own, double = Grid(120.0, 0.2), Grid(240.0, 0.2)
    beats_s = np.concatenate([own.beat_times(90.0), double.beat_times(DURATION_S)[360:]])
    found = beat_line(list(beats_s))
    assert found is not None
    assert found.grid.bpm == pytest.approx(240.0, rel=1e-9)


def test_a_stretch_between_the_beats_leaves_the_phase_of_the_rest():
    truth = Grid(120.0, 0.2)
    beats_s = truth.beat_times(DURATION_S)
    beats_s[beats_s < 70] += 0.25
    assert np.abs(errors_ms(beats_s, truth)).max() < 1e-6


def test_downbeats_give_bars_by_majority():
    truth = Grid(100.0, 1.9, beats_per_bar=3)
    downbeats_s = truth.downbeat_times(DURATION_S)
    downbeats_s[:9] += truth.period_s  # a tenth of the bars begins elsewhere
    found = beat_line(list(truth.beat_times(DURATION_S)), list(downbeats_s))
    assert found is not None
    assert found.bars_known
    assert found.grid.beats_per_bar == 3
    bar_s = 3 * truth.period_s
    assert (found.grid.offset_s - truth.offset_s + bar_s / 2) % bar_s == pytest.approx(bar_s / 2)


def test_one_downbeat_makes_no_bars():
    truth = Grid(100.0, 0.5)
    found = beat_line(list(truth.beat_times(20.0)), [0.5])
    assert found is not None
    assert not found.bars_known


@pytest.mark.parametrize("beats_s", [[], [1.0, 1.5, 2.0], [1.0, 1.01, 1.02, 1.03], [0, 9, 20, 40]])
def test_too_little_tells_nothing(beats_s):
    assert beat_line(beats_s) is None


def test_order_does_not_matter():
    beats_s = list(Grid(111.0, 0.4).beat_times(60.0))
    assert beat_line(beats_s[::-1]) == beat_line(beats_s)


def test_an_hour_is_a_line_too():
    truth = Grid(127.99, 0.3)
    found = beat_line(list(truth.beat_times(3600.0)))
    assert found is not None
    assert found.grid.bpm == pytest.approx(127.99, rel=1e-10)
