"""``results.md`` from the ``outcomes-NAME.csv`` beside this script.

python experiments/audit/tables.py
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from faults import EXPECTED

from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table

HERE = Path(__file__).resolve().parent
SETS = {
    "rendered": ("own", "hydrogen", "slow"),
    "real, `val`": ("val",),
}
OK_MS = 10.0
Row = dict[str, str]


def main() -> None:
    """Write the tables."""
    blocks: list[str] = []
    for title, names in SETS.items():
        rows = [row for name in names for row in read(HERE / f"outcomes-{name}.csv")]
        n_tracks = len({(row["set"], row["track"]) for row in rows})
        blocks += [f"## {title}: {n_tracks} tracks", "", *recall(rows), "", *precision(rows), ""]
    corpus = HERE / "outcomes-corpus.csv"
    if corpus.exists():
        blocks += ["## The corpus as it is", "", *suspects(read(corpus)), ""]
    write_text(HERE / "results.md", "\n".join(blocks))


def read(path: Path) -> list[Row]:
    """Read the outcomes of a set."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def recall(rows: Sequence[Row]) -> list[str]:
    """Return a table of faults: how many are named, suspected, corrected."""
    lines = []
    for fault, kind in EXPECTED.items():
        for name in (fault, f"{fault}: others"):
            of_fault = [row for row in rows if row["fault"] == name]
            if not of_fault:
                continue
            wanted = kind if name == fault else "ok"
            named = [row for row in of_fault if row["verdict"] == wanted]
            suspected = [row for row in of_fault if row["verdict"] != "ok"]
            corrected = [row for row in of_fault if row["corrected"] == "1"]
            right = [row for row in corrected if _is_right(row)]
            lines.append(
                [
                    *(name, wanted, len(of_fault), _percent(named, of_fault)),
                    _percent(suspected, of_fault),
                    f"{len(right)} of {len(corrected)}" if corrected else "",
                ]
            )
    columns = ["fault", "verdict", "labels", "so named, %", "suspected, %", "right of corrected"]
    return markdown_table(columns, lines)


def precision(rows: Sequence[Row]) -> list[str]:
    """Return a table of verdicts: how many name the fault, each fault once beside a right label."""
    lines = []
    counted = [row for row in rows if row["fault"] in EXPECTED]
    for kind in dict.fromkeys(EXPECTED.values()):
        if kind == "ok":
            continue
        of_kind = [row for row in counted if row["verdict"] == kind]
        right = [row for row in of_kind if EXPECTED[row["fault"]] == kind]
        clean = [row for row in of_kind if row["fault"] == "none"]
        lines.append([kind, len(of_kind), _percent(right, of_kind), len(clean)])
    return markdown_table(["verdict", "given", "precision, %", "to right labels"], lines)


def suspects(rows: Sequence[Row]) -> list[str]:
    """Return a table of the labels that are suspected, and of those that were marked before."""
    flagged = [row for row in rows if row["verdict"] != "ok"]
    keys = ("track", "split", "marked", "offset_source", "verdict", "score", "reason")
    worst_first = sorted(flagged, key=lambda row: -float(row["score"]))
    lines = [[row[key] for key in keys] for row in worst_first]
    marked = []
    for mark in sorted({row["marked"] for row in rows}):
        of_mark = [row for row in rows if row["marked"] == mark]
        kinds = [row["verdict"] for row in of_mark]
        counts = ", ".join(f"{kinds.count(k)} {k}" for k in dict.fromkeys(sorted(kinds)))
        marked.append([mark or "not marked", len(of_mark), counts])
    columns = ["label", "split", "marked", "offset source", "verdict", "score", "evidence"]
    return [
        *markdown_table(["marked", "labels", "verdicts"], marked),
        "",
        *markdown_table(columns, lines),
    ]


def _is_right(row: Row) -> bool:
    return row["corrected_bars"] == "1" and float(row["corrected_error_ms"]) <= OK_MS


def _percent(part: Sequence[Row], whole: Sequence[Row]) -> str:
    return f"{100 * len(part) / len(whole):.1f}" if whole else ""


if __name__ == "__main__":
    main()
