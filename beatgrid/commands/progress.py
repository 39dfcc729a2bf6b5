"""What a run over a library shows: results as they are found, how far it is, a table at the end."""

from __future__ import annotations

import dataclasses
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from beatgrid.files import printable
from beatgrid.library import Outcome
from beatgrid.output.summary import DoubtfulFirst
from beatgrid.output.tables import result_cells

_SECONDS_BETWEEN_LINES = 60.0
_WIDTHS = (7, 8, 8, 5, 7)


class LibraryProgress:
    """Counts outcomes and shows them on standard error; a context manager.

    A terminal has a bar below the results. Elsewhere there is a line a minute in their midst. A
    single file shows nothing but what went wrong.

    Attributes:
        n_found: Files that have a result, new or from before.
        failed: Those that have none, by their absolute paths.
    """

    def __init__(self, n_files: int, show_trace: bool = False) -> None:
        """Show nothing yet.

        Args:
            n_files: How many there will be.
            show_trace: Show the traceback of unexpected exceptions.
        """
        self.n_found = 0
        self.failed: set[str] = set()
        self._n_files = n_files
        self._n_skipped = 0
        self._show_trace = show_trace
        self._doubtful = DoubtfulFirst()
        self._started = self._last_line = time.monotonic()
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal or n_files < 2,
        )
        self._task = self._bar.add_task("finding grids", total=n_files, counts="")

    def __enter__(self) -> LibraryProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if self._n_files > 1 and (self.n_found or self.failed):
            self._write(self._line())

    def report(self, outcome: Outcome) -> None:
        """Count and show what became of a file."""
        record = outcome.record
        if record.status == "failed":
            self.failed.add(record.audio)
            self._write(f"error: {printable(record.file)}: {printable(record.reason or '')}")
            if self._show_trace and outcome.trace:
                self._write(outcome.trace.rstrip())
        else:
            self.n_found += 1
            self._n_skipped += outcome.skipped
            self._doubtful.add(record)
            if self._n_files > 1 and not outcome.skipped:
                cells = zip(result_cells(dataclasses.asdict(record)), _WIDTHS, strict=True)
                shown = " ".join(cell.rjust(width) for cell, width in cells)
                self._write(f"{shown}  {printable(record.file)}")
        self._bar.update(self._task, advance=1, counts=self._counts())
        if time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            if self._bar.disable:
                self._write(self._line())

    def say(self, line: str) -> None:
        """Show a line amid the results."""
        self._write(line)

    def print_table(self) -> None:
        """Print the results that need a look, on standard output."""
        self._doubtful.print()

    def _write(self, text: str) -> None:
        if self._bar.disable:
            print(text, file=sys.stderr, flush=True)
        else:
            self._bar.console.print(Text(text))

    def _counts(self) -> str:
        n_new = self.n_found - self._n_skipped
        speed = n_new / max(time.monotonic() - self._started, 1e-9)
        counts = [f"{n_new} done", f"{len(self.failed)} failed", f"{self._n_skipped} skipped"]
        if n_new:
            counts.append(f"{speed:.1f} files/s" if speed >= 1 else f"{1 / speed:.1f} s a file")
        return ", ".join(counts)

    def _line(self) -> str:
        n_seen = self.n_found + len(self.failed)
        left = ""
        if 0 < n_seen < self._n_files:
            elapsed_s = time.monotonic() - self._started
            left_s = round(elapsed_s / n_seen * (self._n_files - n_seen))
            left = f", {left_s // 3600}:{left_s // 60 % 60:02d}:{left_s % 60:02d} left"
        return f"{n_seen} of {self._n_files} files: {self._counts()}{left}"
