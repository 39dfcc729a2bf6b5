"""Rendered folders: resumable storage, and that sounds lie on the labels."""

from __future__ import annotations

import json
import re
import runpy
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile

from beatgrid.audio.features import FeatureSpec, log_mel
from beatgrid.commands.keys import KEYS, Hours
from beatgrid.data.labels import load_label
from beatgrid.data.rendered import RenderedSource
from beatgrid.errors import BeatgridError
from beatgrid.grid import Grid
from beatgrid.rendering import store
from beatgrid.rendering.generator import GENRES, click_track
from beatgrid.rendering.piece import SAMPLE_RATE, Piece, draw_duration_s, random_source
from beatgrid.rendering.sources import SOURCES

CORPUS = Path(__file__).resolve().parents[2] / "experiments" / "corpus"


@pytest.fixture
def fake_source(monkeypatch):
    """A source of clicks that counts its renderings and fails for seed 2."""
    module = types.ModuleType("beatgrid.rendering.sources.fake")
    module.rendered = []

    def render_piece(seed, held_out=False):
        module.rendered.append(seed)
        if seed == 2:
            raise RuntimeError("no such groove")
        grid = Grid(100.0 + seed, 0.1, 3)
        samples = click_track(grid.bpm, grid.offset_s, 4.0, SAMPLE_RATE)
        return Piece(samples, grid, "clicks", "likely", "CC0-1.0", {"loud": True})

    module.render_piece = render_piece
    module.missing_tools = list
    monkeypatch.setitem(sys.modules, "beatgrid.rendering.sources.fake", module)
    monkeypatch.setattr(sys.modules["beatgrid.rendering.sources"], "SOURCES", (*SOURCES, "fake"))
    # The command may have been imported by another test, names and all.
    monkeypatch.setattr("beatgrid.commands.render.SOURCES", (*SOURCES, "fake"))
    monkeypatch.setitem(KEYS["render"]["hours"], "fake", Hours)
    return module


def test_more_hours_only_append():
    short = store.jobs_for("out", "mma", 1.0, FeatureSpec())
    long = store.jobs_for("out", "mma", 2.0, FeatureSpec())
    assert long[: len(short)] == short
    assert sum(job.duration_s for job in short[:-1]) < 3600 <= sum(j.duration_s for j in short)
    held_out = store.jobs_for("out", "mma", 1.0, FeatureSpec(), held_out=True)
    assert not {job.name for job in held_out} & {job.name for job in long}
    others = store.jobs_for("out", "mma", 1.0, FeatureSpec(), first_seed=500_000)
    assert others[0].name == "mma-0500000"
    with pytest.raises(BeatgridError, match=r"first_seed=1000000: must lie in 0 \.\. 999999"):
        store.jobs_for("out", "mma", 1.0, FeatureSpec(), first_seed=1_000_000)


def test_genres_pass_over_the_seeds_of_others():
    everything = store.jobs_for("out", "own", 3.0, FeatureSpec())
    chosen = store.jobs_for("out", "own", 0.3, FeatureSpec(), genres=["techno", "trance"])
    names = {job.name for job in everything}
    assert len(chosen) > 5
    assert all(job.name in names for job in chosen[:4])  # the same pieces, others left out
    assert {GENRES[job.seed % len(GENRES)] for job in chosen} == {"techno", "trance"}
    with pytest.raises(BeatgridError, match=r"genres: own has no tekno; it has .*techno"):
        store.jobs_for("out", "own", 1.0, FeatureSpec(), genres=["tekno"])
    with pytest.raises(BeatgridError, match=r"genres: mma has no techno; it has none to choose"):
        store.jobs_for("out", "mma", 1.0, FeatureSpec(), genres=["techno"])
    with pytest.raises(BeatgridError, match=r"genres=.*names none"):
        store.jobs_for("out", "own", 1.0, FeatureSpec(), genres=[])


def test_durations_are_mostly_between_one_and_two_minutes():
    durations = [draw_duration_s("own", seed) for seed in range(300)]
    assert min(durations) >= 60
    assert max(durations) <= 200
    assert 0.75 < np.mean(np.array(durations) <= 120) < 0.95
    assert random_source("own", 3).random() != random_source("mma", 3).random()


def test_pieces_are_stored_whole_and_once(tmp_path, fake_source):
    jobs = [store.Job(tmp_path, "fake", seed, False, FeatureSpec(), True) for seed in range(3)]
    store.prepare_folder(jobs[0])
    assert [store.render_job(job) for job in jobs[:2]] == [None, None]
    assert store.render_job(jobs[2]) == "fake-0000002: RuntimeError: no such groove"
    label = load_label(jobs[1].folder.label_path(jobs[1].name))
    assert label.grid == Grid(101.0, 0.1, 3)
    assert (label.downbeat, label.split, label.duration_s) == ("likely", "train", 4.0)
    assert (label.source, label.genre, label.license) == ("fake", "clicks", "CC0-1.0")
    assert label.extra == {"seed": 1, "recipe": {"loud": True}}
    folder = tmp_path / "fake"
    assert json.loads((folder / "spec.json").read_text()) == FeatureSpec().to_dict()
    audio, rate = soundfile.read(folder / "audio" / label.file_name, dtype="float32")
    features = np.load(folder / "features" / "fake-0000001.npy")
    assert rate == SAMPLE_RATE
    assert features.dtype == np.float16
    np.testing.assert_allclose(features, log_mel(audio, FeatureSpec()), atol=1.0)
    assert sorted(p.name for p in folder.rglob("*") if "0000002" in p.name) == []


