"""rekordbox XML, read by pyrekordbox."""

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from pyrekordbox.rbxml import RekordboxXml

from beatgrid.errors import BeatgridError
from beatgrid.export.dj.rekordbox import MAX_ERROR_S, render, tempos
from beatgrid.export.options import ExportOptions
from tests.export.dj.tracks import (
    AWKWARD,
    TRACKS,
    changing,
    constant,
    of_beats,
    read_beats,
    worst_ms,
)

OPTIONS = ExportOptions()
# As rekordbox writes it, with what beatgrid knows nothing of.
COLLECTION = """<?xml version="1.0" encoding="UTF-8"?>

<DJ_PLAYLISTS Version="1.0.0">
  <PRODUCT Name="rekordbox" Version="6.8.5" Company="AlphaTheta"/>
  <!-- mine -->
  <COLLECTION Entries="4">
    <TRACK TrackID="7" Name="One &amp; only" Artist="É" Rating="204" AverageBpm="64.00"
           Location="file://localhost/Users/dj/a%20b/Cafe%CC%81.mp3" Tonality="Am">
      <TEMPO Inizio="0.100" Bpm="64.00" Metro="4/4" Battito="2"/>
      <TEMPO Inizio="60.100" Bpm="64.10" Metro="4/4" Battito="1"/>
      <POSITION_MARK Name="drop" Type="0" Start="30.120" Num="0" Red="40" Green="226" Blue="20"/>
      <UNKNOWN x="1">kept</UNKNOWN>
    </TRACK>
    <TRACK TrackID="12" Name="Two" Location="file://localhost/C:/Musik/TWO.mp3" AverageBpm="0.00"/>
    <TRACK TrackID="13" Name="Three" Location="file://localhost/Users/dj/three.mp3">
      <POSITION_MARK Name="" Type="0" Start="1.000" Num="-1"/>
    </TRACK>
    <TRACK TrackID="14" Name="No file"/>
  </COLLECTION>
  <PLAYLISTS>
    <NODE Type="0" Name="ROOT" Count="1">
      <NODE Name="set" Type="1" KeyType="0" Entries="2">
        <TRACK Key="7"/>
        <TRACK Key="12"/>
      </NODE>
    </NODE>
  </PLAYLISTS>
</DJ_PLAYLISTS>
"""


def read(data: bytes, folder: Path) -> RekordboxXml:
    (folder / "rekordbox.xml").write_bytes(data)
    return RekordboxXml(folder / "rekordbox.xml")


@pytest.mark.parametrize("track", TRACKS)
def test_no_beat_is_moved_by_more_than_the_bound(track, tmp_path):
    xml = read(render([track], OPTIONS, None), tmp_path)
    grid = [(tempo.Inizio, tempo.Bpm) for tempo in xml.get_track(0).tempos]
    true_s = track.beat_times_s()
    assert worst_ms(read_beats(grid, true_s[-1] + 0.01), true_s) <= 1000 * MAX_ERROR_S + 1e-6


@pytest.mark.parametrize("track", TRACKS)
def test_each_element_begins_on_a_beat_and_names_its_place_in_the_bar(track, tmp_path):
    xml = read(render([track], OPTIONS, None), tmp_path)
    true_s, positions = track.beat_times_s(), track.bar_positions()
    for tempo in xml.get_track(0).tempos:
        beat = int(np.abs(true_s - tempo.Inizio).argmin())
        assert abs(true_s[beat] - tempo.Inizio) <= MAX_ERROR_S
        assert (tempo.Metro, tempo.Battito) == ("4/4", positions[beat])


def test_a_tempo_of_hundredths_needs_one_element():
    assert [t.xml for t in tempos(constant(bpm=127.97, first_s=0.2, bar=3))] == [
        '<TEMPO Inizio="0.200" Bpm="127.97" Metro="4/4" Battito="3"/>'
    ]
    assert len(tempos(constant(bpm=127.9999))) == 1  # 0.2 ms in 5 minutes


def test_elements_within_one_tempo_begin_with_bars():
    grid = tempos(constant(bpm=174.0349, bar=2, duration_s=600.0))
    assert len(grid) > 3
    assert [tempo.bar_position for tempo in grid] == [2] + [1] * (len(grid) - 1)
    assert {tempo.bpm_hundredths for tempo in grid} == {17403}


@pytest.mark.parametrize("seed", range(20))
def test_random_grids(seed):
    random = np.random.default_rng(seed)
    parts = [
        60 / random.choice([bpm, np.round(bpm), np.round(bpm, 2)])
        + random.normal(0, random.choice([0, 0.001]), random.integers(1, 150))
        for bpm in random.uniform(55, 330, random.integers(1, 8))
    ]
    track = of_beats("/a.mp3", random.uniform(0, 0.5) + np.cumsum(np.concatenate(parts)))
    grid = [(tempo.inizio_ms / 1000, tempo.bpm_hundredths / 100) for tempo in tempos(track)]
    true_s = track.beat_times_s()
    assert worst_ms(read_beats(grid, true_s[-1] + 0.01), true_s) <= 1000 * MAX_ERROR_S + 1e-6


