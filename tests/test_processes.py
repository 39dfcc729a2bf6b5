"""Jobs in several processes: none ends the others, none is lost, nothing stays behind."""

import functools
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beatgrid.errors import BeatgridError
from beatgrid.processes import Failure, describe, results

ROOT = Path(__file__).resolve().parent.parent

both = pytest.mark.parametrize("num_workers", [0, 2])
needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")


def constant(function):
    return function


def making(function, *args):
    """A factory as a worker can take it."""
    return functools.partial(constant, functools.partial(function, *args))


def add(a, b):
    return a + b


def misbehave(job):
    match job:
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(600)
        case "hang deaf":  # as native code that never comes back to Python
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        case "raise":
            raise KeyError("what\nis missing")
        case "memory":
            hoard = bytearray(200_000_000)
            hoard[::4096] = b"x" * len(hoard[::4096])
            time.sleep(600)
        case "unsendable":
            return lambda: None
    return job


def pid_of_worker(_):
    return os.getpid()


def environment_of_worker(name):
    return os.environ.get(name)


def refuse(message):
    raise BeatgridError(message)


def die_while_starting():
    os._exit(9)


def counting():
    """A function that counts its calls in this process."""
    calls = itertools.count(1)
    return lambda _: next(calls)


def alive(pid):
    """A process that runs: neither gone nor a zombie that nobody waits for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def end_of(pids, within_s=10.0):
    """Those of the processes that are still alive after a while."""
    end = time.monotonic() + within_s
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < end:
        time.sleep(0.02)
    return left


@both
def test_every_job_has_its_result(num_workers):
    assert dict(results(making(add, 10), range(5), num_workers)) == {i: 10 + i for i in range(5)}


@both
def test_no_jobs(num_workers):
    assert list(results(making(add, 10), [], num_workers)) == []


@pytest.mark.parametrize("num_workers", [0, 1])
def test_one_process_keeps_the_order(num_workers):
    found = list(results(making(add, 0), [3, 1, 2], num_workers))
    assert found == [(3, 3), (1, 1), (2, 2)]


def test_the_function_is_made_once_in_each_process():
    assert [n for _, n in results(counting, "abcd", 1)] == [1, 2, 3, 4]
    assert [n for _, n in results(counting, "abcd", 0)] == [1, 2, 3, 4]


FAULTS = {
    "segfault": r"^its process died of SIGSEGV$",
    "kill": r"^its process died of SIGKILL, for want of memory perhaps$",
    "exit": r"^its process ended itself with status 3$",
    "raise": r"^KeyError: 'what\\nis missing'$",
    "hang": r"^took longer than 0.5 s, its time limit$",
    "hang deaf": r"^took longer than 0.5 s, its time limit$",
    "unsendable": r"pickle|Can't get local object",  # Python 3.13 words it otherwise
}


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_fault_costs_its_own_job_only(num_workers):
    jobs = ["before", *FAULTS, "after"]
    found = dict(results(making(misbehave), jobs, num_workers, time_limit_s=limit_of))
    assert len(found) == len(jobs)
    assert (found["before"], found["after"]) == ("before", "after")
    for fault, reason in FAULTS.items():
        assert isinstance(found[fault], Failure)
        assert re.search(reason, found[fault].reason), found[fault]


def limit_of(job):
    return 0.5 if job.startswith("hang") else 60


@needs_proc
def test_want_of_memory_costs_its_own_job_only():
    jobs = ["a", "memory", "b"]
    found = dict(results(making(misbehave), jobs, 1, memory_limit_bytes=150_000_000))
    assert found == {
        "a": "a",
        "memory": Failure("took more than 0.15 GB of memory"),
        "b": "b",
    }


def test_an_exception_comes_with_its_trace():
    for num_workers in (0, 1):
        ((_, failure),) = results(making(misbehave), ["raise"], num_workers)
        assert 'raise KeyError("what' in failure.trace


def test_processes_are_renewed_and_no_job_is_lost():
    found = list(results(making(pid_of_worker), range(5), 1, jobs_per_process=2))
    assert [job for job, _ in found] == [0, 1, 2, 3, 4]
    pids = [pid for _, pid in found]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


@both
def test_jobs_are_pulled_when_they_are_needed(num_workers):
    pulled = []
    done = []

    def jobs():
        for job in range(6):
            pulled.append(job)
            # The results of all that is not in a worker have been handed out by now.
            assert len(pulled) - len(done) <= max(num_workers, 1)
            yield job

    for job, _ in results(making(add, 0), jobs(), num_workers):
        done.append(job)
    assert sorted(done) == list(range(6))


def test_never_more_processes_than_jobs():
    pids = {pid for _, pid in results(making(pid_of_worker), range(1), 50)}
    assert len(pids) == 1


@both
def test_what_the_factory_raises_ends_the_run(num_workers):
    with pytest.raises(BeatgridError, match=r"^no weights$"):
        list(results(functools.partial(refuse, "no weights"), "ab", num_workers))


def test_workers_that_cannot_start_are_not_started_for_ever():
    with pytest.raises(BeatgridError, match=r"cannot start: its process ended itself with .* 9"):
        list(results(die_while_starting, "ab", 1))


def test_workers_have_one_thread_each_and_the_parents_environment_stays(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
    found = dict(results(making(environment_of_worker), names, 1))
    assert found == dict.fromkeys(names, "1")
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"


def test_exceptions_are_described_in_one_line():
    assert describe(ValueError("two\n  lines")) == "ValueError: two lines"
    assert describe(MemoryError()) == "MemoryError"


@needs_proc
def test_an_exception_between_two_results_ends_the_workers():
    pids = []
    with pytest.raises(KeyboardInterrupt):
        leave_midway(pids)
    assert pids
    assert end_of(pids) == []


def leave_midway(pids):
    done = results(making(pid_of_worker), itertools.count(), 2)
    try:
        for _, pid in done:
            pids.append(pid)
            if len(set(pids)) == 2:
                raise KeyboardInterrupt
    finally:
        done.close()


# Tells the pids of its workers, which then sleep or compute without an end.
PROGRAM = """
import os, sys, time
from beatgrid.processes import results

def make():
    return work

def work(job):
    if job < 2:
        time.sleep(0.5)  # so that both workers get one of these
        return os.getpid()
    if sys.argv[1] == "native":
        sum(range(10**13))  # holds the interpreter's lock
    time.sleep(600)

if __name__ == "__main__":
    for _, pid in results(make, range(4), 2):
        print(pid, flush=True)
"""


@needs_proc
@pytest.mark.parametrize(
    ("stop", "kind"),
    [
        (signal.SIGINT, "idle"),
        (signal.SIGTERM, "native"),
        (signal.SIGKILL, "idle"),
        (signal.SIGKILL, "native"),
    ],
)
def test_workers_end_with_their_parent(stop, kind, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    parent = subprocess.Popen(
        [sys.executable, str(program), kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    pids = {int(parent.stdout.readline()) for _ in range(2)}
    time.sleep(0.1)
    assert len(pids) == 2
    assert all(map(alive, pids))
    if stop == signal.SIGINT:
        os.killpg(parent.pid, stop)  # as a terminal does
    else:
        parent.send_signal(stop)
    assert parent.wait(60) == -stop
    assert end_of(pids) == []
    _, errors = parent.communicate()
    assert errors.count("Traceback") == (stop == signal.SIGINT)  # the parent's own
