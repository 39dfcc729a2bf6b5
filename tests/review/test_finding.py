"""Grids found by a child process, and the command from start to Ctrl-C."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from beatgrid.review.finding import Finding, predict_command
from tests.review.conftest import GRIDS, make_music

SLEEP = "import time, sys; print('error: a.wav: bad', file=sys.stderr, flush=True); time.sleep(60)"


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def finding_of(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(command, music=tmp_path):
            finding = Finding(music, command)
            stack.callback(finding.close)
            return finding

        yield make


@pytest.mark.slow
def test_a_folder_without_results_is_offered_found_and_shown(tmp_path, open_page, finding_of):
    music = make_music(tmp_path / "music")
    results = tmp_path / "grids"
    command = predict_command(music, results, {"activation": "flux", "num_workers": "0"})
    page = open_page(results, music, finding_of(command, music))
    run = page.get("/api/run").json()
    assert run["finding"] == {"state": "idle", "n_files": len(GRIDS) + 1, "message": ""}
    assert run["n_tracks"] == 0
    assert page.post("/api/find", {"run": True}).json()["finding"]["state"] == "running"
    wait_for(lambda: page.get("/api/run").json()["finding"]["state"] != "running")
    run = page.get("/api/run").json()
    assert (run["finding"]["state"], run["n_tracks"]) == ("done", len(GRIDS) + 1)
    assert {row.name for row in page.run.rows()} == {n.split("/")[-1] for n in GRIDS} | {
        "noise.wav"
    }


def test_it_can_be_stopped_and_says_what_went_wrong(finding_of):
    finding = finding_of([sys.executable, "-c", SLEEP])
    finding.start()
    finding.start()
    wait_for(lambda: finding.message)
    assert (finding.state, finding.message) == ("running", "a.wav: bad")
    finding.stop()
    assert finding.state == "stopped"
    finding.start()
    assert finding.state == "running"


@pytest.mark.parametrize(("status", "state"), [(0, "done"), (1, "done"), (3, "failed")])
def test_its_end_is_told(status, state, finding_of):
    finding = finding_of([sys.executable, "-c", f"raise SystemExit({status})"])
    finding.start()
    wait_for(lambda: finding.state != "running")
    assert finding.state == state


def test_results_of_other_music_are_not_shown(analysed, tmp_path, open_page):
    other = tmp_path / "other"
    other.mkdir()
    page = open_page(analysed / "grids", other)
    assert page.run.rows() == []
    assert len(open_page(analysed / "grids", analysed / "music").run.rows()) == len(GRIDS) + 1


def test_a_folder_that_is_no_run_gets_no_index(tmp_path, open_page):
    assert open_page(tmp_path / "music").run.rows() == []
    (tmp_path / "empty").mkdir()
    assert open_page(tmp_path / "empty").run.rows() == []
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.slow
def test_the_command_serves_on_this_machine_alone_until_it_is_interrupted(results):
    process = subprocess.Popen(
        [sys.executable, "review.py", str(results), "open=false", "activation=flux"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=os.path.dirname(os.path.dirname(os.path.dirname(__file__))),
    )
    try:
        assert "4 tracks of" in process.stdout.readline()
        url = process.stdout.readline().strip()
        found = re.fullmatch(r"(http://127\.0\.0\.1:(\d+)/)\?token=([\w-]{43})", url)
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert answer.status == 200
            assert "HttpOnly" in answer.headers["set-cookie"]
            assert answer.headers["server"] is None
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(found[1], timeout=20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "folder= is missing"),
        (["nowhere"], "folder=nowhere: no such folder"),
        (["empty"], "holds neither results nor audio"),
        ([".", "port=70000"], "port=70000: must be a whole number from 0 to 65535"),
        ([".", "open=perhaps"], "open=perhaps: must be true or false"),
        (["music", "ckpt=none.ckpt", "open=false"], "none.ckpt"),
        (["music", "activation=ears", "open=false"], "activation=ears"),
    ],
)
def test_mistakes_are_one_line(arguments, message, run_script, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.wav").write_bytes(b"RIFF")
    done = run_script("review.py", *arguments)
    assert done.status == 1
    assert message in done.err
    assert len(done.err.splitlines()) == 1


def test_a_port_that_is_taken_is_one_line(results, run_script):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run_script(
            "review.py", str(results), f"port={port}", "open=false", "activation=flux"
        )
    assert done.status == 1
    assert f"port={port}: cannot be used" in done.err
