"""What a run over a library leaves for people: ``summary.csv``, ``failed.txt``, a short table."""

from __future__ import annotations

import csv
import dataclasses
import heapq
import itertools
from collections.abc import Collection
from pathlib import Path

from rich.console import Console

from beatgrid.audio.path_list import write_paths
from beatgrid.files import replacing
from beatgrid.output.index import Record, ResultIndex, is_gone
from beatgrid.output.spreadsheet import cell
from beatgrid.output.tables import print_results

SUMMARY = "summary.csv"
FAILED = "failed.txt"
TABLE_ROWS = 20

COLUMNS = (
    *("file", "status", "bpm", "offset_s", "downbeat_offset_s", "confidence"),
    *("constant_tempo", "reason", "seconds"),
)


def write_summary(
    index: ResultIndex, asked_for: Collection[str] = (), beside: Path | None = None
) -> None:
    """Write ``summary.csv`` and ``failed.txt`` beside the results.

    They tell of all audio whose results are in the folder, whichever run they come from. Failures
    of files that are gone are left out.

    Args:
        index: Of the folder.
        asked_for: Files that failed in this run (absolute paths); they are named even if gone.
        beside: Another folder for the two files.
    """
    folder = index.folder
    beside = beside or folder

    def is_told(record: Record) -> bool:
        if record.status == "failed":
            return record.audio in asked_for or not is_gone(record.audio)
        return record.status != "open" and (folder / record.place).exists()

    with (
        replacing(beside / SUMMARY) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for record in filter(is_told, index.records()):
            writer.writerow(cell(getattr(record, column)) for column in COLUMNS)
    failed = (r.audio for r in index.records() if r.status == "failed" and is_told(r))
    if first := next(failed, None):
        write_paths(beside / FAILED, itertools.chain([first], failed))
    else:
        (beside / FAILED).unlink(missing_ok=True)


class DoubtfulFirst:
    """The results of a run that a person should look at first; few, whatever the run's length."""

    def __init__(self, n_rows: int = TABLE_ROWS) -> None:
        """Start with none.

        Args:
            n_rows: How many are kept.
        """
        self.n_rows = n_rows
        self.n_seen = 0
        # The least doubtful is on top, the next to go.
        self._heap: list[tuple[tuple[bool, float, int], Record]] = []

    def add(self, record: Record) -> None:
        """Count a result, and keep it if it is among the most doubtful."""
        self.n_seen += 1
        is_steady = bool(record.constant_tempo)
        rank = (not is_steady, -(record.confidence or 0.0), -self.n_seen)
        push = heapq.heappush if len(self._heap) < self.n_rows else heapq.heappushpop
        push(self._heap, (rank, record))

    def print(self, console: Console | None = None) -> None:
        """Print them: no grid and changing tempo first, then by confidence, the lowest first."""
        kept = [record for _, record in sorted(self._heap, reverse=True)]
        if not kept:
            return
        more = self.n_seen - len(kept)
        caption = f"and {more} more in {SUMMARY}" if more else None
        print_results([dataclasses.asdict(record) for record in kept], console, caption)
