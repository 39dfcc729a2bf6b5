"""What an audit leaves: a table of the worst labels, ``audit.csv`` and ``audit.json``."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from beatgrid import files
from beatgrid.audit.clock import Cluster
from beatgrid.audit.track import NUMBERS, AuditedLabel
from beatgrid.audit.verdict import KINDS
from beatgrid.data.labels import SUFFIX
from beatgrid.files import printable
from beatgrid.output.result import displayable
from beatgrid.output.spreadsheet import cell
from beatgrid.output.tables import print_table

CSV, JSON = "audit.csv", "audit.json"
TABLE_ROWS = 20

COLUMNS = (
    *("label", "audio", "verdict", "score", "reason", "also", "marked", "bpm"),
    *("corrected_bpm", "corrected_offset_s", "codec", "mp3_tag", *NUMBERS),
)


def worst_first(rows: Sequence[AuditedLabel]) -> list[AuditedLabel]:
    """Return audited labels, those that cannot be read first, then by score."""

    def rank(row: AuditedLabel) -> tuple[bool, float, str]:
        return (row.verdict.kind != "unreadable", -row.verdict.score, row.label.name)

    return sorted(rows, key=rank)


def plain(row: AuditedLabel) -> dict[str, Any]:
    """Return an audited label as plain values, by the names of ``COLUMNS``."""
    verdict, correction = row.verdict, row.verdict.correction
    return {
        "label": displayable(str(row.label)),
        "audio": None if row.audio is None else displayable(str(row.audio)),
        "verdict": verdict.kind,
        "score": round(verdict.score, 4),
        "reason": verdict.reason,
        "also": list(verdict.also),
        "marked": row.marked,
        "bpm": row.bpm,
        "corrected_bpm": None if correction is None else correction.bpm,
        "corrected_offset_s": None if correction is None else correction.offset_s,
        "codec": row.codec,
        "mp3_tag": row.mp3_tag,
        **dict.fromkeys(NUMBERS),
        **(row.numbers or {}),
    }


def write_csv(path: Path, rows: Sequence[AuditedLabel]) -> None:
    """Write a line for each label, atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        values = plain(row)
        values["also"] = " ".join(values["also"])
        writer.writerow([cell(values[column]) for column in COLUMNS])
    files.write_text(path, text.getvalue())


def write_json(
    path: Path,
    rows: Sequence[AuditedLabel],
    clusters: Sequence[Cluster],
    about: Mapping[str, Any],
) -> None:
    """Write everything, atomically.

    Args:
        path: The file.
        rows: Audited labels.
        clusters: With indices into ``rows``.
        about: What else is to be said, such as the model.
    """
    content = {
        **about,
        "verdicts": counts(rows),
        "clocks": [
            {
                "offset_ms": cluster.offset_ms,
                "chance": cluster.chance,
                "labels": [displayable(str(rows[i].label)) for i in cluster.labels],
            }
            for cluster in clusters
        ],
        "labels": [plain(row) for row in rows],
    }
    files.write_json(path, content)


def counts(rows: Sequence[AuditedLabel]) -> dict[str, int]:
    """Return how many labels have each verdict, in the order of ``KINDS``."""
    counted = Counter(str(row.verdict.kind) for row in rows)
    return {kind: counted[kind] for kind in KINDS if counted[kind]}


def print_worst(
    rows: Sequence[AuditedLabel], n_rows: int = TABLE_ROWS, console: Console | None = None
) -> None:
    """Print the suspects, the worst first.

    Args:
        rows: From ``worst_first``.
        n_rows: How many at most.
        console: Where to; by default the standard output.
    """
    suspects = [row for row in rows if row.verdict.is_suspect]
    if not suspects:
        return
    shown = [(_name(row), _cells(row)) for row in suspects[:n_rows]]
    n_more = len(suspects) - len(shown)
    print_table(
        shown,
        ["verdict", "score", "offset", "drift", "label", "better"],
        ["left", "right", "right", "right", "right", "right"],
        console,
        first="label",
        caption="offset, drift in ms, music less label"
        + (f"; {n_more} more in {CSV}" if n_more else ""),
    )


def clock_line(cluster: Cluster, rows: Sequence[AuditedLabel]) -> str:
    """Return a line on labels of a foreign clock, with the kinds of file that they are of."""
    case_of = [_case(row) for row in rows]
    members = Counter(case_of[i] for i in cluster.labels)
    total = Counter(case_of)
    cases = ", ".join(f"{n} of {total[case]} {case}" for case, n in members.most_common(3))
    return (
        f"{len(cluster.labels)} labels are {abs(cluster.offset_ms):.1f} ms "
        f"{'early' if cluster.offset_ms > 0 else 'late'}: another decoder's clock ({cases})"
    )


def _case(row: AuditedLabel) -> str:
    if row.mp3_tag is not None:
        return "MP3 without a tag" if row.mp3_tag == "none" else f"MP3 with a {row.mp3_tag} tag"
    return printable(row.codec or "tracks")


def _name(row: AuditedLabel) -> str:
    name = row.label.name
    return name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else name


def _cells(row: AuditedLabel) -> list[str]:
    bpm, better = row.bpm, row.number("better_bpm")
    if row.verdict.kind in ("level", "recording"):
        better = row.number("found_bpm")
    return [
        row.verdict.kind,
        f"{row.verdict.score:.2f}",
        _signed(row.number("offset_ms")),
        _signed(row.number("drift_ms")),
        "-" if bpm is None else f"{bpm:.6g}",
        "-" if better is None else f"{better:.6g}",
    ]


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.0f}"
