"""What became of each audio file in an import, and the table of all."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from beatgrid.files import replacing
from beatgrid.importers.grid import LabelGrid
from beatgrid.output.spreadsheet import cell

CSV = "import.csv"
"""The table's name, beside the labels."""

WRITTEN, UNCHANGED, FAILED = "written", "there already", "failed"
PIECEWISE, KEPT = "tempo changes", "another label is there"
NO_AUDIO, NO_GRID = "no audio", "no grid"
_COLUMNS = ("outcome", "label", "audio", "bpm", "offset_s", "segments", "source", "clock", "notes")


@dataclass(frozen=True)
class Outcome:
    """What became of one audio file, or of a file that describes none.

    Attributes:
        kind: WRITTEN and so on.
        source: The file that is believed.
        label: The label's path; None without one.
        audio: The audio file.
        grid: What the label says.
        clock: Which clock the file's times are taken for.
        notes: What a person should know, a line each.
    """

    kind: str
    source: str
    label: Path | None = None
    audio: Path | None = None
    grid: LabelGrid | None = None
    clock: str = ""
    notes: tuple[str, ...] = ()


def write_table(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write outcomes as CSV, atomically, those that may need a person first."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for outcome in sorted(outcomes, key=lambda o: (o.kind == WRITTEN, o.source)):
            rows.writerow(map(cell, _row(outcome)))


def _row(outcome: Outcome) -> tuple[object, ...]:
    grid = outcome.grid
    return (
        outcome.kind,
        outcome.label and outcome.label.name,
        outcome.audio,
        None if grid is None or grid.is_piecewise else grid.grid.bpm,
        grid and grid.grid.offset_s,
        grid and len(grid.segments),
        outcome.source,
        outcome.clock,
        "; ".join(outcome.notes),
    )
