"""Libraries as other programs, and other libraries, write them."""

import contextlib
import shutil
import sqlite3
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mutagen.aiff import AIFF
from mutagen.id3 import GEOB
from pyrekordbox.rbxml import RekordboxXml
from serato_tools.track_beatgrid import TrackBeatgrid
from traktor_nml_utils.models import collection as nml
from xsdata.formats.dataclass.serializers import XmlSerializer

from beatgrid.importers.folders import ImportFileError
from beatgrid.importers.formats import FORMATS
from beatgrid.importers.track import WithoutGrid
from tests.export.tags.sounds import make
from tests.importers.dj.libraries import (
    at,
    beat_grid,
    beat_map,
    grid_of,
    mixxx_database,
    read,
    worst_ms,
)
from tests.importers.files import beats, source

FIXED64, VARINT = 1, 5  # FieldDescriptorProto.Type of double and int32


def proto(kind: int):
    """Return Mixxx's messages, made by Google's library from beats.proto's fields."""
    file = descriptor_pb2.FileDescriptorProto(name=f"beats{kind}.proto", package=f"io{kind}")
    beat = file.message_type.add(name="Beat")
    beat.field.add(name="frame_position", number=1, type=kind, label=1)
    beat.field.add(name="enabled", number=2, type=8, label=1)
    bpm = file.message_type.add(name="Bpm")
    bpm.field.add(name="bpm", number=1, type=1, label=1)
    bpm.field.add(name="source", number=2, type=5, label=1)
    beat_map = file.message_type.add(name="BeatMap")
    beat_map.field.add(name="beat", number=1, type=11, label=3, type_name=f".io{kind}.Beat")
    grid = file.message_type.add(name="BeatGrid")
    grid.field.add(name="bpm", number=1, type=11, label=1, type_name=f".io{kind}.Bpm")
    grid.field.add(name="first_beat", number=2, type=11, label=1, type_name=f".io{kind}.Beat")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"io{kind}.{name}"))
        for name in ("BeatGrid", "BeatMap")
    }


def test_rekordbox_by_pyrekordbox(tmp_path):
    xml = RekordboxXml(name="rekordbox", version="6.8.5", company="AlphaTheta")
    track = xml.add_track("/Users/dj/My Music/Café #1 (100%).mp3", Name="Café", Artist="É & Ü")
    track.add_tempo(Inizio=0.123, Bpm=174.0, Metro="4/4", Battito=3)
    waltz = xml.add_track("C:/Music/waltz.mp3", Name="W")
    waltz.add_tempo(Inizio=0.5, Bpm=90.0, Metro="3/4", Battito=1)
    waltz.add_tempo(Inizio=60.5, Bpm=120.0, Metro="3/4", Battito=1)
    xml.add_track("/Users/dj/new.mp3", Name="not analysed")
    xml.save(str(tmp_path / "rekordbox.xml"))
    one, two, three = read("rekordbox", at(tmp_path / "rekordbox.xml"))
    assert (one.audio, one.title) == ("/Users/dj/My Music/Café #1 (100%).mp3", "Café")
    grid = grid_of("rekordbox", one, 60.0)
    assert grid.grid.bpm == 174.0
    assert grid.grid.offset_s == pytest.approx(0.123 + 2 * 60 / 174.0)
    assert two.audio == "C:/Music/waltz.mp3"
    waltz = grid_of("rekordbox", two, 100.0)
    assert [(s.grid.bpm, s.grid.beats_per_bar) for s in waltz.segments] == [(90.0, 3), (120.0, 3)]
    expected = np.concatenate((0.5 + np.arange(90) / 1.5, 60.5 + np.arange(79) / 2))
    np.testing.assert_allclose(beats(waltz, 100.0), expected, atol=1e-9)
    assert isinstance(three, WithoutGrid)
    assert "no TEMPO" in three.reason


