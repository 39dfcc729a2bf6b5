"""``beatgrid predict shard=...`` and ``beatgrid merge``, as a batch system's jobs call them."""

import csv
import json
from pathlib import Path

import pytest
import soundfile

from beatgrid.cluster.shard import Shard
from beatgrid.commands import merge
from beatgrid.rendering.generator import click_track

FLUX = ["audio=music", "activation=flux", "picture=false", "num_workers=0"]


@pytest.fixture
def music(tmp_path):
    samples = click_track(125.0, 0.1, 6.0)
    for name in ("a", "b", "d"):
        path = tmp_path / "music" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, samples, 44100)
    (tmp_path / "music" / "bad.mp3").write_text("no music")
    places = ("a.wav", "b.wav", "d.wav", "bad.mp3")
    assert {Shard(1, 2).takes(place) for place in places} == {False, True}, "both have some"
    return tmp_path / "music"


@pytest.fixture
def run_merge(capfd):
    """Run ``beatgrid merge`` in this process: (exit status, standard output, standard error)."""

    def run(*arguments):
        capfd.readouterr()
        status = 0
        try:
            merge.main(arguments, program="beatgrid merge")
        except SystemExit as stop:
            status = stop.code
        return status, *capfd.readouterr()

    return run


def rows():
    with open("out/summary.csv", newline="", encoding="utf-8") as file:
        return [{**row, "seconds": None} for row in csv.DictReader(file)]


def test_shards_are_merged_into_what_one_run_leaves(music, run_script, run_merge):
    assert run_script("predict.py", *FLUX, "out=out").status == 1
    single = rows()
    result = json.loads(Path("out/a.wav.beatgrid.json").read_text())
    Path("out").rename("single")

    runs = [run_script("predict.py", *FLUX, "out=out", "shard=1/2")]
    status, _, err = run_merge("out=out")
    assert (status, err.splitlines()[0]) == (1, "error: shard 2/2 is not begun")
    runs.append(run_script("predict.py", *FLUX, "out=out", "shard=2/2"))
    assert sorted(run.status for run in runs) == [0, 1]
    failed = next(run for run in runs if run.status == 1)
    assert "with audio=@out/.beatgrid-shards/" in failed.err

    status, out, err = run_merge("out=out")
    assert status == 1
    assert err == "error: 1 file failed; try again with audio=@out/failed.txt\n"
    assert "3 files in out" in out
    assert rows() == single
    assert json.loads(Path("out/a.wav.beatgrid.json").read_text()) == result

    whole = run_script("predict.py", *FLUX, "out=out")
    assert "4 of 4 files: 0 done, 1 failed, 3 skipped" in whole.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shard=3"], "error: shard=3: must be a number and a count, such as 3/16"),
        (["shard=0/2"], "error: shard=0/2: the number must lie between 1 and the count"),
        (["shard=1/2", "export=midi"], "error: shard=1/2: exports are made of all results"),
        (["shard=1/2", "tag=true"], "error: shard=1/2: exports are made of all results"),
    ],
)
def test_mistakes_are_one_line(arguments, message, music, run_script):
    done = run_script("predict.py", *FLUX, "out=out", *arguments)
    assert done.status == 1
    assert done.err.startswith(message)
    assert done.err.count("\n") == 1
    assert not Path("out").exists()


def test_there_is_something_to_merge(run_merge, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_merge("out=nowhere") == (
        1,
        "",
        "error: out=nowhere: no such folder; name the out of the shards' commands\n",
    )
