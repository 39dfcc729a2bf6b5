"""Result files: valid under their schema, finite, named without collisions, written whole."""

import json
import math
import os
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import beatgrid
from beatgrid.audio.reader import AudioInfo
from beatgrid.grid import Activation, Grid
from beatgrid.output.result import (
    bpm_display,
    displayable,
    grid_result,
    result_name,
    write_result,
)
from beatgrid.search import Alternative, Beats, GridEstimate, Segment

SCHEMA = json.loads(
    resources.files("beatgrid.output").joinpath("result.schema.json").read_text("utf-8")
)
FRAME_RATE = 100.0
DURATION_S = 30.0
INFO = AudioInfo(
    path=Path("music/日本 - é (mix).mp3"),
    duration_s=DURATION_S,
    source_sample_rate=48000,
    channels=2,
    decoder="soundfile",
    container="MP3",
    codec="MPEG_LAYER_III",
    mp3_tag="lame",
    peak=0.9,
)
ESTIMATE = GridEstimate(
    grid=Grid(120.0, 1.25, 4),
    bpm_raw=120.0004,
    offset_raw_s=1.2499,
    bpm_std=0.001,
    offset_std_ms=0.4,
    score=3.5,
    confidence=0.97,
    offbeat_confidence=0.99,
    downbeat_confidence=0.8,
    max_drift_ms=1.5,
    alternatives=(Alternative(bpm=60.0, offset_s=0.25, score=2.0, ratio=0.5, probability=0.02),),
    segments=(Segment(start_s=0.0, end_s=30.0, bpm=120.0, offset_s=0.25),),
)
# The probability rises linearly, so its value between two frames is known.
RAMP = Activation(np.linspace(0, 1, 3001), FRAME_RATE, DURATION_S)


def result_of(estimate=ESTIMATE, **kwargs):
    arguments = {"model": "best.ckpt", "settings": {"bpm_min": 60.0}, **kwargs}
    result = grid_result(estimate, RAMP, INFO, **arguments)
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    return result


def test_schema_is_itself_valid():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_beat_with_bar_position_and_probability():
    result = result_of()
    assert len(result["beats"]) == 60
    assert result["beats"][0] == {"time": 0.25, "bar_position": 3, "prob_at_grid": 0.0083}
    assert result["beats"][2] == {"time": 1.25, "bar_position": 1, "prob_at_grid": 0.0417}
    assert result["beats"][-1]["time"] == 29.75


def test_first_beat_and_first_downbeat():
    result = result_of()
    assert result["offset_s"] == pytest.approx(0.25, abs=1e-12)
    assert result["downbeat_offset_s"] == pytest.approx(1.25, abs=1e-12)
    assert result["bpm"] == 120.0
    assert result["bpm_raw"] == 120.0004
    assert result["bpm_display"] == "120"
    assert (result["model"], result["version"]) == ("best.ckpt", beatgrid.__version__)
    assert (result["sample_rate"], result["decoder"]) == (48000, "soundfile")
    assert (result["codec"], result["mp3_tag"]) == ("MPEG_LAYER_III", "lame")
    assert result["timebase"] == "mp3 with LAME tag: encoder delay removed"


def test_unknown_downbeat_is_null_everywhere():
    estimate = GridEstimate(grid=Grid(120.0, 0.25), confidence=0.5)
    result = result_of(estimate, model=None)
    assert result["downbeat_offset_s"] is result["downbeat_confidence"] is None
    assert {beat["bar_position"] for beat in result["beats"]} == {None}
    assert result["offset_s"] == 0.25
    for key in ("bpm_raw", "bpm_std", "offset_std_ms", "score", "max_drift_ms"):
        assert result[key] is None
    assert result["offbeat_confidence"] is None


def test_no_grid_is_null_with_its_reason():
    result = result_of(GridEstimate.none("silence"))
    assert result["bpm"] is result["bpm_display"] is result["offset_s"] is None
    assert result["constant_tempo"] is None
    assert result["beats"] == []
    assert result["confidence"] == 0
    assert result["reason"] == "silence"


@pytest.mark.parametrize("key", ["bpm", "confidence", "beats"])
def test_schema_refuses_a_result_without_its_keys(key):
    result = result_of()
    del result[key]
    with pytest.raises(jsonschema.ValidationError, match=key):
        jsonschema.validate(result, SCHEMA)


