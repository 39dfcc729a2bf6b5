"""Running what is tested in another process, so that its crash is a finding and not the end."""

from __future__ import annotations

import functools
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from beatgrid.errors import BeatgridError
from beatgrid.processes import Failure, results

# What a job may take where files last a second or two. A worker with torch holds 0.3 GB.
TIME_LIMIT_S = 30.0
MEMORY_LIMIT_BYTES = 1_000_000_000
# A message may quote a name and a value; it is no dump.
MAX_LINE = 2000

_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Sandbox:
    """One worker process that answers one question at a time.

    Args:
        make: Makes the function that answers, in the worker. An answer is any value; refusal is a
            ``BeatgridError``; all else is a finding.
    """

    def __init__(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        self._job: Any = None
        self._answers = results(
            functools.partial(_answering, make),
            self._jobs(),
            1,
            time_limit_s=TIME_LIMIT_S,
            memory_limit_bytes=MEMORY_LIMIT_BYTES,
            jobs_per_process=1000,
        )

    def __call__(self, job: Any) -> str:
        """Return "answered" or the line that says why not.

        Raises:
            AssertionError: The process died, hung or took too much memory; an exception other
                than BeatgridError; a message of several lines; output to the terminal.
        """
        self._job = job
        _, outcome = next(self._answers)
        if isinstance(outcome, Failure):
            raise AssertionError(f"{outcome.reason}\n{outcome.trace}")
        message, noise = outcome
        assert noise == "", f"wrote to the terminal: {noise!r}"
        assert showable(message), f"not one showable line of bounded length: {message[:2000]!r}"
        return message

    def close(self) -> None:
        """End the worker."""
        self._answers.close()

    def _jobs(self) -> Iterator[Any]:
        while True:
            yield self._job


ANSWERED = "answered"


def showable(line: str) -> bool:
    """Tell whether a message is one line that no terminal trips over."""
    return 0 < len(line) <= MAX_LINE and not _UNSHOWABLE.search(line)


def _answering(make: Callable[[], Callable[[Any], Any]]) -> Callable[[Any], tuple[str, str]]:
    function = make()
    # Native decoders write past sys.stderr.
    terminal = tempfile.TemporaryFile("a+b")  # noqa: SIM115, as long as the process
    for stream in (1, 2):
        os.dup2(terminal.fileno(), stream)

    def answer(job: Any) -> tuple[str, str]:
        os.ftruncate(terminal.fileno(), 0)
        try:
            function(job)
            message = ANSWERED
        except BeatgridError as error:
            message = str(error)
        size = os.fstat(terminal.fileno()).st_size
        return message, os.pread(terminal.fileno(), 1000, max(0, size - 1000)).decode("latin-1")

    return answer
