"""``predict.py`` over a library: summaries, lists of what failed, stops, mistakes."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from beatgrid.rendering.generator import click_track
from tests.conftest import ROOT

FLUX = ["activation=flux", "picture=false", "out=out", "num_workers=0"]
BATCHES = ["backend=torch", "batch_size=4", "picture=false", "out=out"]


@pytest.fixture(scope="module")
def clicks():
    return {bpm: click_track(float(bpm), 0.1, 6.0) for bpm in (100, 125)}


@pytest.fixture
def music(tmp_path, clicks):
    for name, samples in (("A/a.wav", clicks[100]), ("b.wav", clicks[125])):
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, 44100)
    return tmp_path / "music"


def summary(folder="out"):
    with open(f"{folder}/summary.csv", newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def test_a_library_leaves_a_summary(music, run_script):
    (music / "bad.mp3").write_text("no music")
    done = run_script("predict.py", "audio=music", *FLUX[:-1])
    assert done.status == 1
    rows = summary()
    assert list(rows) == ["music/A/a.wav", "music/b.wav", "music/bad.mp3"]
    result = json.loads(Path("out/A/a.wav.beatgrid.json").read_text())
    row = rows["music/A/a.wav"]
    assert row["status"] == "done"
    for key in ("bpm", "offset_s", "confidence"):
        assert float(row[key]) == pytest.approx(result[key], rel=1e-8)
    assert (row["downbeat_offset_s"], row["reason"]) == ("", "")
    assert row["constant_tempo"] == "1"
    assert float(row["seconds"]) > 0
    assert rows["music/bad.mp3"]["status"] == "failed"
    assert "no audio that can be decoded" in rows["music/bad.mp3"]["reason"]
    assert Path("out/failed.txt").read_text() == f"{music}/bad.mp3\n"
    assert "3 of 3 files: 2 done, 1 failed, 0 skipped" in done.err
    assert "error: 1 of 3 files failed; try them again with audio=@out/failed.txt" in done.err
    assert "2 files in out" in done.out


def test_what_failed_can_be_fed_back(music, run_script, clicks):
    names = ["new\nline.wav", "esc\x1b[31m.wav", "=cmd (x), [y].wav"]
    for name in names:
        (music / name).write_text("no music")
    failed = run_script("predict.py", "audio=music", *FLUX)
    assert "\x1b[31m" not in failed.err + failed.out
    for shown in ("music/new\\nline.wav: ", "music/esc\\x1b[31m.wav: "):
        assert f"error: {shown}" in failed.err
    for name in names:
        soundfile.write(music / name, clicks[100], 44100)
    again = run_script("predict.py", "audio=@out/failed.txt", *FLUX)
    assert again.status == 0, again.err
    assert not Path("out/failed.txt").exists()
    whole = run_script("predict.py", "audio=music", *FLUX)
    assert "5 of 5 files: 0 done, 0 failed, 5 skipped" in whole.err
    assert len(summary()) == 5


def test_spreadsheets_find_no_formulas(music, run_script, monkeypatch):
    os.rename(music / "b.wav", music / "=cmd|' ꞏ'!A0.wav")
    monkeypatch.chdir(music)
    for name in ("@sum.wav", "+1.wav", "-1.wav", "\tx.wav"):
        Path(name).write_text("no music")
    Path("list.txt").write_text("=cmd|' ꞏ'!A0.wav\n@sum.wav\n+1.wav\n-1.wav\n" + '"\\tx.wav"\n')
    assert run_script("predict.py", "audio=@list.txt", *FLUX).status == 1
    with open("out/summary.csv", newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=cmd|' ꞏ'!A0.wav" in cells
    assert "\\tx.wav" in cells


def test_the_table_is_short_and_doubtful_first(music, run_script, tmp_path):
    import rich.console

    from beatgrid.output.index import Record
    from beatgrid.output.summary import DoubtfulFirst

    table = DoubtfulFirst(n_rows=4)
    for i in range(100):
        confidence = (i * 37 % 100) / 100
        table.add(
            Record(
                f"/{i}",
                f"{i}",
                f"{i}.wav",
                "done",
                bpm=120.0,
                bpm_display="120",
                offset_s=0.0,
                confidence=confidence,
                constant_tempo=i != 50,
            )
        )
    table.add(Record("/x", "x", "x.wav", "no grid", confidence=0.0, reason="too short"))
    with open(tmp_path / "table", "w+") as file:
        table.print(rich.console.Console(file=file, width=80))
        file.seek(0)
        lines = file.read().splitlines()
    rows = [line.split() for line in lines if ".wav" in line]
    assert [row[0] for row in rows] == ["x.wav", "50.wav", "0.wav", "73.wav"]
    assert "no grid: too short" in lines[2]
    assert "and 97 more in summary.csv" in lines[-1]


def test_a_single_file_needs_no_progress(music, run_script):
    done = run_script("predict.py", "audio=music/b.wav", *FLUX)
    assert (done.status, done.err) == (0, "")
    assert "b.wav" in done.out


def test_debug_shows_where_a_file_failed(music, run_script, monkeypatch):
    def broken(*_):
        raise KeyError("a bug")

    monkeypatch.setattr("beatgrid.library.write_result", broken)
    plain = run_script("predict.py", "audio=music/b.wav", *FLUX)
    assert plain.err.splitlines()[0] == "error: music/b.wav: KeyError: 'a bug'"
    assert "Traceback" not in plain.err
    debug = run_script("predict.py", "audio=music/b.wav", *FLUX, "debug=true")
    assert "Traceback" in debug.err


def test_a_result_that_cannot_be_written_costs_its_file(music, run_script):
    Path("out/A").mkdir(parents=True)
    Path("out/A/a.wav.beatgrid.json").mkdir()
    done = run_script("predict.py", "audio=music", *FLUX)
    assert done.status == 1
    assert "error: music/A/a.wav: its result cannot be written (Is a directory)" in done.err
    assert Path("out/b.wav.beatgrid.json").is_file()
    assert "Traceback" not in done.err


def test_an_output_that_cannot_be_written_to_is_one_line_before_the_work(
    music, run_script, monkeypatch
):
    monkeypatch.setattr("beatgrid.library.results", None)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("beatgrid.files.os.fsync", full)
    done = run_script("predict.py", "audio=music", *FLUX)
    assert done.status == 1
    assert "error: out=out: cannot be written to (No space left on device)" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "argument",
    [
        *("num_workers=-1", "num_workers=many", "num_workers=1.5", "num_threads=0"),
        *("batch_size=0", "batch_size=2.5", "batch_size=8"),  # activation=flux
        *("time_limit_s=0", "time_limit_s=abc", "time_limit_s=.nan", "memory_limit_gb=-1"),
    ],
)
def test_mistakes_name_their_key(music, run_script, argument):
    done = run_script("predict.py", "audio=music", *FLUX[:-1], argument)
    assert done.status == 1
    (line,) = done.err.splitlines()
    assert line.startswith(f"error: {argument.partition('=')[0]}=")


@pytest.mark.slow
def test_workers_that_share_a_network_in_batches_find_what_each_finds_alone(
    run_script, tmp_path, clicks
):
    """One of them has two pieces, one is no music."""
    lengths_s = {"a": 6.0, "b": 200.0, "c": 30.0, "d": 130.0}
    for index, (name, length_s) in enumerate(lengths_s.items()):
        soundfile.write(f"{name}.wav", click_track(120.0 + 7 * index, 0.1, length_s), 44100)
    Path("bad.mp3").write_text("no music")
    common = ["audio=.", "backend=torch", "picture=false"]
    alone = run_script("predict.py", *common, "out=alone", "num_workers=0")
    batched = run_script(
        "predict.py", *common, "out=batched", "num_workers=3", "batch_size=4", "num_threads=1"
    )
    assert (alone.status, batched.status) == (1, 1)
    for done in (alone, batched):
        assert "5 of 5 files: 4 done, 1 failed, 0 skipped" in done.err
    for name in lengths_s:
        one, other = (
            json.loads(Path(out, f"{name}.wav.beatgrid.json").read_text())
            for out in ("alone", "batched")
        )
        assert other["bpm_raw"] == pytest.approx(one["bpm_raw"], rel=0, abs=1e-6)
        assert other["offset_raw_s"] == pytest.approx(one["offset_raw_s"], rel=0, abs=1e-6)
        assert other["method_hash"] == one["method_hash"]
    again = run_script("predict.py", *common, "out=batched", "num_workers=2", "batch_size=4")
    assert "5 of 5 files: 0 done, 1 failed, 4 skipped" in again.err


@pytest.mark.slow
def test_damaged_weights_of_a_shared_network_are_each_file_s_error(music, run_script):
    from beatgrid.networks.checkpoint import load_model, save_model
    from beatgrid.networks.description import SHIPPED

    model = load_model(SHIPPED)
    model.network.get_parameter("output.bias").data[0] = float("nan")
    save_model("nan.ckpt", model)
    done = run_script("predict.py", "audio=music", "ckpt=nan.ckpt", *BATCHES, "num_workers=2")
    assert done.status == 1
    assert "2 of 2 files: 0 done, 2 failed" in done.err
    assert done.err.count("its network answers with what is no number") == 2
    assert "Traceback" not in done.err


def test_machines_share_no_network(music, run_script):
    pytest.importorskip("torch")  # which computes batches
    done = run_script("predict.py", "audio=music", *BATCHES, "workers=ray")
    assert done.status == 1
    assert done.err == (
        "error: batch_size=4: the machines of workers=ray share no network; leave it 1\n"
    )


# Workers whose parent is stopped: tests/test_processes.py in the fast tier.
@pytest.mark.parametrize(
    ("stop", "status", "how"),
    [
        (signal.SIGINT, 130, FLUX),
        pytest.param(signal.SIGINT, 130, [*FLUX[:-1], "num_workers=1"], marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 143, [*FLUX[:-1], "num_workers=1"], marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 130, [*BATCHES, "num_workers=2"], marks=pytest.mark.slow),
    ],
)
def test_a_stopped_run_leaves_its_summary_and_goes_on(
    stop, status, how, run_script, tmp_path, clicks
):
    n_files = 80  # at most 40 are done in a second: the signal comes amid them
    for i in range(n_files):
        soundfile.write(tmp_path / f"{i:02d}.wav", clicks[100][: 220500 + i], 44100)
    first = subprocess.Popen(
        [sys.executable, str(ROOT / "predict.py"), "audio=.", *how],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while len(list(tmp_path.glob("out/*.beatgrid.json"))) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    first.send_signal(stop)
    out, err = first.communicate(timeout=60)
    assert first.returncode == status, err
    assert "Traceback" not in err
    n_done = len(list(tmp_path.glob("out/*.beatgrid.json")))
    assert 0 < n_done < n_files
    rows = summary(tmp_path / "out")
    # Each worker may just have written one.
    assert n_done - (2 if "num_workers=2" in how else 1) <= len(rows) <= n_done
    assert "conf." in out
    second = run_script("predict.py", "audio=.", *how)
    assert second.status == 0, second.err
    assert f"{n_files - n_done} done, 0 failed, {n_done} skipped" in second.err
    assert len(summary(tmp_path / "out")) == n_files
    assert not list(tmp_path.glob("out/.*.tmp*"))