def test_what_is_written_can_be_read(tmp_path, fake_source):
    spec = FeatureSpec(n_mels=64)
    job = store.Job(tmp_path, "fake", 1, False, spec)
    assert not job.is_done
    store.prepare_folder(job)
    assert store.render_job(job) is None
    assert job.is_done
    [track] = RenderedSource(job.folder.path).tracks(spec)
    assert (track.name, track.grid, track.duration_s) == (job.name, Grid(101.0, 0.1, 3), 4.0)
    assert track.load_features().shape == (spec.n_frames(4 * SAMPLE_RATE), 64)


def test_silence_gets_no_label(tmp_path):
    job = store.Job(tmp_path, "fake", 0, False, FeatureSpec())
    silent = Piece(np.zeros(SAMPLE_RATE, np.float32), Grid(100, 0), "none")
    with pytest.raises(ValueError, match="silent"):
        store.write_piece(job, silent)
    assert not job.is_done


def run_command(monkeypatch, *overrides):
    monkeypatch.setattr(sys, "argv", ["render.py", "num_workers=0", *overrides])
    runpy.run_path(str(CORPUS / "render.py"), run_name="__main__")


def test_command_goes_on_where_it_was_stopped(tmp_path, fake_source, monkeypatch, capsys):
    hours = (sum(draw_duration_s("fake", seed) for seed in range(3)) - 1) / 3600
    arguments = [f"out_dir={tmp_path}", f"+hours.fake={hours}"]
    with pytest.raises(SystemExit):  # seed 2 fails, the others are there
        run_command(monkeypatch, *arguments)
    assert "error: 1 of 3 files failed" in capsys.readouterr().err
    assert fake_source.rendered == [0, 1, 2]
    with pytest.raises(SystemExit):
        run_command(monkeypatch, *arguments)
    assert fake_source.rendered == [0, 1, 2, 2]
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run_command(monkeypatch, *arguments, "features.n_mels=64")
    assert "choose another out_dir" in capsys.readouterr().err


def test_sources_without_their_programs_are_skipped_in_one_line(
    tmp_path, fake_source, monkeypatch, capsys
):
    fake_source.missing_tools = lambda: ["fakeplay"]
    run_command(monkeypatch, f"out_dir={tmp_path}", "+hours.fake=1")
    notice = capsys.readouterr().err
    assert notice.count("\n") == 1
    assert "fakeplay" in notice
    assert "install.sh" in notice
    assert not fake_source.rendered


def test_unknown_source_is_an_error(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run_command(monkeypatch, f"out_dir={tmp_path}", "+hours.cassette=1")
    assert "hours.cassette: no such key" in capsys.readouterr().err


def test_nothing_to_render_is_an_error(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run_command(monkeypatch, f"out_dir={tmp_path}")
    assert "hours.own=1" in capsys.readouterr().err


def test_another_spec_is_refused(tmp_path):
    job = store.Job(tmp_path, "fake", 0, False, FeatureSpec())
    store.prepare_folder(job)
    with pytest.raises(BeatgridError, match="another out_dir"):
        store.prepare_folder(store.Job(tmp_path, "fake", 0, False, FeatureSpec(n_mels=80)))


def test_own_pieces_have_their_kicks_at_the_label_beats(tmp_path, monkeypatch):
    run_command(monkeypatch, f"out_dir={tmp_path}", "hours.own=0.001")
    label = load_label(tmp_path / "own" / "labels" / "own-0000000.labels.json")
    features = np.load(tmp_path / "own" / "features" / "own-0000000.npy").astype(np.float32)
    assert label.source == "own"
    spec = FeatureSpec()
    assert len(features) == spec.n_frames(round(label.duration_s * spec.sample_rate))
    rise = np.maximum(np.diff(features, axis=0, prepend=features[:1]), 0).mean(axis=1)
    beats = label.grid.beat_times(label.duration_s) * spec.frame_rate
    beats = np.round(beats[(beats > 10) & (beats < len(rise) - 10)]).astype(int)
    around = np.array([rise[beats + shift].mean() for shift in range(-8, 9)])
    assert abs(int(np.argmax(around)) - 8) <= 1


def test_every_source_is_configured():
    config = (CORPUS.parent.parent / "conf" / "render.yaml").read_text()
    assert all(re.search(rf"^  {source}: ", config, re.M) for source in SOURCES)
