"""Exports written into a folder: names, clocks, copies, backups, what is left out."""

import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from beatgrid.errors import BeatgridError
from beatgrid.export.exporter import Exporter, back_up, chosen_formats
from beatgrid.export.formats import FORMATS, Format
from beatgrid.export.ledger import exported
from beatgrid.export.options import ExportOptions
from tests.export.tracks import (
    AWKWARD_NAMES,
    changing_result,
    constant_result,
    result_of,
    write,
)

CSV = FORMATS["csv"]


def name_tag(track, path, options):
    """A tag: the tempo behind the audio's bytes."""
    path.write_bytes(path.read_bytes() + f"[{track.bpm:g}]".encode())


def list_tracks(tracks, options, existing):
    head = (existing or b"<LIST>").removesuffix(b"</LIST>")
    items = [f"<T n='{t.name}' bpm='{t.bpm:g}' spans='{len(t.spans)}'/>" for t in tracks]
    return head + "".join(items).encode() + b"</LIST>"


def broken(track, options):
    raise KeyError("a bug")


TAG = Format("tag", "", "a tag", piecewise=False, write=name_tag, in_audio=True)
TAG2 = dataclasses.replace(TAG, name="tag2")
LIST = Format("list", ".xml", "a list", piecewise=False, collect=list_tracks, root="LIST")
BROKEN = Format("broken", ".x", "fails", piecewise=True, render=broken)


class Run:
    """An exporter's run over results, and what it said."""

    def __init__(self, folder, formats, results, **options):
        self.warnings, self.errors = [], []
        with Exporter(
            folder, formats, ExportOptions(**options), self.warnings.append, self.errors.append
        ) as exporter:
            for path in results:
                exporter.add_result(path, str(path.relative_to(folder.parent / "grids")))
            exporter.finish((path, None) for path in results)
        self.exporter = exporter


@pytest.fixture
def library(tmp_path):
    """Results of files with awkward names, whose audio is some bytes."""

    def make(names=AWKWARD_NAMES, result=None):
        paths = []
        for name in names:
            audio = tmp_path / "music" / name
            audio.parent.mkdir(parents=True, exist_ok=True)
            audio.write_bytes(b"audio")
            content = (result or constant_result()) | {"file": str(audio)}
            paths.append(write(tmp_path / "grids" / f"{name}.beatgrid.json", content))
        return paths

    return make


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_every_name_has_its_export(library, out):
    run = Run(out, [CSV], library([*AWKWARD_NAMES, "A/deeper.mp3"]))
    assert (run.warnings, run.errors) == ([], [])
    assert run.exporter.written == {"csv": 6}
    for name in (*AWKWARD_NAMES, "A/deeper.mp3"):
        assert (out / f"{name}.beats.csv").read_text().startswith("time_s,bar,beat,bpm\n0.03125")
    assert not list(out.rglob("*.tmp*"))


def test_what_is_current_is_not_written_again(library, out):
    paths = library()
    Run(out, [CSV], paths)
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.csv")}
    Run(out, [CSV], paths)
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.csv")} == before
    library(result=constant_result(bpm=100.0))
    Run(out, [CSV], paths)
    assert all(path.stat().st_mtime_ns > before[path] for path in before)


def test_what_a_person_changed_or_put_there_is_kept(library, out):
    paths = library(["a.mp3", "b.mp3", "c.mp3"])
    out.mkdir()
    (out / "b.mp3.beats.csv").write_text("mine")
    Run(out, [CSV], paths)
    (out / "a.mp3.beats.csv").write_text("worked on")
    os.remove(out / "c.mp3.beats.csv")
    library(["a.mp3", "b.mp3", "c.mp3"], constant_result(bpm=100.0))
    run = Run(out, [CSV], paths)
    assert (out / "a.mp3.beats.csv").read_text() == "worked on"
    assert (out / "b.mp3.beats.csv").read_text() == "mine"
    assert (out / "c.mp3.beats.csv").read_text().splitlines()[1].endswith(",100")
    assert len(run.warnings) == 2
    assert all("left as it is" in line for line in run.warnings)
    assert run.exporter.failed == 0


