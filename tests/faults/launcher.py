"""Runs programs that are to be killed, each in a process of its own that starts in milliseconds.

A program's imports take seconds, a tiny training less than one. ``python -m tests.faults.launcher``
imports everything once and forks for each run; ``Launcher`` is the tests' end of it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Far beyond what any of these programs takes on a busy machine: one that waits for ever is a
# finding.
DEADLINE_S = 600.0


@dataclass(frozen=True)
class Moment:
    """When a program gets its signal.

    Attributes:
        signal: Which.
        seconds: After so many seconds, if that is what counts.
        call: Or at a call of this function (``os.replace``, ``package.module.Class.method``).
        n: Which of the calls, from 1.
        match: Only calls with this in their arguments count.
        after: Once the function has returned, not before it is called.
        file_bytes: Or when a file grows beyond so many bytes, in the midst of writing it; the
            signal is then SIGXFSZ, or none: 0 lets the write fail as on a full disk.
        removes: Files that vanish at that call, instead of a signal.
        cuts: Files that lose all but their first bytes at that call, instead of a signal.
        group: The signal goes to all processes of the program, as Ctrl-C in a terminal does.
    """

    signal: int = signal.SIGKILL
    seconds: float | None = None
    call: str | None = None
    n: int = 1
    match: str = ""
    after: bool = False
    file_bytes: int | None = None
    removes: Sequence[str] = ()
    cuts: Sequence[str] = ()
    group: bool = False

    def arm(self) -> None:
        """Prepare this process, in which the program is about to run."""
        if self.file_bytes is not None:
            # Ignored, as Python has it, the write fails; otherwise the kernel kills midway.
            ignored = self.signal == 0
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN if ignored else signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_bytes, resource.RLIM_INFINITY))
        if self.call is not None:
            owner_name, _, name = self.call.rpartition(".")
            owner = pkgutil.resolve_name(owner_name)
            setattr(owner, name, self._signalling(getattr(owner, name)))

    def _signalling(self, function: Callable[..., Any]) -> Callable[..., Any]:
        n_calls = 0

        def send(number: int) -> None:
            (os.killpg if self.group else os.kill)(os.getpid(), number)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal n_calls
            n_calls += self.match in repr(args)
            due = n_calls == self.n and self.match in repr(args)
            if due and (self.removes or self.cuts):
                for path in self.removes:
                    os.unlink(path)
                for path in self.cuts:
                    os.truncate(path, 100)
                return function(*args, **kwargs)
            if due and not self.after:
                send(self.signal)
            result = function(*args, **kwargs)
            if due and self.after:
                send(self.signal)
            return result

        return wrapped


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        status: Of exit; negative: the signal that killed it.
        out: What it wrote to standard output.
        err: To standard error.
        seconds: How long it ran.
        left: Processes of its session that outlived it, and by more than it takes to start: a
            worker that is still importing ends when it has done so.
    """

    status: int
    out: str
    err: str
    seconds: float
    left: tuple[int, ...]


class Launcher:
    """Starts programs in a helper process that has imported all they need."""

    def __init__(self, folder: Path) -> None:
        """Start the helper.

        Args:
            folder: For what the programs write to the terminal.
        """
        self.folder = folder
        self._n_runs = 0
        self._helper = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.launcher"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def __call__(
        self, program: str, *arguments: str, cwd: Path, moment: Moment | None = None
    ) -> Ended:
        """Run a program to its end.

        Args:
            program: ``package.module:function``; it takes the arguments as a list, as a command's
                ``main`` does.
            arguments: Of the program.
            cwd: Where it runs.
            moment: When it gets a signal.
        """
        self._n_runs += 1
        out, err = (self.folder / f"{self._n_runs}.{name}" for name in ("out", "err"))
        job = {"program": program, "arguments": list(map(str, arguments)), "cwd": str(cwd)}
        job |= {"out": str(out), "err": str(err), "moment": asdict(moment) if moment else None}
        started = time.monotonic()
        pid = self._ask(job)["pid"]
        if moment is not None and moment.seconds is not None and not self._answers(moment.seconds):
            os.kill(pid, moment.signal)
        if not self._answers(DEADLINE_S):
            os.killpg(pid, signal.SIGKILL)
            raise AssertionError(f"{program} {' '.join(arguments)}: no end; {err.read_text()}")
        status = json.loads(self._helper.stdout.readline())["status"]
        seconds = time.monotonic() - started
        left = _outliving(pid)
        for other in left:
            os.kill(other, signal.SIGKILL)
        return Ended(status, out.read_text(), err.read_text(), seconds, left)

    def close(self) -> None:
        """End the helper."""
        self._helper.stdin.close()
        try:
            self._helper.wait(timeout=20)
        except subprocess.TimeoutExpired:  # a test was cut off while its program ran
            self._helper.kill()
            self._helper.wait()
        self._helper.stdout.close()

    def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        self._helper.stdin.write(json.dumps(job) + "\n")
        self._helper.stdin.flush()
        return json.loads(self._helper.stdout.readline())

    def _answers(self, within_s: float) -> bool:
        return bool(select.select([self._helper.stdout], [], [], within_s)[0])


def _outliving(session: int, within_s: float = 20.0) -> tuple[int, ...]:
    """Return the processes of a session that do not end by themselves."""
    end = time.monotonic() + within_s
    while (left := tuple(_processes(session))) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def _processes(session: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, _, _, its_session = (
                    (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                )
                if int(its_session) == session and state != "Z":
                    yield int(entry.name)


# --- the helper ------------------------------------------------------------------------------


def serve(imports: Sequence[str]) -> None:
    """Fork a process for each job that comes, until there is nobody left to send one."""
    for name in imports:
        importlib.import_module(name)
    gc.freeze()  # a collection in a fork would copy all pages
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(job)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


def _run(job: dict[str, Any]) -> None:
    os.setsid()
    os.chdir(job["cwd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    if job["moment"]:
        Moment(**job["moment"]).arm()
    sys.argv = ["program"]
    try:
        pkgutil.resolve_name(job["program"])(job["arguments"])
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    # As the interpreter's own end, but for taking all modules apart, which takes a second.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    serve(
        [
            "beatgrid.commands.train",
            "beatgrid.commands.predict",
            "beatgrid.commands.render",
            "beatgrid.rendering.sources.own",
            "beatgrid.data.datamodule",
            "beatgrid.training.callbacks",
            "beatgrid.activation.flux",
            "lightning.pytorch.callbacks",
            "torch.utils.tensorboard",
        ]
    )
