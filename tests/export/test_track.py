"""Results as tracks to export."""

import dataclasses
import json

import jsonschema
import numpy as np
import pytest

import beatgrid.output.result
from beatgrid.errors import BeatgridError
from beatgrid.export import ExportTrack, NoGridError
from beatgrid.grid import Grid
from beatgrid.search.beats import Beats
from tests.export.tracks import (
    changing_beats,
    changing_result,
    changing_track,
    constant_result,
    constant_track,
    result_of,
    write,
)

RESULT = "song.mp3.beatgrid.json"


def read(tmp_path, result):
    return ExportTrack.read(write(tmp_path / RESULT, result))


@pytest.mark.parametrize("result", [constant_result(), changing_result()])
def test_the_results_of_these_tests_are_valid(result):
    folder = beatgrid.output.result.__file__.rpartition("/")[0]
    with open(f"{folder}/result.schema.json", encoding="utf-8") as file:
        jsonschema.validate(result, json.load(file))


def test_a_constant_result_is_one_span_of_full_precision(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bpm, offset_s = 123.456789, 0.123456789
    track = read(tmp_path, constant_result(bpm, offset_s, 60.0, locked=True))
    (span,) = track.spans
    assert (span.bpm, span.first_beat_s, span.first_bar_position) == (bpm, offset_s, 1)
    assert (span.start_s, span.end_s) == (0.0, 60.0)
    grid = Grid(bpm, offset_s)
    np.testing.assert_allclose(track.beat_times_s(), grid.beat_times(60.0), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(track.bar_positions(), grid.bar_positions(60.0))
    np.testing.assert_allclose(track.downbeat_times_s(), grid.downbeat_times(60.0), atol=1e-9)
    assert track.audio == tmp_path / "music/song.mp3"
    assert (track.name, track.codec, track.mp3_tag) == ("song", "mp3", "lame")
    assert track.locked
    assert track.result == tmp_path / RESULT
    assert track.doubts == ()


@pytest.mark.parametrize("offset_s", [-0.004, 0.0, 1.1, -0.004 - 60 / 128])
def test_bars_begin_where_the_result_has_them(tmp_path, offset_s):
    track = read(tmp_path, constant_result(offset_s=offset_s))
    beats = Beats.of_grid(Grid(128.0, offset_s), 60.0)
    np.testing.assert_allclose(track.beat_times_s(), beats.times_s, atol=1e-6)
    np.testing.assert_array_equal(track.bar_positions(), beats.bar_position)
    assert track.spans[0].first_beat_s >= 0
    assert track.doubts == ()


def test_beats_without_downbeat_are_counted_from_the_first(tmp_path):
    track = read(tmp_path, constant_result(downbeat_known=False))
    assert track.bar_positions()[:5].tolist() == [1, 2, 3, 4, 1]
    assert len(track.downbeat_times_s()) == 0


def test_piecewise_beats_are_kept(tmp_path):
    track = read(tmp_path, changing_result())
    times_s, positions = changing_beats()
    assert np.abs(track.beat_times_s() - times_s).max() < 0.001
    np.testing.assert_array_equal(track.bar_positions(), positions)
    assert not track.constant_tempo
    assert (track.spans[0].bpm, track.spans[-1].bpm) == (120.0, 150.7)
    assert track.constant().spans[0].bpm == 120.0


def test_a_constant_grid_kept_for_a_changing_track_is_one_span(tmp_path):
    track = read(tmp_path, constant_result(constant_tempo=False))
    assert len(track.spans) == 1
    assert not track.constant_tempo


@pytest.mark.parametrize(
    ("changes", "bpm", "first_s", "position"),
    [
        ({"bpm": 64.0}, 64.0, 0.5, 1),
        ({"bpm": 64.0, "downbeat_offset_s": 0.96875}, 64.0, 0.03125, 4),
        ({"offset_s": 0.2, "downbeat_offset_s": 0.2}, 128.0, 0.2, 1),
        ({"downbeat_offset_s": 0.5 + 60 / 128}, 128.0, 0.03125, 3),
    ],
)
def test_what_a_person_changed_counts(tmp_path, changes, bpm, first_s, position):
    """Bars begin at 0.5 s, beats at 0.03125 s."""
    result = constant_result(locked=True) | {"offset_s": 0.03125} | changes
    if changes == {"bpm": 64.0}:
        result["offset_s"] = 0.5
    track = read(tmp_path, result)
    (span,) = track.spans
    assert span.bpm == bpm
    assert span.first_beat_s == pytest.approx(first_s)
    assert span.first_bar_position == position
    (doubt,) = track.doubts
    assert "contradict" in doubt
    assert RESULT in doubt


def test_what_contradicts_itself_is_refused(tmp_path):
    with pytest.raises(BeatgridError, match=r"downbeat_offset_s=0\.6: is no beat of bpm=128"):
        read(tmp_path, constant_result() | {"downbeat_offset_s": 0.6})


def test_no_grid_is_said_with_its_reason(tmp_path):
    nothing = result_of(Beats.none(), 3.0, bpm=None, reason="too short", constant_tempo=None)
    with pytest.raises(NoGridError, match=r"has no grid \(too short\)"):
        read(tmp_path, nothing)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("bpm", "128"), ("bpm", -1), ("bpm", float("nan")), ("format", 2), ("beats", 3)),
        *(("beats_per_bar", 0), ("duration_s", 0), ("downbeat_known", None), ("mp3_tag", "x")),
        *(("offset_s", -0.5), ("confidence", 2), ("duration_s", 20.0), ("beats", ["x"])),
        *(("file", 3), ("sample_rate", 44100.5)),
    ],
)
def test_a_broken_result_is_one_line_with_file_and_key(tmp_path, key, value):
    with pytest.raises(BeatgridError) as caught:
        read(tmp_path, constant_result() | {key: value})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path / RESULT}: {key}")


