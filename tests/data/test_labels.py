"""Label files: what is read, what is refused, what is written."""

import json
import math
import os
import re
from pathlib import Path

import pytest

from beatgrid.data.label_fields import MAX_DOUBTS
from beatgrid.data.labels import load_label, write_label
from beatgrid.errors import LabelError
from beatgrid.grid import Grid


def write(folder: Path, content, name: str = "song.labels.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_full_label(tmp_path):
    content = {
        "fileName": "sub/a song, (mix) é.m4a",
        "bpm": 174.3,
        "duration": 201.5,
        "downbeatOffset": 0.379,
        "beatsPerBar": 3,
        "downbeat": "likely",
        "split": "val",
        "group": "tune",
        "suspect": "octave",
        "license": None,
        "mood": "calm",
    }
    label = load_label(write(tmp_path, content))
    assert label.grid == Grid(174.3, 0.379, 3)
    assert label.name == "song"
    assert label.file_name == "sub/a song, (mix) é.m4a"
    assert label.duration_s == 201.5
    assert (label.downbeat, label.split, label.group) == ("likely", "val", "tune")
    assert (label.suspect, label.license) == ("octave", None)
    assert (label.extra, label.doubts) == ({"mood": "calm"}, ())


def test_only_the_tempo_is_required(tmp_path):
    for content in ({"bpm": 128}, {"bpm": 128, "duration": None, "downbeat": None, "split": None}):
        label = load_label(write(tmp_path, content))
        assert label.grid == Grid(128.0, 0.0, 4)
        assert (label.file_name, label.duration_s, label.downbeat) == (None, None, "reliable")
        assert (label.split, label.group, label.extra) == (None, None, {})


def test_beats_before_the_offset_count(tmp_path):
    # The notebook began at the offset and left these beats as negatives.
    label = load_label(write(tmp_path, {"bpm": 120, "downbeatOffset": 1.7}))
    assert label.grid.beat_times(3.0) == pytest.approx([0.2, 0.7, 1.2, 1.7, 2.2, 2.7])
    assert label.grid.downbeat_times(5.0) == pytest.approx([1.7, 3.7])


def test_negative_offset_and_byte_order_mark(tmp_path):
    path = tmp_path / "song.labels.json"
    path.write_text('{"bpm": 120, "downbeatOffset": -0.25}', encoding="utf-8-sig")
    assert load_label(path).grid.first_beat_s == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not valid JSON"),
        ("{bpm: 120}", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[120]", "holds a JSON list, not an object"),
        ("120", "holds a JSON int, not an object"),
        ('{"tempo": 120}', 'lacks "bpm"'),
        ('{"bpm": null}', 'lacks "bpm"'),
        ('{"bpm": 0}', "bpm is 0; it must be greater than 0"),
        ('{"bpm": -120}', "bpm is -120; it must be greater than 0"),
        ('{"bpm": NaN}', "bpm is NaN; it must be a finite number"),
        ('{"bpm": Infinity}', "bpm is Infinity; it must be a finite number"),
        ('{"bpm": 1' + "0" * 400 + "}", r"bpm is 10+\.\.\.; it must be a finite number"),
        ('{"bpm": "120"}', 'bpm is "120", not a number; .* without quotes'),
        ('{"bpm": true}', "bpm is true, not a number"),
        ('{"bpm": [120]}', r"bpm is \[120\], not a number"),
        ('{"bpm": 12800}', "bpm is 12800, more than 1000"),
        ('{"bpm": 120, "duration": -3}', "duration is -3; it must be greater than 0 s"),
        ('{"bpm": 120, "duration": 0}', "duration is 0; it must be greater than 0 s"),
        ('{"bpm": 120, "duration": 300000}', "duration is 300000, more than 24 hours, it looks "),
        ('{"bpm": 120, "duration": 1e20}', r"duration is 1e\+20, more than 24 hours, absurd"),
        ('{"bpm": 120, "duration": NaN}', "duration is NaN"),
        ('{"bpm": 120, "duration": "3:20"}', 'duration is "3:20", not a number'),
        ('{"bpm": 120, "downbeatOffset": "0"}', 'downbeatOffset is "0", not a number'),
        ('{"bpm": 120, "downbeatOffset": NaN}', "downbeatOffset is NaN"),
        ('{"bpm": 120, "downbeatOffset": 1e300}', r"downbeatOffset is 1e\+300, beyond"),
        ('{"bpm": 120, "beatsPerBar": 0}', "beatsPerBar is 0; it must be a whole number"),
        ('{"bpm": 120, "beatsPerBar": 3.5}', "beatsPerBar is 3.5"),
        ('{"bpm": 120, "beatsPerBar": "4"}', 'beatsPerBar is "4"'),
        ('{"bpm": 120, "beatsPerBar": true}', "beatsPerBar is true"),
        ('{"bpm": 120, "downbeat": "yes"}', 'downbeat is "yes"; .* reliable, likely, unknown'),
        ('{"bpm": 120, "downbeat": ["likely"]}', "downbeat is"),
        ('{"bpm": 120, "split": "dev"}', 'split is "dev"; .* train, val, test'),
        ('{"bpm": 120, "group": 7}', "group is 7; it must be text"),
        ('{"bpm": 120, "suspect": true}', "suspect is true; it must be text"),
        ('{"bpm": 120, "genre": ["dub"]}', r'genre is \["dub"\]; it must be text'),
        ('{"bpm": 120, "artist": 7}', "artist is 7; it must be text"),
        ('{"bpm": 120, "license": {}}', r"license is \{\}; it must be text"),
        ('{"bpm": 120, "source": 1.5}', "source is 1.5; it must be text"),
        ('{"BPM": 120}', r'lacks "bpm" \(it has "BPM"\)'),
        ('{"bpm": 120, "fileName": "\\ud800.wav"}', r'fileName is "\\ud800.wav"; half of a'),
        ('{"bpm": 120, "fileName": "' + "é" * 150 + '"}', "fileName is .*; 300 bytes, more than"),
        ('{"bpm": 120, "x": "' + "y" * 1_000_000 + '"}', "holds more than 1 MB"),
        ('{"bpm": 120, "fileName": 7}', "fileName is 7; it must be text"),
        ('{"bpm": 120, "fileName": "../../x.wav"}', r'"../../x.wav" leaves the audio folder'),
        ('{"bpm": 120, "fileName": "a/../../x.wav"}', "leaves the audio folder"),
        ('{"bpm": 120, "fileName": "/etc/passwd"}', "leaves the audio folder"),
        ('{"bpm": 120, "fileName": "C:\\\\x.wav"}', "leaves the audio folder"),
        ('{"bpm": 120, "fileName": "..\\\\x.wav"}', "leaves the audio folder"),
        ('{"bpm": 120, "fileName": "a\\u0000b.wav"}', "null character"),
    ],
)
def test_what_is_refused(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(LabelError, match=message) as caught:
        load_label(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 200


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(LabelError, match="cannot read the label"):
        load_label(tmp_path / "none.labels.json")
    with pytest.raises(LabelError, match="cannot read the label"):
        load_label(tmp_path)
    os.mkfifo(tmp_path / "pipe.labels.json")
    with pytest.raises(LabelError, match="not valid JSON"):
        load_label(tmp_path / "pipe.labels.json")
    (tmp_path / "zeros.labels.json").symlink_to("/dev/zero")
    with pytest.raises(LabelError, match="holds more than 1 MB"):
        load_label(tmp_path / "zeros.labels.json")
    path = tmp_path / "latin.labels.json"
    path.write_bytes(b'{"bpm": 120, "title": "\xe9"}')
    with pytest.raises(LabelError, match="not valid JSON"):
        load_label(path)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ('{"bpm": 120, "downbeatoffset": 1}', 'key "downbeatoffset" is ignored.*"downbeatOffset"'),
        ('{"bpm": 120, "downbeat_offset": 1}', 'did you mean "downbeatOffset"'),
        ('{"bpm": 120, "Suspect": "octave"}', 'key "Suspect" is ignored, did you mean "suspect"'),
        ('{"bpm": 120, "artists": "A"}', 'key "artists" is ignored, did you mean "artist"'),
        ('{"bpm": 120, "licence": "CC0"}', 'key "licence" is ignored, did you mean "license"'),
        ('{"bpm": 120, "bpm": 60}', 'key "bpm" comes 2 times, the last one counts: 60'),
        ('{"bpm": 120, "suspect": "mood"}', 'suspect is "mood"; calibration heeds only "octave"'),
        ('{"bpm": 120, "duration": 9, "downbeatOffset": 352}', "downbeatOffset is 352 s, beyond"),
    ],
)
def test_what_is_doubted(tmp_path, text, doubt):
    (found,) = load_label(write(tmp_path, text)).doubts
    assert re.search(doubt, found)
    assert "\n" not in found


