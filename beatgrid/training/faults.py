"""Faults of a run, each in one line: it cannot be written, or its data cannot be read."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from beatgrid.data.workers import worker_fault
from beatgrid.errors import BeatgridError

_WRITING_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@contextlib.contextmanager
def writing_faults_named(folder: Path) -> Iterator[None]:
    """Say in one line where a run cannot be written to: a full disk, one that went read-only.

    Raises:
        BeatgridError: Instead of the OSError of such a fault; others pass.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _WRITING_FAULTS:
            raise
        raise BeatgridError(
            f"{error.filename or folder}: cannot be written ({error.strerror}); what is in "
            f"{folder} stays: make room, then resume={folder}"
        ) from error


@contextlib.contextmanager
def reading_faults_named(folder: Path) -> Iterator[None]:
    """Say in one line what went wrong in a process that reads the data for a run.

    Raises:
        BeatgridError: Instead of what torch raises of such a process; all else passes.
    """
    try:
        yield
    except Exception as error:
        fault = worker_fault(error)
        if fault is None:
            raise
        raise BeatgridError(
            f"{fault}; checkpoints are as they were: resume={folder} goes on from the last one, "
            "data.num_workers=0 without such processes"
        ) from error
