"""Files that are damaged, huge or hostile cost one line each."""

import json
import random
import zipfile

import pytest

from beatgrid.errors import BeatgridError
from beatgrid.importers import folders
from beatgrid.importers.find import chosen_formats, find_sources
from beatgrid.importers.folders import (
    DiskFolder,
    ImportFileError,
    SourceFile,
    folders_of_archive,
)
from beatgrid.importers.formats import FORMATS
from beatgrid.importers.grid import label_grid
from tests.importers.files import source
from tests.importers.test_charts import CHART, INFO, TJA
from tests.importers.test_midi_file import midi, tempo
from tests.importers.test_osu import OSU

FILES = {
    "sm": ("a.sm", "#MUSIC:a.ogg;\n#OFFSET:-1;\n#BPMS:0=120,16.5=150;\n#STOPS:4=0.3;\n"),
    "ssc": ("a.ssc", "#VERSION:0.83;#BPMS:0=120,8=-9;#WARPS:4=2;#NOTEDATA:;#BPMS:0=90;#NOTES:;"),
    "osu": ("a.osu", OSU.format(version=14, points="0,500,4\r\n9000,-50,4,1,0,9,0,0\r\n9999,300")),
    "tja": ("a.tja", TJA.format(bpm=120, offset=-1, notes="#START\n11\n#BPMCHANGE 99\n1,\n#END")),
    "chart": ("a.chart", CHART.format(offset=1, sync="0 = TS 4\n0 = B 120000\n768 = B 99000")),
    "fretsonfire": ("notes.mid", midi((0, tempo(400_000)), (500, tempo(300_000)))),
    "beatsaber": ("Info.dat", json.dumps(INFO)),
    "funkin": ("a-metadata.json", '{"timeChanges": [{"t": 0, "bpm": 100}, {"t": 900, "bpm": 80}]}'),
    "quaver": ("a.qua", "AudioFile: a\nTimingPoints:\n- Bpm: 120\n- StartTime: 900\n  Bpm: 99\n"),
    "malody": ("a.mc", '{"time": [{"beat": [0,0,1], "bpm": 99}], "note": [{"sound": "a"}]}'),
    "arcaea": ("2.aff", "AudioOffset:5\n-\ntiming(0,120.00,4.00);\ntiming(900,99.00,4.00);\n"),
}
BYTES = b"\0\xff\n,=:;#-.0919eE[]{}()\"'\\nan"


@pytest.mark.parametrize("name", FILES)
def test_any_cut_and_any_bytes_end_in_an_answer_or_a_line(name, tmp_path):
    file_name, content = FILES[name]
    data = content if isinstance(content, bytes) else content.encode()
    assert FORMATS[name].is_name(file_name)
    draw = random.Random(name)
    n_read, lines = 0, []
    for _ in range(50):
        damaged = bytearray(data)
        for _ in range(draw.randint(0, 3)):
            damaged[draw.randrange(len(damaged))] = draw.choice(BYTES)
        damaged = damaged[: draw.choice((None, draw.randrange(len(damaged))))]
        try:
            for track in FORMATS[name].read(source(tmp_path / file_name, bytes(damaged))):
                grid = label_grid(track.marks, draw.choice((None, 20.0)))
                assert grid.segments[0].grid.bpm > 0
                n_read += 1
        except BeatgridError as error:
            lines.append(str(error))
    assert n_read > 5
    assert not any("\n" in line for line in lines)


@pytest.fixture
def limit(monkeypatch):
    """A lower limit of a file's size."""
    monkeypatch.setattr(folders, "MAX_FILE_BYTES", 2_000_000)
    return 2_000_000


def test_a_huge_file_is_left_out(limit, tmp_path):
    with (tmp_path / "a.sm").open("wb") as file:
        file.truncate(100_000_000)  # sparse
    with pytest.raises(ImportFileError, match="more than 2 MB"):
        FORMATS["sm"].read(SourceFile(DiskFolder(tmp_path), "a.sm", tmp_path))


def test_a_member_that_unpacks_to_more_is_left_out(limit, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.osz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.osu", bytes(limit + 1))
    (folder,) = folders_of_archive(tmp_path / "a.osz")
    with pytest.raises(ImportFileError, match="more than 2 MB"):
        folder.read("a.osu")


@pytest.mark.parametrize("name", ["../../evil/x.ogg", "/abs/x.ogg", "..\\..\\x.ogg", "C:/x.ogg"])
def test_members_are_never_written_outside(name, tmp_path):
    """Wherever the archive's own paths lead."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    for folder in folders_of_archive(tmp_path / "a.zip"):
        place = tmp_path / "music" / folder.below_on_disk
        assert place.resolve().is_relative_to((tmp_path / "music").resolve())


def test_links_in_circles_end(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "b.sm").symlink_to("b.sm")
    (tmp_path / "a" / "c.sm").write_text("#BPMS:0=120;")
    found = list(find_sources(str(tmp_path / "a"), chosen_formats("auto"), print))
    assert [file.name for file, _ in found] == ["c.sm"]


def test_any_number_of_tempi_takes_a_moment(tmp_path):
    points = "\r\n".join(f"{500 * k},500,4,1,0,9,1,0" for k in range(5_000))
    (track,) = FORMATS["osu"].read(
        source(tmp_path / "a.osu", OSU.format(version=14, points=points))
    )
    grid = label_grid(track.marks, None, 0.001)
    assert (grid.grid.bpm, grid.is_piecewise) == (120, False)
