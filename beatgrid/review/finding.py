"""Finding the grids of a folder of music: ``beatgrid predict`` as a child process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from beatgrid.audio.find import find_audio
from beatgrid.errors import BeatgridError

_PROGRAM = "from beatgrid.commands.program import main; main()"
_STOP_TIMEOUT_S = 20.0
_MESSAGE_BYTES = 4000


def predict_command(music: Path, out: Path, options: Mapping[str, str]) -> list[str]:
    """Return the command that finds the grids of a folder.

    Args:
        music: The folder of audio.
        out: Where results go.
        options: Further keys of ``beatgrid predict`` and their values.
    """
    return [
        *(sys.executable, "-c", _PROGRAM, "predict"),
        *(f"audio={music}", f"out={out}", "picture=false"),
        *(f"{key}={value}" for key, value in options.items()),
    ]


class Finding:
    """The child process, at most one at a time.

    Args:
        music: The folder of audio.
        command: What to run; it is told where to go on by what is done already.
    """

    def __init__(self, music: Path, command: Sequence[str]) -> None:
        self.music = music
        self._command = list(command)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._stopped = False
        self._n_files: int | None = None

    @property
    def n_files(self) -> int:
        """How many audio files the folder holds; 0 if none can be found."""
        if self._n_files is None:
            try:
                self._n_files = len(find_audio(str(self.music)))
            except BeatgridError:
                return 0
        return self._n_files

    @property
    def state(self) -> str:
        """Where it is: "idle", "running", "stopped", "done", or "failed"."""
        with self._lock:
            if self._process is None:
                return "idle"
            status = self._process.poll()
            if status is None:
                return "running"
            if self._stopped:
                return "stopped"
            # 1: some files failed, as the list shows.
            return "done" if status in (0, 1) else "failed"

    @property
    def message(self) -> str:
        """The last line of the child's errors; empty if there is none."""
        with self._lock:
            if self._errors is None:
                return ""
            # Read through another descriptor: the child shares the offset of this one.
            with contextlib.suppress(OSError), open(self._errors.name, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _MESSAGE_BYTES))
                lines = file.read().decode("utf-8", "replace").strip().splitlines()
                errors = [line for line in lines if line.startswith("error: ")]
                return (errors or [""])[-1].removeprefix("error: ")
            return ""

    def start(self) -> None:
        """Start, or go on; nothing where it runs already."""
        if self.state == "running":
            return
        with self._lock:
            self._close_errors()
            self._stopped = False
            self._n_files = None
            self._errors = tempfile.NamedTemporaryFile(prefix="beatgrid-")  # noqa: SIM115
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                # Ctrl-C in the terminal is for the server, which stops its child itself.
                start_new_session=True,
            )

    def stop(self) -> None:
        """Interrupt the child and wait; what it has found stays, and the next start goes on."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                return
            self._stopped = True
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop, and forget the child."""
        self.stop()
        with self._lock:
            self._close_errors()

    def _close_errors(self) -> None:
        if self._errors is not None:
            self._errors.close()
            self._errors = None