def test_schema_refuses_unknown_keys_and_bad_values():
    for change in ({"tempo": 1}, {"confidence": 1.5}, {"bpm": 0}, {"bpm_display": "128.0"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**result_of(), **change}, SCHEMA)


@pytest.mark.parametrize(
    ("bpm", "shown"),
    [
        (174.0, "174"),
        (141.8, "141.8"),
        (128.03, "128.03"),
        (99.999999, "100"),
        (127.5, "127.5"),
        (100.0, "100"),
        (173.123456, "173.123"),
    ],
)
def test_bpm_display(bpm, shown):
    assert bpm_display(bpm, duration_s=300.0) == shown


def test_bpm_display_keeps_the_decimals_that_matter_over_the_track():
    # 0.003 BPM in 174 are 1.0 ms over a minute, 5.2 ms over five.
    assert bpm_display(173.997, duration_s=60.0) == "174"
    assert bpm_display(173.997, duration_s=300.0) == "173.997"
    # ... unless nobody knows them that well.
    assert bpm_display(173.997, duration_s=300.0, bpm_std=0.01) == "174"


@pytest.mark.parametrize(
    ("bpm", "bpm_std", "shown"),
    [
        (149.964, 0.006, "150"),
        (120.31, 0.14, "120"),
        (120.3088, 0.04, "120.3"),
        (109.977, 0.0012, "109.98"),
    ],
)
def test_bpm_display_shows_only_digits_that_are_known(bpm, bpm_std, shown):
    assert bpm_display(bpm, duration_s=30.0, bpm_std=bpm_std) == shown


def test_names_keep_the_audios_suffix():
    assert result_name("a.mp3") == "a.mp3.beatgrid.json"
    assert result_name("a.mp3", ".png") == "a.mp3.png"


def test_names_longer_than_a_file_system_allows_stay_apart(tmp_path):
    names = [result_name("é" * 120 + end) for end in ("1.mp3", "2.mp3")]
    assert len(set(names)) == 2
    for name in names:
        write_result(tmp_path / "out" / name, {"ok": True})
        assert json.loads((tmp_path / "out" / name).read_text(encoding="utf-8")) == {"ok": True}


def test_written_file_reads_back_and_shows_a_beat_per_line(tmp_path):
    result = result_of()
    path = tmp_path / "new" / "a.beatgrid.json"
    write_result(path, result)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == result
    assert '\n    {"time": 1.25, "bar_position": 1, "prob_at_grid": 0.0417},\n' in text
    assert "日本 - é" in text
    assert os.listdir(path.parent) == [path.name]


def test_numbers_that_are_not_finite_leave_no_file(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(ValueError, match="JSON"):
        write_result(path, {"bpm": math.nan})
    assert os.listdir(tmp_path) == []


def test_undecodable_file_names_can_be_shown():
    assert displayable(os.fsdecode(b"a\xff.mp3")) == "a�.mp3"
    assert displayable("日é") == "日é"


def test_beats_follow_the_segments_where_the_tempo_changes():
    beats = Beats(
        np.array([0.0, 0.5, 1.0, 1.4]),
        np.array([1, 2, 3, 4]),
        np.array([0, 0, 0, 1]),
        np.array([True, True, False, True]),
    )
    segments = (Segment(0.0, 1.2, 120.0, 0.0), Segment(1.2, 30.0, 150.0, 1.4))
    result = result_of(replace(ESTIMATE, segments=segments, beats=beats))
    assert [b["time"] for b in result["beats"]] == [0.0, 0.5, 1.0, 1.4]
    assert [b["segment"] for b in result["beats"]] == [0, 0, 0, 1]
    assert [b["certain"] for b in result["beats"]] == [True, True, False, True]
    assert result["offset_s"] == result["downbeat_offset_s"] == 0.0
    assert not result["constant_tempo"]


def test_beat_one_a_little_before_the_file_is_its_first():
    result = result_of(replace(ESTIMATE, grid=Grid(120.0, -0.004, 4)))
    assert result["offset_s"] == result["downbeat_offset_s"] == 0.0
    assert [b["time"] for b in result["beats"][:2]] == [0.0, 0.496]
    assert result["beats"][0]["bar_position"] == 1
    assert "segment" not in result["beats"][0]
