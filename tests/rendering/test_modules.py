"""The test set of tracker modules: rules for grids, and that sounds lie on them."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from beatgrid.commands import modules
from beatgrid.commands.modules import (
    LeftOutError,
    choose_rows_per_beat,
    find_steady,
    played_lengths,
)
from beatgrid.errors import BeatgridError
from beatgrid.rendering import openmpt
from beatgrid.rendering.openmpt import BLOCK, SAMPLE_RATE, Row

ROOT = Path(__file__).resolve().parents[2]

needs_libopenmpt = pytest.mark.skipif(
    openmpt.library() is None, reason="libopenmpt, a library of the system, is not installed"
)


def rows_of(ticks, tempo=125, rows_per_beat=4, pattern_rows=64):
    """Rows as the player would report them, of so many ticks each, and the sample after them."""
    at = np.concatenate([[0], np.cumsum(ticks)]) * int(2.5 * SAMPLE_RATE / tempo)
    rows = [
        Row(start // BLOCK * BLOCK, *divmod(i, pattern_rows), ticks[i], tempo, rows_per_beat)
        for i, start in enumerate(at[:-1].tolist())
    ]
    return rows, int(at[-1])


def mod_file(n_patterns=2, every=4, speed=6, tempo=125):
    """A ProTracker module of four channels whose only sample, a click, is played on every n-th row.

    A low rate puts an amplitude of 1 on the click's first sample and silence behind.
    """
    click = np.zeros(64, np.int8)
    click[2:34] = 127 * (-1) ** np.arange(32)  # the first word holds the loop of old players
    header = b"click".ljust(20, b"\0")
    header += struct.pack(">22sHBBHH", b"click", len(click) // 2, 0, 64, 0, 1)
    header += struct.pack(">22sHBBHH", b"", 0, 0, 64, 0, 1) * 30
    header += bytes([n_patterns, 127]) + bytes(range(n_patterns)).ljust(128, b"\0") + b"M.K."
    silent = bytes(4)
    note = struct.pack(">HBB", 214, 0x10, 0)  # C-3 of sample 1
    body = b""
    for row in range(64):
        first = row == 0
        body += note if row % every == 0 else silent
        body += bytes([0, 0, 0xF, speed]) if first else silent
        body += bytes([0, 0, 0xF, tempo]) if first else silent
        body += silent
    return header + body * n_patterns + click.tobytes()


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
        modules.exact_beats(late[::4])


def test_bars_that_do_not_fill_patterns_are_unknown():
    rows, n_samples = rows_of([6] * 560, pattern_rows=56)
    assert find_steady(rows, n_samples, 30.0).downbeat == "unknown"
    assert played_lengths(rows) == [56] * 9


def test_licence_of_the_last_stanza_that_matches(tmp_path):
    module = tmp_path / "game-data/usr/share/games/game/music/song.xm"
    copyright_file = tmp_path / "game-data/usr/share/doc/game-data/copyright"
    copyright_file.parent.mkdir(parents=True)
    copyright_file.write_text(
        "Format: x\n\nFiles: *\nLicense: GPL-2+\n\nFiles: a.wav\n music/*\nLicense: CC0-1.0\n"
        "\nFiles: debian/*\nLicense: MIT\n"
    )
    assert modules.license_of(module, tmp_path) == "CC0-1.0"
    assert modules.license_of(tmp_path / "other/song.xm", tmp_path) is None


def test_the_configuration_composes():
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        cfg = compose("modules")
    assert OmegaConf.to_container(cfg, resolve=True)["max_duration_s"] == 240


@needs_libopenmpt
@pytest.mark.parametrize(("speed", "tempo"), [(6, 125), (6, 131), (3, 140)])
def test_clicks_lie_on_the_grid(speed, tempo):
    samples, rows = openmpt.play(mod_file(6, 4 * 6 // speed, speed, tempo), 240.0)
    steady = find_steady(rows, len(samples), 10.0)
    tick = int(2.5 * SAMPLE_RATE / tempo)
    assert steady.grid.bpm == pytest.approx(60 * SAMPLE_RATE / (24 * tick), rel=1e-9)
    assert steady.rows_per_beat == 24 // speed
    # The first tick of a ProTracker module is played at 125, whatever the tempo.
    assert (steady.first == 0) == (tempo == 125)
    assert steady.first <= 0.5 * SAMPLE_RATE
    part = np.abs(samples[steady.first : steady.last])
    loud = np.flatnonzero(part > 0.05)
    clicks = loud[np.flatnonzero(np.diff(loud, prepend=-SAMPLE_RATE) > SAMPLE_RATE // 10)]
    beats = steady.grid.beat_times(len(part) / SAMPLE_RATE)
    assert len(clicks) == len(beats) > 30
    np.testing.assert_allclose(clicks / SAMPLE_RATE, beats, atol=0.002)


@needs_libopenmpt
def test_playing_stops_at_the_repeat_or_the_limit():
    samples, rows = openmpt.play(mod_file(2), 240.0)
    assert len(samples) == 2 * 64 * 6 * 882
    assert len(rows) == 128
    assert len(openmpt.play(mod_file(2), 3.0)[0]) == 3 * SAMPLE_RATE // BLOCK * BLOCK


@needs_libopenmpt
def test_what_is_no_module_is_one_line():
    with pytest.raises(BeatgridError, match="no tracker module"):
        openmpt.play(b"not a module", 10.0)
