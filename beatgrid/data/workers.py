"""Processes that read data for a training: what ends them, and how their faults are named."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

# A terminal sends Ctrl-C, a batch system SIGTERM to every process of a job. It is the training's to
# act on, which ends its step and keeps what was learnt; then it ends its workers, by a SIGTERM of
# its own. Who sent a signal cannot be told on macOS: there SIGTERM ends them.
_HELD = {signal.SIGINT, signal.SIGTERM} if hasattr(signal, "sigwaitinfo") else {signal.SIGINT}

_DIED = re.compile(r"DataLoader worker \(pid\S* [\d, ]+\) (?:is )?(?P<how>[^.]*)")
_RAISED = re.compile(r"Caught \w+ in DataLoader worker process \d+\.")


class WorkerLoader(DataLoader[Any]):
    """A loader whose workers leave signals to the process that they read for."""

    def __iter__(self) -> Any:
        """Start the workers, from their first moment on with ``heed_parent_only``."""
        if not self.num_workers or threading.current_thread() is not threading.main_thread():
            return super().__iter__()
        with _held():
            return super().__iter__()


def heed_parent_only(worker: int) -> None:
    """Make a worker end by the signal of its parent alone; a ``worker_init_fn``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if signal.SIGTERM in _HELD:
        signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        threading.Thread(target=_end_if_parent_asks, daemon=True).start()


def _end_if_parent_asks() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)


@contextlib.contextmanager
def _held() -> Iterator[None]:
    """Keep signals for later, which processes that are started in the body inherit."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def worker_fault(error: BaseException) -> str | None:
    """Return what a worker died of, or what it raised, in one line.

    Args:
        error: What came out of a loader, or, where a worker has died, of any code: torch raises
            that from a signal handler.

    Returns:
        None for any other exception.
    """
    # That a worker died may be noticed before the signal that says of what.
    while error.__cause__ is not None and _DIED.match(str(error.__cause__)):
        error = error.__cause__
    text = str(error)
    if (died := _DIED.match(text)) is not None:
        return f"a process that reads the data died ({died['how'].strip()})"
    if _RAISED.match(text) is None:
        return None
    last = text.strip().splitlines()[-1]
    kind, _, said = last.partition(": ")
    return said if kind.startswith("beatgrid.errors.") else last
