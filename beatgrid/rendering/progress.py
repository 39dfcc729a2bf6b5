"""Progress of a rendering: a bar on a terminal, else a line a minute for log files."""

from __future__ import annotations

import time
from types import TracebackType

from rich import progress as rich_progress
from rich.console import Console

from beatgrid.rendering.store import Job

_SECONDS_BETWEEN_LINES = 60.0


class Progress:
    """Progress of one source in hours of music; a context manager."""

    def __init__(self, source: str, jobs: list[Job], missing: list[Job]) -> None:
        """Count what is there already; show nothing yet.

        Args:
            source: Name of the source.
            jobs: All pieces wanted.
            missing: Those still to be rendered.
        """
        self._source = source
        self._total_s = sum(job.duration_s for job in jobs)
        self._done_s = self._before_s = self._total_s - sum(job.duration_s for job in missing)
        self._started = self._last_line = time.monotonic()
        console = Console(stderr=True)
        self._bar = rich_progress.Progress(
            *rich_progress.Progress.get_default_columns(),
            rich_progress.TextColumn("{task.fields[hours]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._lines = not console.is_terminal
        self._task = self._bar.add_task(
            source, total=self._total_s, completed=int(self._done_s), hours=""
        )

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()
        print(self._line(), flush=True)

    def advance(self, job: Job) -> None:
        """Count one more piece."""
        self._done_s += job.duration_s
        self._bar.update(self._task, completed=self._done_s, hours=self._line())
        if self._lines and time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            print(self._line(), flush=True)

    def _line(self) -> str:
        rendered_s = self._done_s - self._before_s
        elapsed_s = time.monotonic() - self._started
        speed = f", {rendered_s / elapsed_s:.0f} x real time" if rendered_s else ""
        return (
            f"{self._source}: {self._done_s / 3600:.2f} of {self._total_s / 3600:.2f} hours{speed}"
        )
