"""What is exported to a DJ program comes back from it: all beats in their places."""

import shutil

import numpy as np
import pytest

from beatgrid.export.dj import rekordbox, traktor, virtualdj
from beatgrid.export.dj.rekordbox import MAX_ERROR_S
from beatgrid.export.options import ExportOptions
from beatgrid.export.tags import serato
from tests.export.dj.tracks import AWKWARD, TRACKS, constant, of_beats
from tests.export.tags.sounds import make
from tests.importers.dj.libraries import at, grid_of, read, worst_ms
from tests.importers.files import source

RENDER = {
    "rekordbox": (rekordbox.render, "xml"),
    "traktor": (traktor.render, "nml"),
    "virtualdj": (virtualdj.render, "xml"),
}
# What a format's own rounding allows: rekordbox's may add up to 2 ms, and a constant grid is a line
# through what was rounded.
BOUND_MS = {"rekordbox": 1000 * MAX_ERROR_S, "traktor": 0.01, "virtualdj": 0.01}
BOUND_BPM = {"rekordbox": 5e-4, "traktor": 1e-5, "virtualdj": 1e-4}
CONSTANT = [param for param in TRACKS if not param.values[0].is_piecewise]


@pytest.mark.parametrize("name", RENDER)
@pytest.mark.parametrize("track", CONSTANT)
def test_a_constant_grid_comes_back_as_one(name, track, tmp_path):
    render, suffix = RENDER[name]
    (found,) = read(name, source(tmp_path / f"a.{suffix}", render([track], ExportOptions(), None)))
    grid = grid_of(name, found, track.duration_s)
    assert not grid.is_piecewise
    assert grid.bars_known
    assert found.downbeat == "likely"
    assert worst_ms(grid, track.beat_times_s(), track.duration_s) <= BOUND_MS[name]
    if len(track.beat_times_s()) > 1:
        assert grid.grid.bpm == pytest.approx(track.bpm, abs=BOUND_BPM[name])
        bar_s = 4 * grid.grid.period_s
        off_s = (grid.grid.offset_s - track.downbeat_times_s()[0] + bar_s / 2) % bar_s - bar_s / 2
        assert 1000 * abs(off_s) <= BOUND_MS[name]


@pytest.mark.parametrize("seed", range(12))
def test_any_constant_tempo_comes_back_from_rekordbox_as_one(seed, tmp_path):
    random = np.random.default_rng(seed)
    bpm, first_s = random.uniform(55, 200), random.uniform(0.02, 0.3)
    track = constant("/a.mp3", bpm, first_s, 600.0, bar=int(random.integers(1, 5)))
    content = rekordbox.render([track], ExportOptions(), None)
    (found,) = read("rekordbox", source(tmp_path / "a.xml", content))
    grid = grid_of("rekordbox", found, track.duration_s)
    assert not grid.is_piecewise
    assert worst_ms(grid, track.beat_times_s(), track.duration_s) <= 1000 * MAX_ERROR_S


@pytest.mark.parametrize("name", RENDER)
def test_changing_tempi_come_back_as_segments(name, tmp_path):
    render, suffix = RENDER[name]
    lengths_s = [60 / 126.0] * 64 + [60 / 93.37] * 80 + [60 / 140.0] * 100
    track = of_beats("/Users/dj/a.mp3", 0.31 + np.cumsum([0.0, *lengths_s]))
    (found,) = read(name, source(tmp_path / f"a.{suffix}", render([track], ExportOptions(), None)))
    grid = grid_of(name, found, track.duration_s)
    assert [round(s.grid.bpm, 2) for s in grid.segments] == [126.0, 93.37, 140.0]
    assert grid.bars_known
    assert worst_ms(grid, track.beat_times_s(), track.duration_s) <= BOUND_MS[name] + 0.5


@pytest.mark.parametrize("name", RENDER)
@pytest.mark.parametrize("path", AWKWARD)
def test_paths_come_back(name, path, tmp_path):
    render, suffix = RENDER[name]
    content = render([constant(path)], ExportOptions(), None)
    (found,) = read(name, source(tmp_path / f"a.{suffix}", content))
    assert found.audio.replace("\\", "/") == path.replace("\\", "/")


@pytest.mark.parametrize("kind", ["mp3", "aiff", "wav", "flac", "ogg", "m4a"])
def test_seratos_tag_of_each_kind_of_file(kind, tmp_path):
    track = constant(make(tmp_path, kind), bpm=127.97, first_s=0.2, bar=3, duration_s=600.0)
    path = tmp_path / f"copy.{kind}"
    shutil.copy(track.audio, path)
    assert read("serato", at(path)) == []
    serato.write(track, path, ExportOptions())
    (found,) = read("serato", at(path))
    assert (found.audio, found.downbeat) == (path.name, "likely")
    grid = grid_of("serato", found, track.duration_s)
    assert worst_ms(grid, track.beat_times_s(), track.duration_s) < 0.1
    assert grid.bars_known
