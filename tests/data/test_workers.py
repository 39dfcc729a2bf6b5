"""Workers heed their parent alone, and what goes wrong in them is one line."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch

from beatgrid.data.workers import WorkerLoader, heed_parent_only, worker_fault
from beatgrid.errors import BeatgridError

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "sigwaitinfo"), reason="the sender of a signal is not told here"
)


class Items(torch.utils.data.Dataset):
    """Numbers, each with its worker's process; some do something else first."""

    def __init__(self, actions=None):
        self.actions = actions or {}

    def __len__(self):
        return 8

    def __getitem__(self, i):
        if i in self.actions:
            self.actions[i]()
        return i, os.getpid()


def loader(actions=None):
    return WorkerLoader(Items(actions), num_workers=1, worker_init_fn=heed_parent_only)


def raised(error):
    def action():
        raise error

    return action


def fault_of(actions):
    with pytest.raises(Exception) as caught:  # noqa: PT011, whatever torch makes of it
        list(loader(actions))
    return worker_fault(caught.value)


def test_a_signal_to_all_processes_does_not_end_them():
    """Ctrl-C in a terminal, a batch system's SIGTERM: from another process than their own."""
    batches = iter(loader())
    (first,), (pid,) = next(batches)
    for name in ("TERM", "INT", "TERM"):
        subprocess.run(["kill", f"-{name}", str(int(pid))], check=True)
    assert [int(i) for i, _ in batches] == list(range(1, 8))
    assert int(first) == 0


def test_their_parent_ends_them():
    batches = iter(loader())
    pid = int(next(batches)[1])
    for worker in batches._workers:
        worker.terminate()
        worker.join(10)
        assert worker.exitcode == 0
    assert not Path(f"/proc/{pid}").exists()


def test_signals_are_as_before_once_workers_have_started():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    next(iter(loader()))
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (BeatgridError("a.npy: cannot be read; start again"), "a.npy: cannot be read; start again"),
        (OSError(5, "Input/output error"), "OSError: [Errno 5] Input/output error"),
        (KeyError("beat"), "KeyError: 'beat'"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_what_they_raise_is_one_line(error, line):
    assert fault_of({2: raised(error)}) == line


def test_what_they_die_of_is_one_line():
    """As torch says it, from wherever its signal handler comes in between."""
    killed = RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")
    gone = RuntimeError("DataLoader worker (pid(s) 7, 8) exited unexpectedly")
    status = RuntimeError("DataLoader worker (pid 7) exited unexpectedly with exit code 3. Details")
    died = "a process that reads the data died"
    assert worker_fault(killed) == f"{died} (killed by signal: Killed)"
    assert worker_fault(gone) == f"{died} (exited unexpectedly)"
    assert worker_fault(status) == f"{died} (exited unexpectedly with exit code 3)"
    gone.__cause__ = killed
    assert worker_fault(gone) == f"{died} (killed by signal: Killed)"


def test_other_exceptions_are_none_of_theirs():
    assert worker_fault(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None
    assert worker_fault(ValueError("Caught a cold")) is None