def test_tempi_that_rekordbox_keeps_hundredths_of_come_back_whole(tmp_path):
    """174.035 BPM in elements of 174.03, each on the millisecond that its beat is nearest to."""
    period_s = 60 / 174.035
    tempi = [
        f'<TEMPO Inizio="{0.1 + 174 * i * period_s:.3f}" Bpm="174.03" Metro="4/4" '
        f'Battito="{174 * i % 4 + 1}"/>'
        for i in range(5)
    ]
    xml = f"""<DJ_PLAYLISTS><COLLECTION><TRACK Location="file://localhost/a.mp3">
    {"".join(tempi)}</TRACK></COLLECTION></DJ_PLAYLISTS>"""
    (found,) = read("rekordbox", source(tmp_path / "a.xml", xml))
    grid = grid_of("rekordbox", found, 300.0)
    assert not grid.is_piecewise
    assert grid.grid.bpm == pytest.approx(174.035, abs=0.001)
    assert worst_ms(grid, 0.1 + np.arange(870) * period_s, 300.0) < 2.0


def test_traktor_by_traktor_nml_utils(tmp_path):
    def cue(start_ms, type=4, bpm=None):
        grid = None if bpm is None else nml.GridType(bpm=bpm)
        return nml.CueV2Type(name="AutoGrid", type=type, start=start_ms, hotcue=-1, grid=grid)

    def entry(location, tempo, *cues):
        return nml.Entrytype(
            location=nml.Locationtype(**location), tempo=tempo, title="T", cue_v2=list(cues)
        )

    mac = {"dir": "/:Users/:dj/:a b/:", "file": "é.mp3", "volume": "SSD", "volumeid": "SSD"}
    usb = {"dir": "/:", "file": "x.mp3", "volume": "USB", "volumeid": "USB"}
    windows = {"dir": "/:Musik/:", "file": "b.mp3", "volume": "D:", "volumeid": "0"}
    document = nml.Nml(
        version=19,
        collection=nml.Collectiontype(
            entry=[
                entry(mac, nml.Tempotype(bpm=128.0, bpm_quality=100.0), cue(53.484213), cue(9, 0)),
                entry(
                    usb,
                    nml.Tempotype(bpm=100.0, bpm_quality=100.0),
                    cue(100.0, bpm=100.0),
                    cue(60100.0, bpm=120.5),
                ),
                entry(windows, nml.Tempotype(bpm=100.0, bpm_quality=100.0), cue(1.0, 0)),
            ]
        ),
    )
    text = XmlSerializer().render(document)
    one, two, three = read("traktor", source(tmp_path / "collection.nml", text))
    assert one.audio == "/Users/dj/a b/é.mp3"
    grid = grid_of("traktor", one, 60.0).grid
    assert (grid.bpm, grid.offset_s) == (128.0, pytest.approx(0.053484213))
    assert two.audio == "/Volumes/USB/x.mp3"
    assert [s.grid.bpm for s in grid_of("traktor", two, 100.0).segments] == [100.0, 120.5]
    assert isinstance(three, WithoutGrid)
    assert three.audio == "D:/Musik/b.mp3"


def test_virtualdj_as_it_writes(tmp_path):
    text = """<?xml version="1.0" encoding="UTF-8"?>
<VirtualDJ_Database Version="8.2">
 <Song FilePath="C:\\Music\\beatmatch1.wav" FileSize="25724840">
  <Tags Author="NTMusic" Title="One" Flag="1" />
  <Infos SongLength="72.915782" />
  <Scan Version="801" Bpm="0.507959" AltBpm="0.380975" Volume="0.246516" Flag="32768" />
  <Poi Pos="3.721451" Type="beatgrid" />
  <Poi Pos="3.723900" Type="automix" Point="realStart" />
 </Song>
 <Song FilePath="/music/phase.mp3"><Scan Version="801" Bpm="0.5" Phase="0.25" /></Song>
 <Song FilePath="netsearch://td1"><Scan Version="801" Bpm="0.5" Phase="0.25" /></Song>
 <Song FilePath="/music/old.mp3"><Scan Version="600" Bpm="22050" Phase="100" /></Song>
</VirtualDJ_Database>"""
    one, two, stream, old = read("virtualdj", source(tmp_path / "database.xml", text))
    grid = grid_of("virtualdj", one, 72.9).grid
    assert (one.audio, one.artist) == ("C:\\Music\\beatmatch1.wav", "NTMusic")
    assert grid.bpm == pytest.approx(60 / 0.507959)
    assert grid.offset_s == pytest.approx(3.721451 - 4 * 0.507959)  # it goes on backwards
    assert grid_of("virtualdj", two, 60.0).grid.offset_s == pytest.approx(0.25)
    assert isinstance(stream, WithoutGrid)
    assert isinstance(old, WithoutGrid)


