"""The plugin that runs tests until the time is over: what it cuts off has not failed."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

CUT_OFF = """
import time

def test_it():
    try:
        time.sleep(60)
    except BaseException as error:  # as a browser's driver does, whose connection then is lost
        raise ConnectionError("connection closed") from error
"""
LATE = """
import time, pytest

@pytest.fixture(scope="module")
def browser():
    yield
    raise ConnectionError("connection closed")

def test_it(browser):
    time.sleep(60)
"""
WRONG = "def test_it():\n    assert 1 == 2\n"


@pytest.mark.parametrize(
    ("test", "seconds", "status", "said"),
    [
        (CUT_OFF, 1, 0, "1 skipped"),
        (LATE, 1, 0, "2 skipped"),
        (WRONG, 60, 1, "1 failed"),
    ],
    ids=["cut off", "cut off, then torn down", "wrong"],
)
def test_what_the_time_cuts_off_is_skipped_and_what_is_wrong_fails(
    test, seconds, status, said, tmp_path
):
    (tmp_path / "test_one.py").write_text(test)
    options = ["-p", "tests.sampling", "-p", "no:cacheprovider", "-c", "/dev/null"]
    options += ["--rootdir", str(tmp_path), "--for-seconds", str(seconds)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--hypothesis-seed", "1", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == status, done.stdout
    assert said in done.stdout.splitlines()[-1]
