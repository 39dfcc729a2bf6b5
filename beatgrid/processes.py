"""Independent jobs in several processes, where no job can end the others.

A worker process has one job at a time, so that its death names the job that it had: native
decoders crash, hang and run out of memory, and none of that can be caught from inside. The job
then has a ``Failure`` for its result, another worker takes over, and the rest is done.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import math
import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from beatgrid.errors import BeatgridError

J = TypeVar("J")
R = TypeVar("R")

# A worker that is told to end may remove its temporary files first.
_GRACE_S = 1.0
# How often the memory of the workers is looked at.
_MEMORY_POLL_S = 0.25
# Workers that die before their first job, one after the other, until the run gives up.
_MAX_FAILED_STARTS = 3
# Linux: the signal that a process gets when its parent dies, as in <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1
# Between 0 and 1000: the kernel takes a worker for want of memory, never the process that waits
# for it.
_OOM_SCORE = 500


@dataclass(frozen=True)
class Failure:
    """Why a job has no result.

    Attributes:
        reason: One line: an exception's type and message, or how the process ended.
        trace: The traceback of an exception, otherwise empty.
    """

    reason: str
    trace: str = ""


def results(
    make: Callable[[], Callable[[J], R]],
    jobs: Iterable[J],
    num_workers: int,
    *,
    time_limit_s: float | Callable[[J], float] | None = None,
    memory_limit_bytes: int | None = None,
    jobs_per_process: int | None = None,
) -> Generator[tuple[J, R | Failure], None, None]:
    """Yield each job with its result as it is done.

    Closing the generator, as an exception inside of it does (Ctrl-C too), ends the workers at
    once; they also end when this process dies, however it dies. They are spawned, so the calling
    script needs its ``if __name__ == "__main__"``.

    Args:
        make: Makes the function that does a job, once in each process: the place to load a
            network. It travels to the workers, as the jobs and their results do.
        jobs: Pulled one by one, each when a worker is free for it and all earlier results have
            been yielded.
        num_workers: Processes at most, of one thread each. 0 does all in this one, where limits
            do not hold and a crash is the caller's.
        time_limit_s: Seconds that a job may take, or a function of the job that says so. Its
            worker is then ended.
        memory_limit_bytes: Resident memory that a worker may take, where ``/proc`` tells it. (A
            limit of address space would count what torch only reserves.)
        jobs_per_process: After so many a fresh process takes over: that bounds what libraries
            leak.

    Yields:
        A job and what the function returned, or a ``Failure``: the function raised, or its
        process died or was ended.

    Raises:
        BeatgridError: Workers cannot be started.
        Exception: What ``make`` raised.
    """
    if num_workers == 0:
        yield from _in_this_process(make, jobs)
        return
    limit_s = time_limit_s if callable(time_limit_s) else lambda _: time_limit_s or math.inf
    queue = iter(jobs)
    workers: list[_Worker[J]] = []
    failed_starts = 0
    try:
        for job in itertools.islice(queue, num_workers):
            workers.append(_Worker(make, job, limit_s(job)))
        while workers:
            for worker, message in _messages(workers, memory_limit_bytes):
                outcome: Any
                match message:
                    case _Ready():
                        failed_starts = 0
                        worker.begin()
                        continue
                    case _Unusable(error):
                        raise error
                    case _Done(outcome):
                        is_usable = worker.n_jobs != jobs_per_process
                    case _Lost(reason) if worker.n_jobs == 0:
                        failed_starts += 1
                        if failed_starts == _MAX_FAILED_STARTS:
                            raise BeatgridError(f"worker processes cannot start: {reason}")
                        worker.end()
                        workers[workers.index(worker)] = _Worker(make, worker.job, worker.limit_s)
                        continue
                    case _Lost(reason):
                        outcome, is_usable = Failure(reason), False
                yield worker.job, outcome
                following = list(itertools.islice(queue, 1))
                if following and is_usable:
                    worker.begin(following[0], limit_s(following[0]))
                    continue
                worker.end()
                workers.remove(worker)
                workers.extend(_Worker(make, job, limit_s(job)) for job in following)
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.end()


def _in_this_process(
    make: Callable[[], Callable[[J], R]], jobs: Iterable[J]
) -> Iterator[tuple[J, R | Failure]]:
    function = None
    for job in jobs:
        function = function or make()
        yield job, _attempt(function, job)


def _attempt(function: Callable[[J], R], job: J) -> R | Failure:
    try:
        return function(job)
    except Exception as error:
        return Failure(describe(error), traceback.format_exc())


def describe(error: BaseException) -> str:
    """Name an unexpected exception in one line: its type, and what it says."""
    return ": ".join(filter(None, [type(error).__name__, " ".join(str(error).split())]))


# What a worker says, or what becomes of it.


@dataclass(frozen=True)
class _Ready:
    pass


@dataclass(frozen=True)
class _Unusable:
    error: Exception


@dataclass(frozen=True)
class _Done:
    outcome: Any


@dataclass(frozen=True)
class _Lost:
    reason: str


class _Worker(Generic[J]):
    """A process, its end of the pipe, and the job that it has or will have once it is ready."""

    def __init__(self, make: Callable[[], Callable[[J], Any]], job: J, limit_s: float) -> None:
        context = multiprocessing.get_context("spawn")
        self.channel, others_end = context.Pipe()
        # A daemon: the interpreter's end would terminate it, should nothing else.
        self.process = context.Process(
            target=_work, args=(make, others_end, os.getpid()), daemon=True
        )
        self.job = job
        self.limit_s = limit_s
        self.deadline = math.inf
        self.n_jobs = 0
        try:
            with _environment_of_a_worker():
                self.process.start()
        except OSError as error:
            raise BeatgridError(
                f"a worker process cannot be started ({error.strerror or error}); "
                "close other programs or lower num_workers"
            ) from error
        finally:
            # Only the worker holds it now, so that its death is the end of the stream.
            others_end.close()

    def begin(self, job: J | None = None, limit_s: float | None = None) -> None:
        """Send the worker its job; without one, that which it was made for."""
        if job is not None:
            self.job, self.limit_s = job, limit_s or math.inf
        self.n_jobs += 1
        self.deadline = time.monotonic() + self.limit_s
        # A worker that has died since is found by its channel.
        with contextlib.suppress(ConnectionError):
            self.channel.send(self.job)

    def receive(self) -> Any:
        try:
            return self.channel.recv()
        except (EOFError, OSError):
            self.process.join(_GRACE_S)
            return _Lost(_cause_of_death(self.process.exitcode))

    def resident_bytes(self) -> int:
        """Return the bytes of memory that the process holds; 0 where it cannot be told."""
        try:
            pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def end(self) -> None:
        """End the process, if need be by force."""
        self.process.terminate()
        self.process.join(_GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.channel.close()


def _messages(
    workers: Sequence[_Worker[J]], memory_limit_bytes: int | None
) -> Iterator[tuple[_Worker[J], Any]]:
    """Wait until a worker has something to say, then yield all that is there."""
    wait_s = min(worker.deadline for worker in workers) - time.monotonic()
    if memory_limit_bytes is not None:
        wait_s = min(wait_s, _MEMORY_POLL_S)
    ready = multiprocessing.connection.wait(
        [worker.channel for worker in workers], None if wait_s == math.inf else max(wait_s, 0.0)
    )
    for worker in tuple(workers):
        if worker.channel in ready:
            yield worker, worker.receive()
        elif time.monotonic() >= worker.deadline:
            yield worker, _Lost(f"took longer than {worker.limit_s:.4g} s, its time limit")
        elif memory_limit_bytes is not None and worker.resident_bytes() > memory_limit_bytes:
            yield worker, _Lost(f"took more than {memory_limit_bytes / 1e9:.3g} GB of memory")


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code is None:
        return "its process stopped answering"
    if exit_code >= 0:
        return f"its process ended itself with status {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    hint = ", for want of memory perhaps" if name == "SIGKILL" else ""
    return f"its process died of {name}{hint}"


@contextlib.contextmanager
def _environment_of_a_worker() -> Iterator[None]:
    """Set what a process must find when it starts, before its first import; undone here.

    One thread each: two threads each on two cores were five to nine times slower than one. Ctrl-C
    reaches all processes of a terminal; it is the parent's to act on.
    """
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    os.environ.update(dict.fromkeys(before, "1"))
    resource_tracker.ensure_running()  # unblocks the signal once it has started
    blocked_before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked_before)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(
    make: Callable[[], Callable[[Any], Any]],
    channel: multiprocessing.connection.Connection,
    parent_pid: int,
) -> None:
    """Do jobs as they come, until there is nobody left to send them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # An exception, so that temporary files and child processes are cleared away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    _end_with(parent_pid)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE))
    with contextlib.suppress(EOFError, ConnectionError):
        try:
            function = make()
        except Exception as error:
            channel.send(_Unusable(portable(error)))
            return
        channel.send(_Ready())
        while True:
            outcome = _attempt(function, channel.recv())
            try:
                channel.send(_Done(outcome))
            except (pickle.PicklingError, TypeError, AttributeError) as error:
                channel.send(_Done(Failure(describe(error), traceback.format_exc())))


def portable(error: Exception) -> Exception:
    """Return an error as another process can take it, a bug's with its traceback as a note."""
    if not isinstance(error, BeatgridError):
        error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(traceback.format_exc())
    return error


def _end_with(parent_pid: int) -> None:
    """End this process when its parent dies, even by a signal that cannot be caught."""
    if sys.platform == "linux":
        # The kernel's signal also ends native code that never releases the interpreter.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is None or os.getppid() != parent_pid:  # it died before the line above
        os._exit(1)

    def wait() -> NoReturn:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="end with the parent", daemon=True).start()