def test_serato_by_serato_tools(tmp_path):
    path = make(tmp_path, "aiff")
    grid = TrackBeatgrid(b"\x01\x00\0\0\0\x01" + struct.pack(">ff", 0, 120) + b"\x37")
    grid.entries = [
        TrackBeatgrid.NonTerminalBeatgridMarker(0.25, 64),
        TrackBeatgrid.TerminalBeatgridMarker(32.25, 100.0),
        TrackBeatgrid.Footer(0x37),
    ]
    grid._dump()
    tags = AIFF(path)
    tags["GEOB:Serato BeatGrid"] = GEOB(
        encoding=0, mime="application/octet-stream", desc="Serato BeatGrid", data=grid.raw_data
    )
    tags.save()
    (found,) = read("serato", at(path))
    segments = grid_of("serato", found, 60.0).segments
    assert [s.grid.bpm for s in segments] == [120.0, 100.0]
    assert segments[0].grid.offset_s == 0.25


@pytest.mark.parametrize("kind", [FIXED64, VARINT])
def test_mixxx_by_googles_protobuf(kind, tmp_path):
    messages = proto(kind)
    grid = messages["BeatGrid"]()
    grid.bpm.bpm = 127.97
    grid.first_beat.frame_position = 12345
    beat_map = messages["BeatMap"]()
    frames = np.round(44100 * (0.5 + np.arange(100) * 0.47)).astype(int)
    for frame in frames:
        beat_map.beat.add(frame_position=int(frame))
    rows = [
        ("/music/é.mp3", grid.SerializeToString(), "BeatGrid-2.0"),
        ("/music/map.mp3", beat_map.SerializeToString(), "BeatMap-1.0"),
        ("/music/old.mp3", struct.pack("<dd", 90.0, 44100.0), "BeatGrid-1.0"),
        ("/music/none.mp3", None, None),
    ]
    mixxx_database(tmp_path / "mixxxdb.sqlite", rows).close()
    one, two, old, none = read("mixxx", at(tmp_path / "mixxxdb.sqlite"))
    assert (one.audio, one.title, one.downbeat) == ("/music/é.mp3", "T", "unknown")
    found = grid_of("mixxx", one, 60.0)
    assert found.grid.bpm == 127.97
    assert found.bars_known is False
    assert worst_ms(found, 12345 / 44100 + np.arange(100) * 60 / 127.97, 60.0) < 1e-6
    found = grid_of("mixxx", two, 60.0)
    assert found.grid.bpm == pytest.approx(60 / 0.47, abs=1e-3)
    assert worst_ms(found, frames / 44100, 60.0) < 0.1
    assert grid_of("mixxx", old, 60.0).grid.offset_s == pytest.approx(1.0 % (60 / 90 * 4))
    assert isinstance(none, WithoutGrid)


def test_a_map_of_irregular_beats_has_every_beat(tmp_path):
    lengths = [22050] * 64 + [24255] * 64
    frames = np.cumsum([4410, *lengths])
    rows = [("/a.mp3", beat_map([int(f) for f in frames]), "BeatMap-1.0")]
    mixxx_database(tmp_path / "mixxxdb.sqlite", rows).close()
    (found,) = read("mixxx", at(tmp_path / "mixxxdb.sqlite"))
    grid = grid_of("mixxx", found, 80.0)
    assert len(grid.segments) == 2
    assert worst_ms(grid, frames / 44100, 80.0) < 0.5


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.iterdir())}


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_library_that_is_open_is_read_and_not_touched(journal, tmp_path):
    """What is only in the write-ahead log counts; no file is changed or added beside it."""
    path = tmp_path / "mixxxdb.sqlite"
    rows = [("/a.mp3", beat_grid(120.0, 4410.0), "BeatGrid-2.0")]
    database = mixxx_database(path, rows, journal=journal)
    database.execute("UPDATE library SET beats = ?", [beat_grid(121.0, 4410.0)])
    database.commit()
    database.execute("UPDATE library SET beats = ?", [beat_grid(999.0, 0.0)])  # not committed
    try:
        before = state(tmp_path)
        assert ("mixxxdb.sqlite-wal" in before) == (journal == "wal")
        (found,) = read("mixxx", at(path))
        assert grid_of("mixxx", found, 60.0).grid.bpm == 121.0
        assert state(tmp_path) == before
    finally:
        database.close()


