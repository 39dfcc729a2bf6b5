"""A comparison for people: in the terminal, and as a file of Markdown."""

from __future__ import annotations

from rich.console import Console

from beatgrid.comparison import tables
from beatgrid.comparison.report import Report
from beatgrid.files import printable
from beatgrid.output.markdown import markdown_table
from beatgrid.output.tables import Justify, print_table

_MAX_ALONE = 20
_MAX_FAILURES = 20


def print_report(report: Report, console: Console | None = None) -> None:
    """Print what fits a terminal of 80 columns."""
    console = console or Console()
    if not report.n_tracks:
        console.print("no track that all systems have tried", markup=False)
        return
    _print(tables.headline(report), console)
    if report.labelled:
        _print(tables.pairs(report, "grid_ok_21"), console)
        _print(tables.by_tempo(report, "level_ok"), console)
    elif report.alone:
        _print(tables.alone(report, _MAX_ALONE), console)


def markdown(report: Report) -> str:
    """Return the whole comparison in Markdown."""
    lines = ["# Comparison", "", _about(report), ""]
    for table in tables.tables(report):
        lines += [f"## {table.title}", "", *_markdown_rows(table), ""]
        if table.caption:
            lines += [table.caption, ""]
    if report.left_out:
        lines += ["## Left out", ""]
        lines += [f"- {name}: {_inert(why)}" for name, why in report.left_out.items()] + [""]
    if report.failures:
        lines += ["## Failed", ""]
        lines += [f"- {_inert(failure)}" for failure in report.failures[:_MAX_FAILURES]] + [""]
    return "\n".join(lines)


def _about(report: Report) -> str:
    return (
        f"{report.n_tracks} tracks, {report.hours:.1f} hours of audio, "
        f"{'with' if report.labelled else 'without'} labels. beatgrid compare wrote this."
    )


def _print(table: tables.TextTable, console: Console) -> None:
    justify: list[Justify] = ["right"] * (len(table.columns) - 1)
    console.print()
    console.print(f"{table.title}:", markup=False, highlight=False)
    print_table(
        [(row[0], row[1:]) for row in table.rows],
        table.columns[1:],
        justify,
        console,
        first=table.columns[0] or "system",
        caption=table.caption or None,
    )


def _markdown_rows(table: tables.TextTable) -> list[str]:
    return markdown_table(table.columns, [[_inert(cell) for cell in row] for row in table.rows])


def _inert(text: str) -> str:
    """Return text that Markdown shows as it is: names of files are no markup."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#!&" else c for c in printable(text))
