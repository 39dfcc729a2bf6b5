"""Command lines with absurd keys and values: a run or one line, never a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st

from beatgrid.commands.configs import CONF, read_config
from beatgrid.errors import BeatgridError
from tests.faults.fuzzing import fuzz
from tests.faults.programs import LIBRARY, TINY, make_music
from tests.faults.sandbox import ANSWERED, Sandbox
from tests.faults.values import numbers, texts

# The files of conf/ whose keys a command has, and what makes it quick.
COMMANDS = {
    "predict": (("predict", "grid/default"), LIBRARY),
    "train": (
        ("train", "data/default", "model/crnn_small", "trainer/default", "features/mel"),
        (*TINY, "debug=fast"),
    ),
}


def _running() -> Callable[[tuple[Path, str, list[str]]], None]:
    from beatgrid.commands import predict, train

    mains = {"predict": predict.main, "train": train.main}

    def run(job: tuple[Path, str, list[str]]) -> None:
        folder, command, arguments = job
        os.chdir(folder)
        out, err = io.StringIO(), io.StringIO()
        status: object = 0
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                mains[command](arguments)
            except SystemExit as stop:
                status = stop.code
        for number, handler in handlers.items():
            signal.signal(number, handler)
        lines = [line for line in err.getvalue().split("\n") if line]
        assert not any(line.startswith("Traceback") for line in lines), lines[-20:]
        errors = [line for line in lines if line.startswith("error: ")]
        if status not in (0, None):
            assert status == 1, (status, lines)
            assert 1 <= len(errors) <= 5, lines
            raise BeatgridError(errors[-1])

    return run


@pytest.fixture(scope="module")
def run():
    sandbox = Sandbox(_running)
    yield sandbox
    sandbox.close()


def _keys(command: str) -> list[str]:
    found = []
    for name in COMMANDS[command][0]:
        group = "" if name == command else f"{name.split('/')[0]}."
        found += [group + setting.key for setting in read_config(CONF / f"{name}.yaml").settings]
    return sorted(set(found))


def _argument(command: str) -> st.SearchStrategy[str]:
    """Make ``KEY=VALUE``, or something that is not."""
    no_null = texts.filter(lambda text: "\0" not in text and not text.startswith("/"))
    value = st.one_of(numbers.map(str), no_null, st.sampled_from(["[]", "{}", "[1,a]", "{a: 1}"]))
    override = st.builds("{}={}".format, st.sampled_from(_keys(command)), value)
    return st.one_of(override, override, override, no_null)


@pytest.mark.parametrize(
    "n_cases",
    [
        pytest.param(12, id="sample"),
        pytest.param(
            250,
            id="many",
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_absurd_command_lines(command, n_cases, run, record, tmp_path):
    make_music(tmp_path)
    outcomes: Counter[str] = Counter()

    def check(arguments: list[str]) -> None:
        message = run((tmp_path, command, [*COMMANDS[command][1], *arguments]))
        outcomes["a run" if message == ANSWERED else "one line"] += 1

    fuzz(st.lists(_argument(command), min_size=1, max_size=2), n_cases, check)
    for outcome, count in outcomes.items():
        record(f"command lines: {command}", "absurd values", outcome, count)
