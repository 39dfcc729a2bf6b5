"""Label files: what is read, what is refused, what is written."""

import json
import math
import sys
from pathlib import Path

import pytest

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
    }
    label = load_label(write(tmp_path, content))
    assert label.grid == Grid(174.3, 0.379, 3)
    assert label.name == "song"
    assert label.file_name == "sub/a song, (mix) é.m4a"
    assert label.duration_s == 201.5
    assert (label.downbeat, label.split, label.group) == ("likely", "val", "tune")
    assert label.extra == {"suspect": "octave", "license": None}


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
        ('{"bpm": 120, "fileName": 7}', "fileName is 7; it must be text"),
        ('{"bpm": 120, "fileName": "../../x.wav"}', r"'../../x.wav' leaves the audio folder"),
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
    path = tmp_path / "latin.labels.json"
    path.write_bytes(b'{"bpm": 120, "title": "\xe9"}')
    with pytest.raises(LabelError, match="not valid JSON"):
        load_label(path)


def test_audio_path_stays_inside(tmp_path):
    audio_dir = tmp_path / "audio"
    (audio_dir / "sub").mkdir(parents=True)
    (tmp_path / "outside.wav").touch()
    (audio_dir / "link.wav").symlink_to(tmp_path / "outside.wav")
    (audio_dir / "up").symlink_to(tmp_path)

    def audio_path(name):
        label = load_label(write(tmp_path, {"bpm": 120, "fileName": name}))
        return label.audio_path(audio_dir)

    assert audio_path("sub/../x.wav") == audio_dir / "sub/../x.wav"
    assert audio_path("") is None
    for name in ("link.wav", "up/outside.wav"):
        with pytest.raises(LabelError, match=r"leads to .*outside.wav, outside"):
            audio_path(name)
    (audio_dir / "loop.wav").symlink_to(audio_dir / "loop.wav")
    if sys.version_info < (3, 13):  # later versions leave it to whoever opens the file
        with pytest.raises(LabelError, match=r"loop\.wav' is a link to itself"):
            audio_path("loop.wav")
    linked = tmp_path / "linked"
    linked.symlink_to(audio_dir)  # the folder itself may be a link
    label = load_label(write(tmp_path, {"bpm": 120, "fileName": "x.wav"}))
    assert label.audio_path(linked) == linked / "x.wav"


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
    write_label(path, grid, 12.25, "é.flac", "unknown", split="test", genre="dub")
    label = load_label(path)
    assert label.grid == grid
    assert (label.duration_s, label.file_name, label.downbeat) == (12.25, "é.flac", "unknown")
    assert (label.split, label.extra) == ("test", {"genre": "dub"})
    keys = "fileName bpm duration downbeatOffset beatsPerBar downbeat split genre"
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
