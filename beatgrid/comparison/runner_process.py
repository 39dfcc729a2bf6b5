"""A runner as seen from here: a process that answers one file at a time, within a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from beatgrid.files import printable
from beatgrid.processes import Failure

# Libraries compile, read their models and analyse a first short file.
START_LIMIT_S = 300.0
_GRACE_S = 2.0
_READ_BYTES = 1 << 16
_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
)
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV")


def environment_variables(python_path: Sequence[Path] = ()) -> dict[str, str]:
    """Return the variables of a runner: one thread, no GPU, none of this process's packages.

    Args:
        python_path: Folders that its imports may come from besides its environment.
    """
    variables = {k: v for k, v in os.environ.items() if k not in _NOT_PASSED_ON}
    variables |= dict.fromkeys(_THREADS, "1")
    variables |= {"CUDA_VISIBLE_DEVICES": "", "MPLBACKEND": "Agg", "PYTHONUNBUFFERED": "1"}
    if python_path:
        variables["PYTHONPATH"] = os.pathsep.join(map(str, python_path))
    return variables


class RunnerProcess:
    """A runner that starts with its first file, and anew after a crash or a time limit.

    Args:
        command: Interpreter, script, arguments.
        variables: Of its environment.
        start_limit_s: Until it must be ready.
    """

    def __init__(
        self,
        command: Sequence[str],
        variables: dict[str, str],
        start_limit_s: float = START_LIMIT_S,
    ) -> None:
        self._command = list(command)
        self._variables = variables
        self._start_limit_s = start_limit_s
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._unread = b""
        self.ready: dict[str, Any] | None = None
        """What the runner said of itself when it was ready: ``version``, ``start_s``."""

    def __enter__(self) -> RunnerProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> Failure | None:
        """Start the runner if it is not running; return why that fails."""
        if self._process is not None:
            return None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=self._variables,
                start_new_session=True,  # Ctrl-C is the parent's to act on
            )
        except OSError as error:
            return Failure(f"cannot be started ({error.strerror or error})")
        answer = self._answer(self._start_limit_s)
        if isinstance(answer, Failure):
            return Failure(f"cannot be used: {answer.reason}")
        self.ready = answer
        return None

    def analyse(self, path: Path, limit_s: float) -> dict[str, Any] | Failure:
        """Return what the runner answers to a WAV file.

        Args:
            path: The file.
            limit_s: Seconds that it may take; the runner is then ended.

        Returns:
            The answer, or why there is none: the runner raised, died, or took too long.
        """
        if failure := self.start():
            return failure
        assert self._process
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(str(path)).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return self._lost("its process has ended")
        answer = self._answer(limit_s)
        if isinstance(answer, dict) and "error" in answer:
            return Failure(printable(answer["error"]))
        return answer

    def close(self, grace_s: float = _GRACE_S) -> None:
        """End the runner and all that it has started.

        Args:
            grace_s: Seconds that it has to end by itself.
        """
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if self._errors is not None:
            self._errors.close()
        self._unread = b""

    def _answer(self, limit_s: float) -> dict[str, Any] | Failure:
        """Return the next line, within a number of seconds."""
        assert self._process
        assert self._process.stdout
        deadline = time.monotonic() + limit_s
        descriptor = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(deadline - time.monotonic(), 0.0)):
                    return self._lost(f"took longer than {limit_s:.4g} s, its time limit")
                read = os.read(descriptor, _READ_BYTES)
                if not read:
                    return self._lost("its process ended")
                self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        return answer if isinstance(answer, dict) else self._lost("its answer is no JSON object")

    def _lost(self, reason: str) -> Failure:
        said = self._last_error_line()
        self.close(grace_s=0.0)
        return Failure(": ".join(filter(None, [reason, said])))

    def _last_error_line(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return printable(said[-1][:300]) if said else ""
