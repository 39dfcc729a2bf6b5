"""Writes a list of rows as CSV and as a Markdown table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from beatgrid.output.markdown import markdown_table

RESULTS = Path(__file__).parent / "results"


def write_table(name: str, rows: Sequence[Mapping[str, object]]) -> str:
    """Write ``results/NAME.csv`` and ``.md``; return the Markdown."""
    RESULTS.mkdir(exist_ok=True)
    columns = list(rows[0])
    with (RESULTS / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    text = "\n".join(markdown_table(columns, [[_shown(row[c]) for c in columns] for row in rows]))
    (RESULTS / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    print(f"\n{name}\n{text}", flush=True)
    return text


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