@pytest.mark.parametrize("key", ["title", "offsetSource", "licenseEvidence", "mood", "tags", "é"])
def test_keys_of_others_are_no_slips(tmp_path, key):
    label = load_label(write(tmp_path, {"bpm": 120, key: 1}))
    assert (label.doubts, label.extra) == ((), {key: 1})


def test_doubts_of_a_file_are_bounded(tmp_path):
    slips = {f"artist{i}": "A" for i in range(1000)}
    twice = ", ".join(f'"k{i}": 1, "k{i}": 2' for i in range(1000))
    assert len(load_label(write(tmp_path, {"bpm": 120, **slips})).doubts) == MAX_DOUBTS
    assert len(load_label(write(tmp_path, f'{{"bpm": 120, {twice}}}')).doubts) == MAX_DOUBTS


def test_any_key_can_be_asked_for(tmp_path):
    content = {"bpm": 120, "duration": 9, "downbeatOffset": 0.5, "beatsPerBar": 3, "split": "val"}
    label = load_label(write(tmp_path, {**content, "genre": "dub", "mood": "calm"}))
    assert {key: label.get(key) for key in content} == content
    assert [label.get(key) for key in ("genre", "mood", "artist", "grid")] == [
        *("dub", "calm", None, None)
    ]


def test_duration_within(tmp_path):
    label = load_label(write(tmp_path, {"bpm": 120}))
    assert label.duration_within(200.0) == 200.0
    label = load_label(write(tmp_path, {"bpm": 120, "duration": 60}))
    assert label.duration_within(200.0) == 60
    assert label.duration_within(50.0) == 50
    label = load_label(write(tmp_path, {"bpm": 120, "duration": 60000}))
    with pytest.raises(LabelError, match="duration 60000 is in milliseconds"):
        label.duration_within(60.01)


