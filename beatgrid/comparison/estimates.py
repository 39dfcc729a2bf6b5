"""What the systems answered: kept as JSON lines, one file for each system, and read again."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beatgrid.errors import BeatgridError
from beatgrid.files import printable


@dataclass(frozen=True)
class Estimate:
    """What one system answered to one track.

    Attributes:
        track: The track's name.
        audio: Its file.
        content_hash: Of that file's bytes.
        method: Identifies how the system was run; estimates of another way are made anew.
        duration_s: Length of the audio.
        bpm: Tempo; None where only beats are known, or no tempo was found.
        offset_s: Time of a downbeat, or of a beat where bars are not known; None without a grid.
        beats_per_bar: None where bars are not known.
        beats_s: Times of the beats, ascending; empty for a tempo alone, or where none was found.
        downbeats_s: Times of the downbeats; None where the system does not tell them.
        confidence: The system's own probability of being right.
        wall_s: Seconds of the analysis, reading the WAV file included.
        cpu_s: Processor seconds of it.
        peak_mb: Largest resident memory of the process meanwhile, or of one that it started.
        version: Of the system, for people.
        error: Why there is no answer; None where there is one.
    """

    track: str
    audio: str
    content_hash: str
    method: str
    duration_s: float
    bpm: float | None = None
    offset_s: float | None = None
    beats_per_bar: int | None = None
    beats_s: tuple[float, ...] = ()
    downbeats_s: tuple[float, ...] | None = None
    confidence: float | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    peak_mb: float | None = None
    version: str = ""
    error: str | None = None


_FIELDS = {field.name for field in dataclasses.fields(Estimate)}


class EstimateFile:
    """The estimates of one system, in a file of JSON lines that only grows.

    Args:
        path: ``SYSTEM.jsonl``; need not exist.
        method: Estimates of another one are not seen.
    """

    def __init__(self, path: Path, method: str) -> None:
        self.path = path
        self._method = method
        self._by_content: dict[str, Estimate] = {}
        if path.exists():
            self._read()

    def get(self, content_hash: str) -> Estimate | None:
        """Return the latest estimate for a file of this content."""
        return self._by_content.get(content_hash)

    def append(self, estimate: Estimate) -> None:
        """Add an estimate; it is on the disk when this returns.

        Raises:
            BeatgridError: The file cannot be written to.
        """
        values = {k: v for k, v in dataclasses.asdict(estimate).items() if v not in (None, "")}
        line = json.dumps(values, allow_nan=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                if file.tell() and not _ends_with_newline(self.path):
                    file.write(b"\n")  # after a run that was killed while it wrote
                file.write(line.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise BeatgridError(
                f"{printable(self.path)}: cannot be written to ({error.strerror or error}); "
                "make room and start again"
            ) from error
        self._by_content[estimate.content_hash] = estimate

    def _read(self) -> None:
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise BeatgridError(
                f"{printable(self.path)}: cannot be read ({error.strerror or error})"
            ) from error
        for line in text.split("\n"):
            estimate = _estimate(line)
            if estimate is not None and estimate.method == self._method:
                self._by_content[estimate.content_hash] = estimate


def _estimate(line: str) -> Estimate | None:
    """Return the estimate that a line holds; None for half a line, or another format's."""
    try:
        values: dict[str, Any] = json.loads(line)
        known = {key: value for key, value in values.items() if key in _FIELDS}
        for key in ("beats_s", "downbeats_s"):
            if known.get(key) is not None:
                known[key] = tuple(map(float, known[key]))
        return Estimate(**known)
    except (ValueError, TypeError, AttributeError):
        return None


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
