"""Independent jobs in several processes."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import signal
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from beatgrid.errors import BeatgridError

J = TypeVar("J", bound=Hashable)
R = TypeVar("R")


def results(
    function: Callable[[J], R],
    jobs: Sequence[J],
    num_workers: int,
    *,
    start: Callable[[], Any] | None = None,
    jobs_per_process: int | None = None,
) -> Iterator[tuple[J, R]]:
    """Each job and its result, as it is done.

    Args:
        function: What to do with a job; both travel to another process, as ``start`` does.
        jobs: All of them.
        num_workers: Processes at most, of one thread each; 0 does all in this one.
        start: Called first in each process.
        jobs_per_process: After about so many, fresh processes take over: that bounds what
            libraries leak.

    Raises:
        BeatgridError: A process died, of want of memory for instance.
    """
    if num_workers == 0 or not jobs:
        if start is not None and jobs:
            start()
        for job in jobs:
            yield job, function(job)
        return
    num_workers = min(num_workers, len(jobs))
    # Before torch and numpy start in the workers: two threads each on two cores were five to
    # nine times slower than one.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # Batches instead of the executor's max_tasks_per_child, with which queued tasks wait for ever
    # once a process has retired (Python issue 115634, since 3.11). A process that dies raises.
    batch_size = len(jobs) if jobs_per_process is None else num_workers * jobs_per_process
    for first in range(0, len(jobs), batch_size):
        executor = concurrent.futures.ProcessPoolExecutor(
            num_workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(start,),
        )
        try:
            futures = {executor.submit(function, job): job for job in jobs[first:][:batch_size]}
            for future in concurrent.futures.as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise BeatgridError(
                f"one of {num_workers} processes died, out of memory perhaps; what is complete "
                "stays: start again, with fewer num_workers"
            ) from error
        finally:
            executor.shutdown(cancel_futures=True)


def _begin(start: Callable[[], Any] | None) -> None:
    # Ctrl-C reaches all processes: this one's parent stops giving it jobs, which is enough.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if start is not None:
        start()