def test_written_labels_come_back_exactly(tmp_path):
    path = tmp_path / "deep" / "é.labels.json"
    grid = Grid(174.3 + 1e-9 / 3, -math.pi / 7, 3)
    write_label(path, grid, 12.25, "é.flac", "unknown", split="test", genre="dub", key="F")
    label = load_label(path)
    assert label.grid == grid
    assert (label.duration_s, label.file_name, label.downbeat) == (12.25, "é.flac", "unknown")
    assert (label.split, label.genre, label.extra) == ("test", "dub", {"key": "F"})
    keys = "fileName bpm duration downbeatOffset beatsPerBar downbeat split genre key"
    assert set(json.loads(path.read_text(encoding="utf-8"))) == set(keys.split())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_nothing_is_written_that_could_not_be_read(tmp_path):
    path = tmp_path / "x.labels.json"
    with pytest.raises(LabelError, match="duration is -1"):
        write_label(path, Grid(120, 0), -1.0, None)
    with pytest.raises(LabelError, match="downbeat is"):
        write_label(path, Grid(120, 0), None, None, "perhaps")
    with pytest.raises(LabelError, match="leaves the audio folder"):
        write_label(path, Grid(120, 0), None, "/x.wav")
    with pytest.raises(LabelError, match="bpm given twice"):
        write_label(path, Grid(120, 0), None, None, bpm=3)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_label(path, Grid(120, 0), None, None, gain=math.nan)
    assert list(tmp_path.iterdir()) == []