def test_other_files_of_the_same_name_hold_nothing(tmp_path):
    for name, content in {
        "rekordbox": "<plist><dict/></plist>",
        "virtualdj": '<!DOCTYPE plist SYSTEM "x"><plist/>',
        "traktor": "",
    }.items():
        suffix = {"traktor": "nml"}.get(name, "xml")
        assert read(name, source(tmp_path / f"{name}.{suffix}", content)) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "other.sqlite")) as database:
        database.execute("CREATE TABLE x (y)")
    assert read("mixxx", at(tmp_path / "other.sqlite")) == []
    assert read("mixxx", source(tmp_path / "text.sqlite", "no database")) == []
    with pytest.raises(ImportFileError, match="tags cannot be read"):
        read("serato", source(tmp_path / "text.mp3", "no audio"))


@pytest.mark.parametrize(("name", "root"), [("rekordbox", "DJ_PLAYLISTS"), ("traktor", "NML")])
def test_xml_that_would_expand_or_name_files_is_refused(name, root, tmp_path):
    bomb = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))
    text = f'<!DOCTYPE {root} [<!ENTITY a0 "aaaaaaaaaa">{bomb}]><{root}>&a9;</{root}>'
    suffix = "nml" if name == "traktor" else "xml"
    with pytest.raises(ImportFileError, match="document type"):
        read(name, source(tmp_path / f"a.{suffix}", text))
    text = f'<!DOCTYPE {root} [<!ENTITY x SYSTEM "file:///etc/passwd">]><{root}>&x;</{root}>'
    with pytest.raises(ImportFileError, match="document type"):
        read(name, source(tmp_path / f"a.{suffix}", text))


def test_xml_of_an_unknown_encoding_is_one_line(tmp_path):
    text = '<?xml version="1.0" encoding="U2TF-8"?><NML><COLLECTION/></NML>'
    with pytest.raises(ImportFileError, match="unknown encoding: U2TF-8"):
        read("traktor", source(tmp_path / "a.nml", text))


def test_what_was_read_before_damage_counts(tmp_path):
    track = '<TRACK Location="file://localhost/a.mp3"><TEMPO Inizio="0.1" Bpm="120.00"/></TRACK>'
    text = f"<DJ_PLAYLISTS><COLLECTION>{track * 3}<TRACK Loc"
    tracks = FORMATS["rekordbox"].read(source(tmp_path / "a.xml", text))
    assert len([next(tracks) for _ in range(3)]) == 3
    with pytest.raises(ImportFileError, match="well-formed"):
        next(tracks)


@pytest.mark.parametrize("value", ["NaN", "inf", "-1", "", "0", "abc", "1e999"])
def test_tempi_that_are_none(value, tmp_path):
    text = f"""<DJ_PLAYLISTS><COLLECTION><TRACK Location="file://localhost/a.mp3">
    <TEMPO Inizio="0.1" Bpm="{value}" Metro="4/4" Battito="1"/></TRACK></COLLECTION>
    </DJ_PLAYLISTS>"""
    (found,) = read("rekordbox", source(tmp_path / "a.xml", text))
    assert isinstance(found, WithoutGrid)
    text = f"""<NML><COLLECTION><ENTRY><LOCATION DIR="/:" FILE="a.mp3" VOLUME=""/>
    <TEMPO BPM="{value}"/><CUE_V2 TYPE="4" START="0"/></ENTRY></COLLECTION></NML>"""
    (found,) = read("traktor", source(tmp_path / "a.nml", text))
    assert isinstance(found, WithoutGrid)
    text = f"""<VirtualDJ_Database><Song FilePath="a.mp3"><Scan Bpm="{value}" Phase="0"/></Song>
    </VirtualDJ_Database>"""
    (found,) = read("virtualdj", source(tmp_path / "b.xml", text))
    assert isinstance(found, WithoutGrid)


