"""Ctrl-C and SIGTERM: an orderly end, with the exit status that the shell expects."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """End with status 130 on Ctrl-C and 143 on SIGTERM, after cleaning up.

    While a Lightning trainer runs it ends after the step, as Lightning does on SIGTERM (in
    several processes, and with Slurm's requeueing); a second Ctrl-C ends it at once. At any other
    time either ends the process at once, ``finally`` blocks and all.
    """
    if threading.current_thread() is not threading.main_thread():  # no signals there
        yield
        return
    received: list[int] = []

    def on_sigterm(signum: int, frame: FrameType | None) -> None:
        received.append(signum)
        if signal.getsignal(signal.SIGTERM) is on_sigterm:  # no trainer has put its own before
            sys.exit(128 + received[0])

    def on_sigint(signum: int, frame: FrameType | None) -> None:
        received.append(signum)
        if len(received) > 1 or signal.getsignal(signal.SIGTERM) is on_sigterm:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGTERM)

    before: dict[int, Any] = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, on_sigterm),
        signal.SIGINT: signal.signal(signal.SIGINT, on_sigint),
    }
    try:
        yield
    except BaseException as error:
        if not received:
            raise
        # Lightning ends by sys.exit(), of status 0 or 1 whatever the signal was; and where it
        # reached a process that reads data, its death is an error here.
        raise SystemExit(128 + received[0]) from error
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