@pytest.mark.parametrize("key", ["bpm", "beats", "duration_s", "mp3_tag"])
def test_a_missing_key_is_named(tmp_path, key):
    result = constant_result()
    del result[key]
    with pytest.raises(BeatgridError, match=f"{RESULT}: {key} is missing"):
        read(tmp_path, result)


@pytest.mark.parametrize(
    ("key", "value"),
    [("time", None), ("time", 0.0), ("time", "x"), ("bar_position", 5), ("bar_position", None)],
)
def test_a_broken_beat_is_named(tmp_path, key, value):
    result = constant_result()
    result["beats"][7][key] = value
    with pytest.raises(BeatgridError, match=rf"beats\[7\]\.{key}"):
        read(tmp_path, result)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1}', "\x00"])
def test_what_is_no_result_is_one_line(tmp_path, text):
    path = tmp_path / RESULT
    path.write_text(text)
    with pytest.raises(BeatgridError, match=RESULT) as caught:
        ExportTrack.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [constant_track, changing_track])
@pytest.mark.parametrize("shift_ms", [25.06, -25.06, -600.0])
def test_a_shift_moves_every_beat(make, shift_ms):
    track = make()
    moved = track.shifted(shift_ms)
    expected_s = track.beat_times_s() + shift_ms / 1000
    kept = expected_s >= 0
    np.testing.assert_allclose(moved.beat_times_s(), expected_s[kept], atol=1e-9)
    np.testing.assert_array_equal(moved.bar_positions(), track.bar_positions()[kept])
    assert moved.shifted(0) is moved


def test_a_shift_may_drop_a_whole_span():
    track = changing_track()
    moved = track.shifted(-110_000)
    expected_s = track.beat_times_s() - 110
    np.testing.assert_allclose(moved.beat_times_s(), expected_s[expected_s >= 0], atol=1e-9)
    assert len(moved.spans) == 1


def test_a_track_needs_a_span():
    with pytest.raises(ValueError, match="needs a span"):
        dataclasses.replace(constant_track(), spans=())