@pytest.mark.parametrize(
    ("content", "version", "sample_rate", "reason"),
    [
        (b"\x0a\xff", "BeatGrid-2.0", 44100, "cannot be read"),
        (b"\xff" * 20, "BeatGrid-2.0", 44100, "cannot be read"),
        (beat_grid(float("nan"), 0.0), "BeatGrid-2.0", 44100, "nan BPM"),
        (beat_grid(120.0, 0.0), "BeatGrid-3.0x", None, "sample rate"),
        (beat_grid(120.0, 0.0), "Something", 44100, "unknown version"),
        (beat_map([5, 4, 3]), "BeatMap-1.0", 44100, "not in order"),
        (beat_map([5]), "BeatMap-1.0", 44100, "1 beats"),
        (b"", "BeatGrid-2.0", 44100, "no grid"),
    ],
)
def test_damaged_grids_of_mixxx_cost_their_track_alone(
    content, version, sample_rate, reason, tmp_path
):
    mixxx_database(tmp_path / "a.sqlite", [("/a.mp3", content, version)], sample_rate).close()
    (found,) = read("mixxx", at(tmp_path / "a.sqlite"))
    assert isinstance(found, WithoutGrid)
    assert reason in found.reason


def test_a_damaged_database_is_one_line(tmp_path):
    path = tmp_path / "a.sqlite"
    mixxx_database(path, [(f"/{i}.mp3", bytes(500), "x") for i in range(500)]).close()
    data = bytearray(path.read_bytes())
    data[4096:-4096] = bytes(len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(ImportFileError, match="cannot be read") as caught:
        read("mixxx", at(path))
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    "data",
    [
        b"\x01",
        b"\x02\x00\0\0\0\x01" + bytes(9),
        b"\x01\x00\0\0\0\x02" + bytes(9),
        b"\x01\x00\xff\xff\xff\xff" + bytes(100),
        b"\x01\x00\0\0\0\x01" + struct.pack(">ff", float("nan"), 120.0) + b"\0",
        b"\x01\x00\0\0\0\x01" + struct.pack(">ff", 0.1, 0.0) + b"\0",
        b"\x01\x00\0\0\0\x02" + struct.pack(">fIff", 5.0, 4, 1.0, 120.0) + b"\0",
        b"\x01\x00\0\0\0\x02" + struct.pack(">fIff", 1.0, 0, 5.0, 120.0) + b"\0",
    ],
)
def test_a_damaged_tag_is_one_line(data, tmp_path):
    path = make(tmp_path, "aiff")
    shutil.move(path, path := tmp_path / "a.aiff")
    tags = AIFF(path)
    tags["GEOB:Serato BeatGrid"] = GEOB(
        encoding=0, mime="application/octet-stream", desc="Serato BeatGrid", data=data
    )
    tags.save()
    with pytest.raises(ImportFileError, match="Serato BeatGrid is damaged"):
        read("serato", at(path))


@pytest.mark.slow
def test_a_library_of_200_mb_is_read_in_little_memory(tmp_path):
    comment = "x" * 900
    with (tmp_path / "rekordbox.xml").open("w") as file:
        file.write('<?xml version="1.0"?><DJ_PLAYLISTS><COLLECTION Entries="1">')
        for i in range(200_000):
            file.write(
                f'<TRACK TrackID="{i}" Comments="{comment}" Location="file://localhost/{i}.mp3">'
                f'<TEMPO Inizio="0.100" Bpm="{100 + i % 50}.00" Metro="4/4" Battito="1"/></TRACK>\n'
            )
        file.write("</COLLECTION></DJ_PLAYLISTS>")
    assert (tmp_path / "rekordbox.xml").stat().st_size > 190e6
    tracemalloc.start()
    n_tracks = sum(1 for _ in FORMATS["rekordbox"].read(at(tmp_path / "rekordbox.xml")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_tracks == 200_000
    assert peak < 5e6