def test_a_beat_that_counts_as_being_at_0():
    track = constant(bpm=120.0, first_s=0.492)  # a beat at -8 ms
    assert track.beat_times_s()[0] == 0
    grid = tempos(track)
    assert [(t.inizio_ms, t.bpm_hundredths) for t in grid] == [(0, 12195), (492, 12000)]


@pytest.mark.parametrize("path", AWKWARD)
def test_awkward_names(path, tmp_path):
    xml = read(render([constant(path)], OPTIONS, None), tmp_path)
    track = xml.get_track(0)
    expected = path.replace("\\", "/").lstrip("/")
    assert track.Location.lstrip("/") == os.path.normpath(expected)
    assert track.TotalTime == 300
    assert track.AverageBpm == 127.97
    assert track.SampleRate == 44100


def test_several_tracks(tmp_path):
    tracks = [constant(path, bpm=100.0 + i) for i, path in enumerate(AWKWARD)]
    xml = read(render(tracks, OPTIONS, None), tmp_path)
    assert xml.num_tracks == len(AWKWARD)
    assert [t.TrackID for t in xml.get_tracks()] == list(range(1, len(AWKWARD) + 1))
    assert [t.tempos[0].Bpm for t in xml.get_tracks()] == [100.0 + i for i in range(len(AWKWARD))]


def without_grids(data: bytes):
    """Everything of a collection but the grids, in an order that does not matter."""
    root = ET.fromstring(data)
    for track in root.iter("TRACK"):
        track.attrib.pop("AverageBpm", None)
        for tempo in track.findall("TEMPO"):
            track.remove(tempo)
    return [(e.tag, e.attrib, (e.text or "").strip()) for e in root.iter()]


def merged(*tracks, into=COLLECTION):
    return render(tracks, OPTIONS, into.encode())


def test_merging_changes_grids_only():
    data = merged(
        constant("/Users/dj/a b/Caf\u00e9.mp3", bpm=128.0, first_s=0.25),
        constant("c:\\musik\\two.mp3", bpm=90.0, first_s=0.5, bar=4),
        changing("/Users/dj/three.mp3"),
    )
    assert without_grids(data) == without_grids(COLLECTION.encode())
    root = ET.fromstring(data)
    one, two, three, none = root.findall("COLLECTION/TRACK")
    assert [t.attrib for t in one.findall("TEMPO")] == [
        {"Inizio": "0.250", "Bpm": "128.00", "Metro": "4/4", "Battito": "1"}
    ]
    assert [t.attrib["Battito"] for t in two.findall("TEMPO")] == ["4"]
    assert [t.get("AverageBpm") for t in (one, two)] == ["128.00", "90.00"]
    assert [e.tag for e in three] == ["TEMPO"] * len(tempos(changing())) + ["POSITION_MARK"]
    assert not list(none)


def test_all_but_the_grid_stays_to_the_byte():
    text = merged(constant("/Users/dj/a b/Caf\u00e9.mp3", bpm=128.0, first_s=0.25)).decode()
    before = """      <TEMPO Inizio="0.100" Bpm="64.00" Metro="4/4" Battito="2"/>
      <TEMPO Inizio="60.100" Bpm="64.10" Metro="4/4" Battito="1"/>
"""
    after = """      <TEMPO Inizio="0.250" Bpm="128.00" Metro="4/4" Battito="1"/>
"""
    assert text == COLLECTION.replace(before, after).replace('"64.00"\n', '"128.00"\n')


def test_tracks_that_the_collection_lacks_are_added(tmp_path):
    data = merged(constant("/Users/dj/new.mp3"), constant("/Users/dj/other.mp3"))
    root = ET.fromstring(data)
    tracks = root.findall("COLLECTION/TRACK")
    assert root.find("COLLECTION").get("Entries") == "6" == str(len(tracks))
    assert [t.get("TrackID") for t in tracks] == ["7", "12", "13", "14", "15", "16"]
    assert [t.get("Key") for t in root.iterfind("PLAYLISTS//TRACK")] == ["7", "12"]
    assert read(data, tmp_path).get_track(TrackID=15).tempos[0].Bpm == 127.97


def test_merging_twice_changes_nothing_more():
    tracks = [changing("/Users/dj/three.mp3"), constant("/Users/dj/new.mp3")]
    once = merged(*tracks)
    assert merged(*tracks, into=once.decode()) == once


def test_a_wrong_count_is_put_right():
    data = merged(into=COLLECTION.replace('Entries="4"', 'Entries="99"'))
    assert data == COLLECTION.encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<NML/>", "no rekordbox collection"),
        (b"<DJ_PLAYLISTS/>", "no rekordbox collection"),
        (b"not xml", "well-formed"),
        (b"<!DOCTYPE x []><DJ_PLAYLISTS/>", "document type"),
    ],
)
def test_what_is_no_collection(data, message):
    with pytest.raises(BeatgridError, match=message):
        render([], OPTIONS, data)
