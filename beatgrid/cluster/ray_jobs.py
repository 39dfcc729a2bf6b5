"""Independent jobs on the machines of a Ray cluster, where neither job nor machine ends the run.

Ray places a slot on each free core and tells when one is lost. The job itself runs in a process
below the slot, as on a single machine (``beatgrid.processes``): a decoder's crash, a hang or want
of memory costs its own job and is named in the same words. A machine that is lost costs its jobs
a second try elsewhere.

https://docs.ray.io, "Ray Core": actors and their fault tolerance.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import platform
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import beatgrid
from beatgrid.errors import BeatgridError, MissingPackageError
from beatgrid.processes import Failure, results

J = TypeVar("J")
R = TypeVar("R")

# Machines that a job may lose before it is taken for their death's cause.
_MAX_LOST = 3


@dataclass(frozen=True)
class Workplace:
    """What every machine must see as the one that started the run does.

    Attributes:
        folder: Names of files are relative to it.
        shared: A file or folder on the shared file system.
        asked: What asked for the cluster, for errors.
        version: Of beatgrid.
    """

    folder: str
    shared: str
    asked: str = "workers=ray"
    version: str = beatgrid.__version__

    def enter(self) -> None:
        """Make this machine's process work there.

        Raises:
            BeatgridError: Something is not as on the other machine.
        """
        machine = platform.node()
        if self.version != beatgrid.__version__:
            raise BeatgridError(
                f"{self.asked}: {machine} has beatgrid {beatgrid.__version__}, and this machine "
                f"{self.version}: install the same on all"
            )
        for path in (self.folder, self.shared):
            if not os.path.exists(path):
                raise BeatgridError(
                    f"{self.asked}: {machine} does not see {path}: music, out and working folder "
                    "must be on a file system that all machines share, under the same paths"
                )
        os.chdir(self.folder)


@dataclass(frozen=True)
class _Unusable:
    """The machine cannot work, or what ``make`` raised: no job would fare better."""

    error: Exception


class Slot(Generic[J, R]):
    """Does one job at a time in a process of its own; the part that Ray starts on a machine."""

    def __init__(self, workplace: Workplace, make: Callable[[], Callable[[J], R]], limits: Any):
        """Start nothing yet.

        Args:
            workplace: Where it is to be.
            make: Makes the function that does a job.
            limits: Further arguments of ``beatgrid.processes.results``.
        """
        self._workplace = workplace
        self._jobs: collections.deque[J] = collections.deque()
        self._results = results(make, self._next_job(), 1, **limits)
        self._is_ready = False

    def do(self, job: J) -> R | Failure | _Unusable:
        """Return the result of a job."""
        self._jobs.append(job)
        try:
            if not self._is_ready:
                self._workplace.enter()
                self._is_ready = True
            return next(self._results)[1]
        except Exception as error:
            return _Unusable(error)

    def _next_job(self) -> Iterator[J]:
        while self._jobs:
            yield self._jobs.popleft()


def ray_results(
    make: Callable[[], Callable[[J], R]],
    jobs: Iterable[J],
    num_workers: int | None,
    *,
    shared: str | os.PathLike[str],
    time_limit_s: float | Callable[[J], float] | None = None,
    memory_limit_bytes: int | None = None,
) -> Generator[tuple[J, R | Failure], None, None]:
    """Yield each job with its result as it is done on some machine of a Ray cluster.

    The cluster is that of ``RAY_ADDRESS``, or the one that this machine belongs to; without any,
    Ray runs on this machine alone, until the generator ends. Closing the generator ends the jobs.

    Args:
        make: Makes the function that does a job, once in each process; it travels to the machines,
            as the jobs and their results do.
        jobs: Pulled one by one, when there is a slot for them.
        num_workers: Jobs at a time at most; None: as many as the cluster has cores.
        shared: A file that this process has made on the file system that all machines share.
        time_limit_s: Seconds that a job may take, or a function of the job that says so.
        memory_limit_bytes: Resident memory that a job's process may take.

    Yields:
        A job and what the function returned, or a ``Failure``.

    Raises:
        BeatgridError: Ray is not installed or its cluster not reached, or a machine cannot work.
        Exception: What ``make`` raised.
    """
    with cluster("workers=ray") as ray:
        if num_workers is None:
            num_workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
        workplace = Workplace(os.getcwd(), os.path.abspath(shared))
        limits = {"time_limit_s": time_limit_s, "memory_limit_bytes": memory_limit_bytes}
        slot_class = ray.remote(num_cpus=1)(Slot)
        queue = iter(jobs)
        again: collections.deque[tuple[J, int]] = collections.deque()

        def following() -> tuple[J, int] | None:
            """Return a job and how often its machine was lost."""
            if again:
                return again.popleft()
            return next(((job, 0) for job in queue), None)

        # By what Ray will answer: the slot, its job, and how often that lost its machine.
        at_work: dict[Any, tuple[Any, J, int]] = {}
        try:
            while True:
                while len(at_work) < num_workers and (task := following()):
                    slot = slot_class.remote(workplace, make, limits)
                    at_work[slot.do.remote(task[0])] = (slot, *task)
                if not at_work:
                    return
                (answer,), _ = ray.wait(list(at_work), num_returns=1)
                slot, job, n_lost = at_work.pop(answer)
                try:
                    outcome = ray.get(answer)
                except ray.exceptions.RayActorError as error:
                    ray.kill(slot)
                    if n_lost + 1 < _MAX_LOST:
                        again.append((job, n_lost + 1))
                        continue
                    outcome = Failure(f"lost {_MAX_LOST} machines or workers: {_first_line(error)}")
                    slot = None
                except ray.exceptions.RayError as error:
                    raise BeatgridError(f"workers=ray: {_first_line(error)}") from error
                if isinstance(outcome, _Unusable):
                    raise outcome.error
                yield job, outcome
                if slot is None:
                    continue
                if task := following():
                    at_work[slot.do.remote(task[0])] = (slot, *task)
                else:
                    ray.kill(slot)
        finally:
            for slot, *_ in at_work.values():
                ray.kill(slot)


@contextlib.contextmanager
def cluster(asked: str) -> Iterator[Any]:
    """Connect to the cluster of ``RAY_ADDRESS``, that of this machine, or one on it alone.

    Args:
        asked: What asks for it, for errors.

    Yields:
        The module ``ray``.

    Raises:
        BeatgridError: Ray is not installed or its cluster not reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it tells its makers
    try:
        import ray
    except ModuleNotFoundError:
        raise MissingPackageError(asked, "ray") from None
    in_main = threading.current_thread() is threading.main_thread()
    on_sigterm = signal.getsignal(signal.SIGTERM)
    is_ours = not ray.is_initialized()
    try:
        if is_ours:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        address = os.environ.get("RAY_ADDRESS", "")
        raise BeatgridError(
            f"{asked}: no cluster at RAY_ADDRESS={address} ({_first_line(error)}); start one "
            "with ray start --head, or unset the variable"
        ) from error
    try:
        if in_main:  # Ray has put its own, which exits with another status
            signal.signal(signal.SIGTERM, on_sigterm)
        yield ray
    finally:
        if is_ours:
            ray.shutdown()


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
