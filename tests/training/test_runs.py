"""Run folders: each its own, found again, their data kept."""

import errno
import json
import os
from pathlib import Path

import pytest

from beatgrid.errors import BeatgridError
from beatgrid.training import runs
from beatgrid.training.faults import writing_faults_named
from beatgrid.training.runs import (
    begin_run,
    best_checkpoint,
    discarded_unless_begun,
    find_run,
    keep_splits,
    requeued_run,
)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_two_runs_that_begin_in_one_folder_at_once(monkeypatch):
    """The other one begins between the look into the folder and the writing."""
    rename = os.rename

    def overtaken(source, target):
        monkeypatch.setattr(os, "rename", rename)
        begin_run("run", "a: other\n", "[other]\n")
        rename(source, target)

    monkeypatch.setattr(os, "rename", overtaken)
    with pytest.raises(BeatgridError, match="output_dir=run: holds a run already; resume=run"):
        begin_run("run", "a: ours\n", "[ours]\n")
    assert Path("run/.hydra/config.yaml").read_text() == "a: other\n"
    assert Path("run/.hydra/overrides.yaml").read_text() == "[other]\n"
    assert [path.name for path in Path("run").iterdir()] == [".hydra"]


def test_runs_of_the_same_second_have_folders_of_their_own():
    folders = {begin_run(None, "a: 1\n", "[]\n") for _ in range(20)}
    assert len(folders) == 20
    assert all((folder / ".hydra" / "config.yaml").read_text() == "a: 1\n" for folder in folders)


def test_a_folder_that_holds_a_run_is_not_taken_again(tmp_path):
    begin_run("run", "a: 1\n", "[]\n")
    with pytest.raises(BeatgridError, match="output_dir=run: holds a run already; resume=run"):
        begin_run("run", "a: 2\n", "[]\n")
    assert (tmp_path / "run/.hydra/config.yaml").read_text() == "a: 1\n"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BeatgridError, match="output_dir=file/run: cannot hold a run"):
        begin_run("file/run", "a: 1\n", "[]\n")
    (tmp_path / "outputs").touch()
    with pytest.raises(BeatgridError, match="output_dir=outputs/train: cannot hold a run"):
        begin_run(None, "a: 1\n", "[]\n")


def test_what_ends_before_training_leaves_no_folder():
    folder = begin_run("early", "a: 1\n", "[]\n")
    with pytest.raises(KeyboardInterrupt), discarded_unless_begun(folder):
        raise KeyboardInterrupt
    assert not folder.exists()
    folder = begin_run("late", "a: 1\n", "[]\n")
    keep_splits(folder, {"train": ["a"]})
    with pytest.raises(BeatgridError), discarded_unless_begun(folder):
        raise BeatgridError("full disk")
    assert (folder / "splits.json").is_file()


def test_the_newest_run_is_the_one_begun_last_whatever_was_written_since():
    first, second = (begin_run(f"outputs/train/{name}", "a: 1\n", "[]\n") for name in "zy")
    os.utime(first / ".hydra/config.yaml", (1e9, 1e9))
    os.utime(second / ".hydra/config.yaml", (2e9, 2e9))
    (first / "checkpoints").mkdir()
    (first / "checkpoints/last.ckpt").touch()
    assert find_run(None) == (second, None)


def test_a_run_is_found_by_its_folder_or_by_a_checkpoint_in_it(tmp_path):
    folder = begin_run("run", "a: 1\n", "[]\n")
    assert find_run("run") == (folder, None)
    path = folder / "checkpoints/last.ckpt"
    path.parent.mkdir()
    path.touch()
    assert find_run(path) == (tmp_path / "run", path)


def test_what_belongs_to_no_run_is_named():
    with pytest.raises(BeatgridError, match="resume=true: no run in outputs/train"):
        find_run(None)
    with pytest.raises(BeatgridError, match="resume=gone: no such run folder or checkpoint"):
        find_run("gone")
    os.mkdir("empty")
    with pytest.raises(BeatgridError, match=r"resume=empty: no run, empty/.hydra/config.yaml is"):
        find_run("empty")
    with open("README.md", "w"):
        pass
    with pytest.raises(BeatgridError, match=r"resume=README.md: no run.*init_from=README.md"):
        find_run("README.md")


def test_splits_are_written_once_and_must_stay(tmp_path):
    splits = {"train": ["a", "b"], "val": ["c"], "test": []}
    keep_splits(tmp_path, splits)
    written = (tmp_path / "splits.json").read_bytes()
    assert json.loads(written) == splits
    keep_splits(tmp_path, splits)
    with pytest.raises(BeatgridError) as error:
        keep_splits(tmp_path, {"train": ["a", "c", *"defghi"], "val": ["b"], "test": []})
    assert str(error.value) == (
        f"resume={tmp_path}: the data are split otherwise than in its splits.json: train lacks b, "
        "train has in addition c d e f g and 2 more, val lacks c, val has in addition b; "
        "restore them, or begin a new run (init_from=...)"
    )
    assert (tmp_path / "splits.json").read_bytes() == written


def test_the_best_checkpoint_is_the_newest_runs():
    with pytest.raises(BeatgridError, match=r"no run with checkpoints/best.ckpt"):
        best_checkpoint(runs.RUNS)
    for name, time_s in (("b", 1e9), ("a", 2e9)):
        path = runs.RUNS / name / "checkpoints/best.ckpt"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (time_s, time_s))
    assert best_checkpoint(runs.RUNS).parts[-3] == "a"


def test_a_job_that_slurm_requeues_goes_on_with_its_own_run(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    assert requeued_run(None) is None
    folder = begin_run(None, "a: 1\n", "[]\n")
    assert folder == runs.RUNS / "slurm-77"
    assert begin_run(None, "a: 1\n", "[]\n") == runs.RUNS / "slurm-77-2"
    assert requeued_run(None) is None
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert requeued_run(None) == folder
    assert requeued_run("elsewhere") is None
    begin_run("elsewhere", "a: 1\n", "[]\n")
    assert str(requeued_run("elsewhere")) == "elsewhere"


def test_a_disk_that_fills_up_is_one_line(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "metrics.json")
    with (
        pytest.raises(BeatgridError, match=r"metrics.json: cannot be written \(No space left"),
        writing_faults_named(tmp_path),
    ):
        raise full
    other = OSError(errno.ECONNRESET, "reset")
    with pytest.raises(OSError, match="reset"), writing_faults_named(tmp_path):
        raise other
