"""How many processes pay for a number of files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# What a worker takes for a track of usual length, network and picture included.
_WORKER_BYTES = 700_000_000
# A worker starts in the time that two or three files take.
_FILES_PER_WORKER = 3


def workers_that_pay(n_files: int) -> int:
    """Return how many processes finish a number of files first.

    No more than there are cores and memory for, and none for a single file. Two files have one:
    beside the speed, what a crash costs is a worker.
    """
    if n_files < 2:
        return 0
    affinity = getattr(os, "sched_getaffinity", None)
    n_cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    n_fitting = max(1, _available_bytes() // _WORKER_BYTES)
    return min(n_cores, n_fitting, -(-n_files // _FILES_PER_WORKER))


def _available_bytes() -> int:
    """Return the bytes of free memory, within a container's limit; a large number if unknown."""
    available = 1 << 60
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        available = int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        available = min(available, limit - int((group / "memory.current").read_text()))
    return available
