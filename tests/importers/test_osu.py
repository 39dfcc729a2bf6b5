"""osu!'s timing points against beats that are known, and against the ``slider`` library."""

import datetime

import numpy as np
import pytest
import slider

from beatgrid.importers.charts.osu import read
from beatgrid.importers.folders import ImportFileError
from beatgrid.importers.grid import label_grid
from tests.importers.files import beats, source

OSU = (
    "osu file format v{version}\r\n\r\n[General]\r\nAudioFilename: song.mp3\r\nAudioLeadIn: 500\r\n"
    "\r\n[Metadata]\r\nTitle:A\r\nTitleUnicode:日本\r\nArtist:B\r\nCreator:C\r\nVersion:Hard\r\n\r\n"
    "[Difficulty]\r\nHPDrainRate:5\r\nCircleSize:5\r\nOverallDifficulty:5\r\nSliderMultiplier:1.4\r\n"
    "SliderTickRate:1\r\n\r\n[TimingPoints]\r\n{points}\r\n\r\n[HitObjects]\r\n1,1,5,1,0\r\n"
)


def tracks(path, *points, version=14):
    return read(source(path / "a.osu", OSU.format(version=version, points="\r\n".join(points))))


def test_a_point_is_a_downbeat(tmp_path):
    (track,) = tracks(tmp_path, "1234,344.827586206897,3,1,0,100,1,0", "2000,-50,4,1,0,100,0,0")
    found = label_grid(track.marks, 20.0, 1e-3)
    assert found.grid.bpm == pytest.approx(174, abs=1e-9)
    assert found.grid.beats_per_bar == 3
    assert (1.234 - found.grid.offset_s) % (3 * 60 / 174) == pytest.approx(0, abs=1e-9)
    assert (track.title, track.artist, track.part, track.audio) == ("日本", "B", "Hard", "song.mp3")
    assert found.bars_known


def test_another_reader_has_the_same_points(tmp_path):
    points = ["250,500,4,1,0,100,1,0", "8250,400,4,1,0,100,1,0", "9000,-100,4,1,0,100,0,0"]
    text = OSU.format(version=14, points="\r\n".join(points))
    (track,) = tracks(tmp_path, *points)
    theirs = [p for p in slider.Beatmap.parse(text).timing_points if p.parent is None]
    assert [(m.beat_s, m.bpm) for m in track.marks] == [
        (p.offset / datetime.timedelta(seconds=1), p.bpm) for p in theirs
    ]
    expected = np.concatenate([0.25 + np.arange(16) / 2, 8.25 + np.arange(30) * 0.4])
    found = beats(label_grid(track.marks, 20.0, 1e-3), 20.0)
    np.testing.assert_allclose(found, expected[expected < 20], atol=1e-9)


def test_points_that_only_begin_a_bar_keep_one_grid(tmp_path):
    """Their whole milliseconds are within half a one of the same line."""
    period_ms = 60_000 / 174
    points = [f"{round(100 + k * period_ms)},{period_ms:.12g},4,1,0,100,1,0" for k in (0, 32, 100)]
    found = label_grid(tracks(tmp_path, *points)[0].marks, 60.0, 1e-3)
    assert not found.is_piecewise
    assert found.grid.bpm == pytest.approx(174, abs=1e-9)
    assert found.bars_known
    np.testing.assert_allclose(beats(found, 60.0), 0.1 + np.arange(174) * 60 / 174, atol=5e-4)


def test_a_point_without_bar_line_is_no_downbeat(tmp_path):
    """As this program's exports have it where a tempo begins within a bar."""
    (track,) = tracks(tmp_path, "0,500,4,1,0,100,1,8", "1000,500,4,1,0,100,1,0")
    assert [mark.bar_position for mark in track.marks] == [None, 1]


def test_old_versions_are_24_ms_early(tmp_path):
    (track,) = tracks(tmp_path, "1000,500", version=4)
    assert track.late_s == -0.024
    (track,) = tracks(tmp_path, "1000,500", version=5)
    assert track.late_s == 0


@pytest.mark.parametrize(
    "text",
    ["", "hello", "osu file format v14\n", "osu file format v14\n[TimingPoints]\n0,-100,4,1,0,0,0"],
)
def test_a_file_without_timing_is_named(text, tmp_path):
    with pytest.raises(ImportFileError, match=r"a\.osu: "):
        read(source(tmp_path / "a.osu", text))


@pytest.mark.parametrize("point", ["nan,500", "10,NaN,4", "x", "5", ""])
def test_damaged_points_are_ignored(point, tmp_path):
    (track,) = tracks(tmp_path, point, "1000,500,4,1,0,100,1,0")
    assert len(track.marks) == 1
