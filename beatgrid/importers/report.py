"""What became of an import, for the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from beatgrid.files import printable
from beatgrid.importers.outcome import UNCHANGED, WRITTEN, Outcome

# Examples of each kind; the table in the folder has all.
_MAX_EXAMPLES = 3


def print_outcomes(outcomes: Sequence[Outcome], console: Console | None = None) -> None:
    """Print how many labels there are, what was left out and why, with a few examples."""
    console = console or Console(soft_wrap=True)
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.kind].append(outcome)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("labels")
    table.add_column("n", justify="right")
    table.add_column("for example", overflow="fold")
    kinds = sorted(by_kind, key=lambda kind: (kind != WRITTEN, kind != UNCHANGED, kind))
    for kind in kinds:
        found = by_kind[kind]
        piecewise = sum(o.grid is not None and o.grid.is_piecewise for o in found)
        words = f"{kind}, {piecewise} with segments" if piecewise and kind == WRITTEN else kind
        examples = "\n".join(_example(outcome) for outcome in found[:_MAX_EXAMPLES])
        table.add_row(words, str(len(found)), Text(examples))
    console.print(table)
    noted = [outcome for outcome in by_kind[WRITTEN] if outcome.notes]
    for outcome in noted[:_MAX_EXAMPLES]:
        assert outcome.label is not None
        console.print(Text(printable(f"{outcome.label.name}: {'; '.join(outcome.notes)}")))
    if len(noted) > _MAX_EXAMPLES:
        console.print(f"{len(noted) - _MAX_EXAMPLES} further labels have notes")


def _example(outcome: Outcome) -> str:
    if outcome.label is not None:
        said = f" ({outcome.grid})" if outcome.grid is not None else ""
        return printable(outcome.label.name) + said
    return printable(outcome.notes[0] if outcome.notes else outcome.source)
