"""All pieces of a source that are not there yet, in several processes, with progress."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from beatgrid.files import check_writable, printable
from beatgrid.processes import Failure, results
from beatgrid.rendering.progress import Progress
from beatgrid.rendering.store import Job, render_job

# Renderers keep sounds in memory; a fresh process now and then bounds what they leak.
_PIECES_PER_PROCESS = 100


def render_missing(jobs: list[Job], num_workers: int) -> int:
    """Render the pieces that have no label yet, each failure a line on standard error.

    Args:
        jobs: Pieces of one source, in a folder that ``prepare_folder`` has made.
        num_workers: Processes of one thread; 0: in this one.

    Returns:
        How many pieces failed.

    Raises:
        BeatgridError: The folder cannot be written to.
    """
    missing = [job for job in jobs if not job.is_done]
    failed = 0
    with Progress(jobs[0].source, jobs, missing) as progress:
        done = results(_renderer, missing, num_workers, jobs_per_process=_PIECES_PER_PROCESS)
        with contextlib.closing(done):
            for job, error in done:
                if error is not None:
                    failed += 1
                    if isinstance(error, Failure):
                        error = f"{job.name}: {error.reason}"
                    print(f"error: {printable(error)}", file=sys.stderr)
                    check_writable(job.out_dir, "out_dir")  # no other piece could be written
                progress.advance(job)
    return failed


def _renderer() -> Callable[[Job], str | None]:
    return render_job
