"""Traktor NML, read by traktor-nml-utils."""

import xml.etree.ElementTree as ET

import pytest
from traktor_nml_utils import TraktorCollection
from traktor_nml_utils.models.collection import Nml

from beatgrid.errors import BeatgridError
from beatgrid.export.dj.traktor import render
from beatgrid.export.options import ExportOptions
from tests.export.dj.tracks import AWKWARD, TRACKS, changing, constant, read_beats, worst_ms

OPTIONS = ExportOptions()
# As Traktor writes it.
COLLECTION = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<NML VERSION="19"><HEAD COMPANY="www.native-instruments.com" PROGRAM="Traktor"></HEAD>
<MUSICFOLDERS></MUSICFOLDERS>
<COLLECTION ENTRIES="4"><ENTRY MODIFIED_DATE="2024/3/1" AUDIO_ID="AdF==" TITLE="One" ARTIST="A &amp; B"><LOCATION DIR="/:Users/:dj/:a b/:" FILE="Cafe\u0301.mp3" VOLUME="Macintosh HD" VOLUMEID="Macintosh HD"></LOCATION>
<INFO BITRATE="320000" PLAYTIME="466" FLAGS="28"></INFO>
<TEMPO BPM="64.000000" BPM_QUALITY="100.000000"></TEMPO>
<MUSICAL_KEY VALUE="7"></MUSICAL_KEY>
<CUE_V2 NAME="AutoGrid" DISPL_ORDER="0" TYPE="4" START="53.484213" LEN="0.000000" REPEATS="-1" HOTCUE="0"></CUE_V2>
<CUE_V2 NAME="n.n." DISPL_ORDER="0" TYPE="0" START="34339.219518" LEN="0.000000" REPEATS="-1" HOTCUE="1"></CUE_V2>
<CUE_V2 NAME="Beat Marker" DISPL_ORDER="0" TYPE="4" START="60000.0" LEN="0.000000" REPEATS="-1" HOTCUE="-1"><GRID BPM="64.1"></GRID>
</CUE_V2>
<CUE_V2 NAME="third" DISPL_ORDER="0" TYPE="4" START="90000.0" LEN="0.000000" REPEATS="-1" HOTCUE="3"></CUE_V2>
</ENTRY>
<ENTRY TITLE="Two"><LOCATION DIR="/:Musik/:" FILE="TWO.mp3" VOLUME="D:" VOLUMEID="00f95451"></LOCATION>
<INFO PLAYTIME="300"></INFO>
</ENTRY>
<ENTRY TITLE="Three" LOCK="1"><LOCATION DIR="/:" FILE="three.mp3" VOLUME="USB" VOLUMEID="USB"></LOCATION>
<TEMPO BPM="100.000000" BPM_QUALITY="100.000000"></TEMPO>
<CUE_V2 NAME="AutoGrid" DISPL_ORDER="0" TYPE="4" START="10.0" LEN="0.000000" REPEATS="-1" HOTCUE="-1"><GRID BPM="100.000000"></GRID></CUE_V2>
</ENTRY>
<ENTRY TITLE="Gone"></ENTRY>
</COLLECTION>
<SETS ENTRIES="0"></SETS>
<PLAYLISTS><NODE TYPE="FOLDER" NAME="$ROOT"><SUBNODES COUNT="1"><NODE TYPE="PLAYLIST" NAME="set"><PLAYLIST ENTRIES="1" TYPE="LIST" UUID="1"><ENTRY><PRIMARYKEY TYPE="TRACK" KEY="D:/:Musik/:TWO.mp3"></PRIMARYKEY>
</ENTRY>
</PLAYLIST>
</NODE>
</SUBNODES>
</NODE>
</PLAYLISTS>
</NML>
"""  # noqa: E501


def entries(data: bytes):
    # Its own way of opening a file leaves it open.
    return TraktorCollection.parser.from_bytes(data, Nml).collection.entry


def grid(entry):
    """The grid markers of an entry: seconds, BPM."""
    return [(cue.start / 1000, cue.grid.bpm) for cue in entry.cue_v2 if cue.type == 4]


def path_of(entry) -> str:
    at = entry.location
    return at.volume + at.dir.replace("/:", "/") + at.file


@pytest.mark.parametrize("track", TRACKS)
def test_grid_as_a_reader_sees_it(track):
    (entry,) = entries(render([track], OPTIONS, None))
    true_s, is_downbeat = track.beat_times_s(), track.bar_positions() == 1
    markers = grid(entry)
    after = true_s >= markers[0][0] - 1e-5
    assert worst_ms(read_beats(markers, true_s[-1] + 0.01, 1e-4), true_s[after]) < 0.02
    assert is_downbeat[after][0] or track.is_piecewise
    assert entry.tempo.bpm == pytest.approx(track.constant().bpm, abs=5e-7)


def test_a_constant_grid_is_one_marker_on_its_first_downbeat():
    (entry,) = entries(render([constant(bpm=120.0, first_s=0.3, bar=3)], OPTIONS, None))
    assert grid(entry) == [(1.3, 120.0)]
    assert entry.tempo.bpm == 120.0
    (entry,) = entries(
        render([constant(bpm=120.0, first_s=0.3, bar=3, downbeat_known=False)], OPTIONS, None)
    )
    assert grid(entry) == [(0.3, 120.0)]


def test_bars_are_counted_from_each_tempo_on():
    track = changing()
    (entry,) = entries(render([track], OPTIONS, None))
    starts = [start_s for start_s, _ in grid(entry)]
    downbeats = track.downbeat_times_s()
    for span in track.spans:
        inside = downbeats[(downbeats >= span.first_beat_s) & (downbeats < span.end_s)]
        if len(inside):
            assert min(abs(inside[0] - start) for start in starts) < 1e-6


@pytest.mark.parametrize(
    ("path", "location"),
    [
        (AWKWARD[0], ("Macintosh HD", "/:Users/:dj/:My Music/:", 'it\'s "so" loud.mp3')),
        (AWKWARD[1], ("Macintosh HD", "/:Users/:dj/:Musik/:", "Café — été.flac")),
        (AWKWARD[2], ("USB 2", "/:日本語/:", "曲 #1.m4a")),
        (AWKWARD[3], ("Macintosh HD", "/:Users/:dj/:R&B/:", "100% <live> [a+b]; c=d.wav")),
        (AWKWARD[4], ("Macintosh HD", "/:Users/:dj/:a%20b/:", "50%.aiff")),
        (AWKWARD[5], ("C:", "/:Music/:Größe & Co/:", "naïve.mp3")),
        ("/home/dj/a.mp3", ("", "/:home/:dj/:", "a.mp3")),
        ("D:\\a.mp3", ("D:", "/:", "a.mp3")),
    ],
)
def test_locations(path, location):
    (entry,) = entries(render([constant(path)], OPTIONS, None))
    assert (entry.location.volume, entry.location.dir, entry.location.file) == location
    assert entry.info.playtime == 300


def without_grids(data: bytes, untouched=()):
    """Everything of a collection but the grids of its tracks."""
    root = ET.fromstring(data)
    for entry in root.iterfind("COLLECTION/ENTRY"):
        if entry.get("TITLE") in untouched:
            continue
        for child in list(entry):
            if child.tag == "TEMPO" or (child.tag == "CUE_V2" and child.get("TYPE") == "4"):
                entry.remove(child)
    return [(e.tag, e.attrib, (e.text or "").strip()) for e in root.iter()]


def merged(*tracks, into=COLLECTION):
    return render(tracks, OPTIONS, into.encode())


def test_merging_changes_grids_only():
    data = merged(constant("/Users/dj/a b/Café.mp3", bpm=128.0, first_s=0.25))
    expected = (
        COLLECTION.replace('BPM="64.000000"', 'BPM="128.000000"')
        .replace('START="53.484213"', 'START="250.000000"')
        .replace('HOTCUE="0"></CUE_V2>', 'HOTCUE="0"><GRID BPM="128.000000"></GRID></CUE_V2>')
        .replace(
            """<CUE_V2 NAME="Beat Marker" DISPL_ORDER="0" TYPE="4" START="60000.0" """
            """LEN="0.000000" REPEATS="-1" HOTCUE="-1"><GRID BPM="64.1"></GRID>\n</CUE_V2>\n""",
            "",
        )
        .replace('NAME="third" DISPL_ORDER="0" TYPE="4"', 'NAME="third" DISPL_ORDER="0" TYPE="0"')
    )
    assert data.decode() == expected


def test_merging_a_changing_tempo_and_a_track_without_grid():
    track = changing("/Users/dj/a b/Café.mp3")
    data = merged(track, constant("d:/musik/two.mp3", bpm=90.0, first_s=0.5))
    one, two, three, _ = entries(data)
    after = track.beat_times_s()
    assert worst_ms(read_beats(sorted(grid(one)), after[-1] + 0.01, 1e-4), after) < 0.02
    pads = [(cue.type, cue.hotcue) for cue in one.cue_v2 if cue.hotcue >= 0]
    assert pads == [(4, 0), (0, 1), (4, 3)]
    assert grid(two) == [(0.5, 90.0)]
    assert two.tempo.bpm == 90.0
    assert grid(three) == [(0.01, 100.0)]
    assert without_grids(data) == without_grids(COLLECTION.encode())


def test_locked_entries_stay_as_they_are(caplog):
    assert merged(constant("/Volumes/USB/three.mp3")) == COLLECTION.encode()
    assert "locked in Traktor, left as they are: 1 (three)" in caplog.text


def test_tracks_that_the_collection_lacks_are_added(caplog):
    data = merged(
        constant("D:\\Neu\\ä.mp3"), constant("/Users/dj/new.mp3"), constant("/a\x07b.mp3")
    )
    root = ET.fromstring(data)
    assert root.find("COLLECTION").get("ENTRIES") == "6"
    *_, first, second = entries(data)
    assert path_of(first) == "D:/Neu/ä.mp3"
    assert first.location.volumeid == "00f95451"
    assert path_of(second) == "Macintosh HD/Users/dj/new.mp3"
    assert r"/a\x07b.mp3: left out" in caplog.text


def test_merging_twice_changes_nothing_more():
    tracks = [changing("/Users/dj/a b/Café.mp3"), constant("/Users/dj/new.mp3")]
    once = merged(*tracks)
    assert merged(*tracks, into=once.decode()) == once


@pytest.mark.parametrize("data", [b"<DJ_PLAYLISTS/>", b"<NML/>"])
def test_what_is_no_collection(data):
    with pytest.raises(BeatgridError, match="no collection of Traktor"):
        render([], OPTIONS, data)
