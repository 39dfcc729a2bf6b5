"""VirtualDJ's database, read by Python's own XML parser as VirtualDJ documents it.

There is no reader of it in Python that could be asked: the rules are those of
https://www.virtualdj.com/wiki/VDJ_database.html.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from beatgrid.errors import BeatgridError
from beatgrid.export.dj.virtualdj import render
from beatgrid.export.options import ExportOptions
from tests.export.dj.tracks import AWKWARD, TRACKS, changing, constant, read_beats, worst_ms

OPTIONS = ExportOptions()
# As VirtualDJ writes it, line ends included.
DATABASE = """<?xml version="1.0" encoding="UTF-8"?>
<VirtualDJ_Database Version="8.5">
 <Song FilePath="C:\\Musik\\Größe &amp; Co.mp3" FileSize="25724840">
  <Tags Author="NTMusic" Bpm="0.468750" Flag="1" />
  <Infos SongLength="72.915782" FirstSeen="1518996996" />
  <Scan Version="801" Bpm="0.507959" AltBpm="0.380975" Volume="0.246516" Key="A#" Flag="32768" />
  <Poi Pos="3.721451" Type="beatgrid" />
  <Poi Pos="3.723900" Type="automix" Point="realStart" />
  <Poi Pos="60.0" Type="beatgrid" Bpm="0.5" />
  <Poi Name="Cue 1" Pos="15.912449" Num="1" />
  <Comment>a &lt; b</Comment>
 </Song>
 <Song FilePath="/Users/dj/b.mp3" FileSize="1" />
</VirtualDJ_Database>
""".replace("\n", "\r\n")


def songs(data: bytes):
    root = ET.fromstring(data)
    assert root.tag == "VirtualDJ_Database"
    return root.findall("Song")


def grid(song, bpm=None):
    """The anchors of a song (seconds, BPM); Bpm is seconds per beat in this format."""
    scan_bpm = 60 / float(song.find("Scan").get("Bpm"))
    return [
        (float(poi.get("Pos")), 60 / float(poi.get("Bpm")) if poi.get("Bpm") else scan_bpm)
        for poi in song.findall("Poi[@Type='beatgrid']")
    ]


@pytest.mark.parametrize("track", TRACKS)
def test_grid_as_a_reader_sees_it(track):
    (song,) = songs(render([track], OPTIONS, None))
    true_s = track.beat_times_s()
    anchors = grid(song)
    after = true_s[true_s >= anchors[0][0] - 1e-5]
    assert worst_ms(read_beats(anchors, after[-1] + 0.01, 1e-4), after) < 0.02
    assert float(song.find("Scan").get("Phase")) == anchors[0][0]
    assert 60 / float(song.find("Scan").get("Bpm")) == pytest.approx(track.constant().bpm, 1e-8)


def test_a_constant_grid():
    (song,) = songs(render([constant(bpm=128.0, first_s=0.25, bar=4)], OPTIONS, None))
    assert [(e.tag, e.attrib) for e in song] == [
        ("Tags", {"Title": "a"}),
        ("Infos", {"SongLength": "300.000000"}),
        ("Scan", {"Version": "801", "Bpm": "0.468750000", "Phase": "0.718750"}),
        ("Poi", {"Pos": "0.718750", "Type": "beatgrid"}),
    ]


@pytest.mark.parametrize("path", AWKWARD)
def test_awkward_names(path):
    (song,) = songs(render([constant(path)], OPTIONS, None))
    assert song.attrib == {"FilePath": path}


def test_the_size_of_a_file_that_is_there(tmp_path: Path):
    (tmp_path / "a.mp3").write_bytes(bytes(17))
    (song,) = songs(render([constant(tmp_path / "a.mp3")], OPTIONS, None))
    assert song.attrib == {"FilePath": str(tmp_path / "a.mp3"), "FileSize": "17"}


def merged(*tracks):
    return render(tracks, OPTIONS, DATABASE.encode())


def test_merging_changes_grids_only():
    path = "c:\\musik\\GRÖSSE & Co.mp3".replace("SS", "ß")
    data = merged(constant(path, bpm=120.0, first_s=0.25))
    assert data.decode() == DATABASE.replace(
        """Bpm="0.507959" AltBpm="0.380975" Volume="0.246516" Key="A#" Flag="32768" />""",
        """Bpm="0.500000000" AltBpm="0.380975" Volume="0.246516" Key="A#" Flag="32768" """
        """Phase="0.250000" />""",
    ).replace('Pos="3.721451" Type', 'Pos="0.250000" Type').replace(
        """  <Poi Pos="60.0" Type="beatgrid" Bpm="0.5" />\r\n""", ""
    )


def test_merging_into_an_empty_song_and_adding_one():
    track = changing("/Users/dj/b.mp3")
    _, second, added = songs(merged(track, constant("/Users/dj/neu.mp3", bpm=120.0)))
    true_s = track.beat_times_s()
    assert worst_ms(read_beats(grid(second), true_s[-1] + 0.01, 1e-4), true_s) < 0.02
    assert added.get("FilePath") == "/Users/dj/neu.mp3"
    assert grid(added) == [(0.2, 120.0)]


def test_merging_twice_changes_nothing_more():
    tracks = [changing("/Users/dj/b.mp3"), constant("/Users/dj/new.mp3")]
    once = merged(*tracks)
    assert render(tracks, OPTIONS, once) == once


def test_what_is_no_database():
    with pytest.raises(BeatgridError, match="no database of VirtualDJ"):
        render([], OPTIONS, b"<NML/>")
