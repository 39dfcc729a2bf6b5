"""``tracks.csv``, the scores of each track, and ``alternatives.csv``, what else it might be."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from beatgrid import files
from beatgrid.errors import BeatgridError
from beatgrid.evaluation.codec import FIELDS, from_text, to_text
from beatgrid.evaluation.track import TrackScore
from beatgrid.output.spreadsheet import cell, plain


@dataclass(frozen=True)
class TrackRow:
    """One line of the file.

    Attributes:
        file: Name of the track.
        score: Its scores.
        group: What it was grouped by; None where nothing was.
    """

    file: str
    score: TrackScore
    group: str | None = None


def write_tracks_csv(path: str | os.PathLike[str], rows: Sequence[TrackRow]) -> None:
    """Write a header, then one line for each track, atomically.

    Args:
        path: The file, by custom ``tracks.csv``.
        rows: True and false become 1 and 0, what does not apply stays empty. The last column is
            ``group``, if any row has one.
    """
    grouped = any(row.group is not None for row in rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *FIELDS, *(["group"] if grouped else [])])
    for row in rows:
        group = [cell(row.group or "")] if grouped else []
        writer.writerow([cell(row.file), *to_text(row.score).values(), *group])
    files.write_text(path, text.getvalue())


def read_tracks_csv(path: str | os.PathLike[str]) -> Iterator[TrackRow]:
    """Yield the lines of a file that ``write_tracks_csv`` wrote.

    Raises:
        BeatgridError: The file is of another form; its line is named.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        for line in reader:
            try:
                yield TrackRow(plain(line["file"]), from_text(line), line.get("group"))
            except (KeyError, ValueError, TypeError) as error:
                raise BeatgridError(
                    f"{os.fspath(path)}:{reader.line_num}: no scores of a track ({error}); "
                    "write the file anew with evaluate.py"
                ) from error


@dataclass(frozen=True)
class AlternativeRow:
    """One line of ``alternatives.csv``: a grid that was not chosen.

    Attributes:
        file: Name of the track.
        bpm_true: BPM of the label.
        bpm: Of the alternative.
        probability: That it is right, as the search says.
        right: Whether it is, to 21.5 ms at every beat.
    """

    file: str
    bpm_true: float
    bpm: float
    probability: float
    right: bool


def write_alternatives_csv(path: str | os.PathLike[str], rows: Sequence[AlternativeRow]) -> None:
    """Write a header, then one line for each alternative, atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(AlternativeRow)])
    for row in rows:
        numbers = (f"{row.bpm_true:.6g}", f"{row.bpm:.6g}", f"{row.probability:.6g}")
        writer.writerow([cell(row.file), *numbers, int(row.right)])
    files.write_text(path, text.getvalue())


def read_alternatives_csv(path: str | os.PathLike[str]) -> Iterator[AlternativeRow]:
    """Yield the lines of a file that ``write_alternatives_csv`` wrote."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            true, bpm, probability = (float(line[k]) for k in ("bpm_true", "bpm", "probability"))
            right = line["right"] == "1"
            yield AlternativeRow(plain(line["file"]), true, bpm, probability, right)
