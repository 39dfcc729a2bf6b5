"""The grid of a tracker module: which rows are beats, and when they begin."""

from dataclasses import replace

import pytest

from beatgrid.rendering.openmpt import BLOCK, SAMPLE_RATE
from beatgrid.rendering.tracker_grid import (
    LeftOutError,
    choose_rows_per_beat,
    exact_beats,
    find_steady,
    played_lengths,
)
from tests.rendering.tracker_files import rows_of


def test_rows_per_beat_keep_the_tempo_within_the_range():
    tick_s = 2.5 / 125
    assert choose_rows_per_beat(4, 6 * tick_s) == 4  # 125 BPM
    assert choose_rows_per_beat(4, 3 * tick_s) == 8  # 250 is halved
    assert choose_rows_per_beat(4, 12 * tick_s) == 2  # 62.5 is doubled
    assert choose_rows_per_beat(3, 0.3) is None  # 66.7, and three rows cannot be halved
    assert choose_rows_per_beat(4, 1.0) is None


def test_a_constant_tempo_is_one_stretch():
    rows, n_samples = rows_of([6] * 512, tempo=130)
    steady = find_steady(rows, n_samples, 30.0)
    assert (steady.first, steady.rows_per_beat, steady.downbeat) == (0, 4, "likely")
    assert steady.last == n_samples
    # A tick is 848.08 samples and played as 848.
    assert steady.grid.bpm == pytest.approx(60 * SAMPLE_RATE / (24 * 848), rel=1e-12)
    assert steady.grid.offset_s == 0.0


def test_swing_has_equidistant_beats():
    rows, n_samples = rows_of([8, 4] * 256)
    assert find_steady(rows, n_samples, 30.0).grid.bpm == pytest.approx(125.0)


def test_another_tempo_at_the_beginning_is_cut_off():
    rows, n_samples = rows_of([9] * 66 + [6] * 510)
    steady = find_steady(rows, n_samples, 30.0)
    assert steady.first == (66 * 9 + 2 * 6) * 882 // BLOCK * BLOCK  # the first beat after row 66
    downbeat = (66 * 9 + 62 * 6) * 882  # the first row of the next pattern
    assert steady.first / SAMPLE_RATE + steady.grid.offset_s == pytest.approx(
        downbeat / SAMPLE_RATE, abs=BLOCK / SAMPLE_RATE
    )


@pytest.mark.parametrize(
    ("ticks", "pattern_rows", "reason"),
    [
        ([6] * 64, 64, "shorter than 30 s"),
        (([6] * 60 + [8] * 40) * 4, 64, "tempo or phase"),
        ([6] * 480, 48, "3 x 2"),
        ([6] * 480, 62, "tempo or phase"),
        ([60] * 64, 64, "no level"),
    ],
)
def test_what_has_no_grid_is_left_out(ticks, pattern_rows, reason):
    rows, n_samples = rows_of(ticks, pattern_rows=pattern_rows)
    with pytest.raises(LeftOutError, match=reason):
        find_steady(rows, n_samples, 30.0)


def test_beats_that_no_tick_explains_are_left_out():
    rows, _ = rows_of([6] * 480)
    late = [replace(row, start=row.start + 40 * (row.order >= 4)) for row in rows]
    with pytest.raises(LeftOutError, match="ticks"):
        exact_beats(late[::4])


def test_bars_that_do_not_fill_patterns_are_unknown():
    rows, n_samples = rows_of([6] * 560, pattern_rows=56)
    assert find_steady(rows, n_samples, 30.0).downbeat == "unknown"
    assert played_lengths(rows) == [56] * 9
