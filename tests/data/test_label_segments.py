"""Labels of changing tempo: written, read, refused where one tempo is needed."""

import json

import pytest

from beatgrid.data.discovery import discover
from beatgrid.data.label_segments import (
    LabelSegment,
    PiecewiseLabelError,
    parse_segments,
    write_piecewise_label,
)
from beatgrid.data.labels import load_label, write_label
from beatgrid.errors import BeatgridError, LabelError
from beatgrid.grid import Grid

SEGMENTS = [LabelSegment(0.0, Grid(120.1, 0.35)), LabelSegment(96.5, Grid(124.0, 96.5))]


@pytest.fixture
def label(tmp_path):
    path = tmp_path / "labels" / "song.labels.json"
    write_piecewise_label(path, SEGMENTS, 180.0, "song.wav", reviewed="today")
    return path


def test_it_says_what_it_was_given(label):
    content = json.loads(label.read_text())
    assert "bpm" not in content
    assert content["reviewed"] == "today"
    assert content["segments"][1] == {"start": 96.5, "bpm": 124.0, "downbeatOffset": 96.5}
    assert parse_segments(content, label) == SEGMENTS


def test_it_is_refused_by_a_line_where_one_tempo_is_needed(label):
    with pytest.raises(PiecewiseLabelError) as caught:
        load_label(label)
    (line,) = str(caught.value).splitlines()
    assert "song.labels.json: has 2 segments of different tempi" in line


def test_a_folder_is_read_without_it(label, tmp_path, caplog):
    for name in ("song.wav", "other.wav"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BeatgridError, match="all 1 labels are of changing tempo"):
        discover(tmp_path, label.parent)
    write_label(label.parent / "other.labels.json", Grid(100, 0), None, "other.wav")
    assert [track.name for track in discover(tmp_path, label.parent)] == ["other"]
    assert "skipped 1 of 2 labels, their tempo changes: song.labels.json" in caplog.text


def test_a_constant_label_may_have_segments_of_its_own_meaning(tmp_path):
    path = tmp_path / "a.labels.json"
    path.write_text('{"bpm": 100, "segments": ["intro"]}')
    assert load_label(path).extra == {"segments": ["intro"]}


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ([], "is empty"),
        ([3], "segment 1 is no object"),
        ([{"start": 0, "bpm": 100}], 'segment 1 lacks "downbeatOffset"'),
        ([{"start": 0, "bpm": "100", "downbeatOffset": 0}], "not a number"),
        ([{"start": 0, "bpm": 0, "downbeatOffset": 0}], "must be above 0"),
        ([{"start": 0, "bpm": 12000, "downbeatOffset": 0}], "at most 1000"),
        ([{"start": 0, "bpm": 100, "downbeatOffset": 1e9}], "write seconds"),
        ([{"start": 5, "bpm": 100, "downbeatOffset": 0}] * 2, "segment 2: start is 5, not after"),
    ],
)
def test_what_is_wrong_is_a_line_of_its_own(segments, message, tmp_path):
    path = tmp_path / "a.labels.json"
    path.write_text(json.dumps({"segments": segments}))
    with pytest.raises(LabelError, match=message) as caught:
        load_label(path)
    assert not isinstance(caught.value, PiecewiseLabelError)


def test_bars_of_different_lengths_are_not_written(tmp_path):
    path = tmp_path / "a.labels.json"
    with pytest.raises(LabelError, match=r"bars of \[3, 4\] beats"):
        write_piecewise_label(path, [SEGMENTS[0], LabelSegment(50, Grid(100, 50, 3))], None, None)
    assert not path.exists()