def test_a_failure_costs_its_own_export(library, out):
    paths = library(["a.mp3", "b.mp3"])
    bad = write(paths[0].parent / "c.mp3.beatgrid.json", constant_result() | {"bpm": "x"})
    run = Run(out, [BROKEN, CSV], [paths[0], bad, paths[1]])
    assert len(list(out.glob("*.csv"))) == 2
    assert run.exporter.failed == 3
    assert [line for line in run.errors if line.startswith(f"{bad}: bpm=x: must be")]
    assert f"{out.parent}/music/a.mp3: broken: KeyError: 'a bug'" in run.errors
    assert not list(out.glob("*.x"))


def test_results_without_a_grid_are_named(library, out):
    from beatgrid.search.beats import Beats

    nothing = result_of(Beats.none(), 3.0, bpm=None, reason="noise", constant_tempo=None)
    run = Run(out, [CSV], [*library(["a.mp3"]), *library(["noise.mp3"], nothing)])
    assert run.warnings == ["no grid, left out: noise.mp3"]
    assert run.exporter.written == {"csv": 1}


def test_one_grid_is_exported_where_a_format_holds_no_more(library, out):
    run = Run(out, [LIST, TAG, CSV], library(["a.mp3"], changing_result()))
    (line,) = run.warnings
    assert line.startswith("a.mp3: its tempo changes, and list, tag hold one grid: 120 BPM, right")
    assert "bpm='120' spans='1'" in (out / "list.xml").read_text()
    rows = (out / "a.mp3.beats.csv").read_text().splitlines()
    assert (rows[1].rpartition(",")[2], rows[-1].rpartition(",")[2]) == ("120", "150.7")


def test_tags_go_into_a_copy(library, out, tmp_path):
    run = Run(out, [TAG, TAG2], library(["A/a.mp3"]))
    assert (out / "tagged/A/a.mp3").read_bytes() == b"audio[128][128]"
    assert (tmp_path / "music/A/a.mp3").read_bytes() == b"audio"
    assert run.exporter.written == {"tag": 1, "tag2": 1}
    both = [str(out / "tagged/A/a.mp3"), str(tmp_path / "music/A/a.mp3")]
    assert exported(out, both) == {both[0]}
    assert exported(tmp_path, both) == set()


def test_tags_in_place_leave_a_backup(library, out, tmp_path):
    paths = library(["a.mp3"])
    audio = tmp_path / "music/a.mp3"
    audio.chmod(0o640)
    Run(out, [TAG], paths, in_place=True)
    assert audio.read_bytes() == b"audio[128]"
    assert audio.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "music/a.mp3.bak").read_bytes() == b"audio"
    Run(out, [TAG], paths, in_place=True)
    assert (tmp_path / "music/a.mp3.bak").read_bytes() == b"audio"
    assert (tmp_path / "music/a.mp3.bak2").read_bytes() == b"audio[128]"


def test_tags_in_place_that_change_nothing_leave_no_backup(library, out, tmp_path):
    same = dataclasses.replace(TAG, write=lambda *_: None)
    Run(out, [same], library(["a.mp3"]), in_place=True)
    assert [path.name for path in (tmp_path / "music").iterdir()] == ["a.mp3"]


def test_a_collection_is_merged_into_a_copy(library, out, tmp_path):
    mine = tmp_path / "mine.xml"
    mine.write_text("<?xml?><LIST><T n='old'/></LIST>")
    Run(out, [LIST], library(["a.mp3"]), merge=str(mine))
    merged = "<?xml?><LIST><T n='old'/><T n='a' bpm='128' spans='1'/></LIST>"
    assert (out / "list.xml").read_text() == merged
    assert mine.read_text() == "<?xml?><LIST><T n='old'/></LIST>"
    Run(out, [LIST], library(["a.mp3"]), merge=[str(mine)], in_place=True)
    assert mine.read_text() == merged
    assert (tmp_path / "mine.xml.bak").read_text() == "<?xml?><LIST><T n='old'/></LIST>"


