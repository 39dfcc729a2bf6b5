"""The labelled set of tracker modules: files, labels, licences and the table."""

import gzip

import numpy as np
import pytest
import soundfile

from beatgrid.data.labels import load_label
from beatgrid.errors import BeatgridError
from beatgrid.grid import Grid
from beatgrid.rendering import openmpt
from beatgrid.rendering.openmpt import SAMPLE_RATE
from beatgrid.rendering.tracker_modules import (
    Entry,
    find_modules,
    license_of,
    strongest_row,
    summary,
    write_modules,
    write_table,
)
from tests.rendering.tracker_files import mod_file


def test_licence_of_the_last_stanza_that_matches(tmp_path):
    module = tmp_path / "game-data/usr/share/games/game/music/song.xm"
    copyright_file = tmp_path / "game-data/usr/share/doc/game-data/copyright"
    copyright_file.parent.mkdir(parents=True)
    copyright_file.write_text(
        "Format: x\n\nFiles: *\nLicense: GPL-2+\n\nFiles: a.wav\n music/*\nLicense: CC0-1.0\n"
        "\nFiles: debian/*\nLicense: MIT\n"
    )
    assert license_of(module, tmp_path) == "CC0-1.0"
    assert license_of(tmp_path / "other/song.xm", tmp_path) is None


@pytest.mark.skipif(openmpt.library() is None, reason="libopenmpt is not installed")
def test_modules_become_audio_with_labels_and_the_others_say_why(tmp_path):
    packages, folder = tmp_path / "packages", tmp_path / "set"
    music = packages / "game-data" / "music"
    music.mkdir(parents=True)
    (music / "a.mod").write_bytes(mod_file(6))
    (music / "b.MOD.gz").write_bytes(gzip.compress(mod_file(6)))
    (music / "broken.xm").write_bytes(b"no module")
    (music / "short one.mod").write_bytes(mod_file(1))
    (music / "cover.png").write_bytes(b"")
    stale = folder / "labels" / "game-broken.labels.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")

    modules = find_modules(packages)
    entries = list(write_modules(modules, packages, folder, 30.0, 240.0))

    assert [(e.name, e.left_out) for e in entries] == [
        ("game-a", ""),
        ("game-b", "the same file as game-a"),
        ("game-broken", "no tracker module that libopenmpt knows"),
        ("game-short_one", "shorter than 30 s"),
    ]
    assert not stale.exists()
    label = load_label(folder / "labels" / "game-a.labels.json")
    # 6 ticks of 882 samples a row, 4 rows a beat: 125 BPM; 6 patterns of 64 rows: 46.08 s.
    assert label.grid.bpm == pytest.approx(125.0, rel=1e-12)
    assert (label.split, label.downbeat, label.duration_s) == ("test", "likely", 46.08)
    samples, rate = soundfile.read(folder / "audio" / label.file_name)
    assert (len(samples), rate) == (46.08 * SAMPLE_RATE, SAMPLE_RATE)
    assert (entries[0].bpm, entries[0].onset, entries[0].strongest_row) == (125.0, "row", 0)


def test_no_modules_say_what_to_run(tmp_path):
    with pytest.raises(BeatgridError, match=r"no modules; run .*install\.sh"):
        find_modules(tmp_path)


def entry(name, package, bpm, onset_ms=2.0, onset="row"):
    return Entry(name, package, bpm=bpm, duration_s=60.0, onset=onset, onset_ms=onset_ms)


def test_summary_names_packages_of_three_modules_and_more():
    entries = [
        *(entry(f"a{i}", "many", 100.0 + i, onset_ms=float(i)) for i in range(3)),
        entry("b", "few", 90.0, onset_ms=50.0, onset="unclear"),
        Entry("c", "few", left_out="the same file as b"),
        Entry("d", "few", left_out="the same file as a0"),
    ]
    assert summary(entries).splitlines()[2:] == [
        "| many | 3 | 3.0 | 100 .. 102 | +1.0 |",
        "| others | 1 | 1.0 | 90 .. 90 | |",
        "| all | 4 | 4.0 | 90 .. 102 | +1.0 |",
        "4 of 6 files have a grid",
        "   2 left out: the same file",
    ]


def test_table_has_a_column_per_field(tmp_path):
    write_table(tmp_path / "t.tsv", [Entry("a", "p", left_out="silent")])
    head, line = (tmp_path / "t.tsv").read_text().splitlines()
    assert head.split("\t")[:3] == ["name", "package", "bpm"]
    assert dict(zip(head.split("\t"), line.split("\t"), strict=True))["left_out"] == "silent"


@pytest.mark.parametrize("row", [0, 1, 2, 3])
def test_strongest_row_is_where_the_clicks_are(row):
    grid = Grid(120.0, 0.25)
    samples = np.zeros(10 * SAMPLE_RATE, np.float32)
    times_s = grid.beat_times(9.0) + row * grid.period_s / 4
    samples[np.round(times_s * SAMPLE_RATE).astype(int)] = 0.9
    assert strongest_row(samples, grid, 4) == row