@pytest.mark.parametrize(
    ("merge", "message"),
    [
        ("gone.xml", "cannot be read"),
        ("other.xml", r"is no collection that grids are exported to \(list\)"),
        (["list.xml", "list.xml"], "a second one of list"),
    ],
)
def test_what_cannot_be_merged_is_said_before_the_work(tmp_path, monkeypatch, merge, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.xml").write_text("<NML/>")
    (tmp_path / "list.xml").write_text("<LIST/>")
    with pytest.raises(BeatgridError, match=message):
        Run(tmp_path / "out", [LIST, CSV], [], merge=merge)


def test_a_collection_that_cannot_be_read_is_named(library, out, tmp_path):
    mine = tmp_path / "mine.xml"
    mine.write_text('<!DOCTYPE x [<!ENTITY a "b">]><DJ_PLAYLISTS/>')
    run = Run(out, [FORMATS["rekordbox"]], library(["a.mp3"]), merge=str(mine))
    (line,) = run.errors
    assert line.startswith(f"rekordbox: export.merge={mine}: declares a document type")
    assert not (out / "rekordbox.xml").exists()


def test_a_collection_of_the_users_is_not_overwritten(library, out):
    out.mkdir()
    (out / "list.xml").write_text("<LIST>mine</LIST>")
    run = Run(out, [LIST], library(["a.mp3"]))
    assert (out / "list.xml").read_text() == "<LIST>mine</LIST>"
    assert "left as it is" in run.warnings[0]


def test_missing_audio_is_one_line(library, out, tmp_path):
    paths = library(["a.mp3"])
    shutil.rmtree(tmp_path / "music")
    run = Run(out, [TAG, CSV], paths)
    (line,) = run.errors
    assert line == f"{tmp_path}/music/a.mp3: tag: No such file or directory: {tmp_path}/music/a.mp3"
    assert run.exporter.written["csv"] == 1


def test_two_results_of_one_name_do_not_overwrite_each_other(tmp_path, library, out):
    (path,) = library(["a.mp3"])
    errors = []
    with Exporter(out, [CSV], ExportOptions(), print, errors.append) as exporter:
        exporter.add_result(path, "a.mp3.beatgrid.json")
        exporter.add_result(tmp_path / "b/a.mp3.beatgrid.json", "a.mp3.beatgrid.json")
    assert "has the name of" in errors[0]


def test_unknown_formats_are_named_with_the_known_ones():
    with pytest.raises(BeatgridError, match=r"wavelab: no such format; known are audacity, "):
        chosen_formats(["csv", "wavelab"])
    assert chosen_formats(["csv", "csv"]) == (CSV,)


def test_backups_never_replace_each_other(tmp_path):
    path = tmp_path / "a"
    for text in "123":
        path.write_text(text)
        back_up(path)
    kept = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert kept == {"a": "3", "a.bak": "1", "a.bak2": "2", "a.bak3": "3"}


def test_a_format_is_one_of_three_kinds():
    with pytest.raises(ValueError, match="needs one of"):
        Format("x", ".x", "nothing", piecewise=True)


def test_grids_are_on_the_clock_asked_for(library, out):
    paths = library(["a.mp3"])
    Run(out, [CSV], paths, timebase=26)
    first = (out / "a.mp3.beats.csv").read_text().splitlines()[1]
    assert float(first.split(",")[0]) == pytest.approx(0.03125 + 0.026)
    shutil.rmtree(out.parent / "music")  # otherwise its bytes count, not what the result says
    program = dataclasses.replace(CSV, program="rekordbox")
    silent = Run(out, [program], paths)
    assert "rekordbox may show 1 of 1 MP3 or AAC files" in silent.warnings[0]
    Run(out, [program], paths, timebase="auto")
    first = (out / "a.mp3.beats.csv").read_text().splitlines()[1]
    assert float(first.split(",")[0]) == pytest.approx(0.03125 + 1152 / 44100, abs=1e-6)


def test_json_of_results_is_not_needed_twice(library, out):
    """Collections read results again: memory does not grow with the tracks."""
    paths = library(["a.mp3", "b.mp3"])
    assert np.all([json.loads(Path(p).read_text())["bpm"] == 128.0 for p in paths])
    Run(out, [LIST], paths)
    assert (out / "list.xml").read_text().count("bpm='128'") == 2
