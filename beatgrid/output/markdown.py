"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a table.

    Args:
        columns: Its header.
        rows: A cell for each column, as ``str`` shows it; None is an empty cell.

    Raises:
        ValueError: A row has another number of cells than there are columns.
    """
    lines = [_line(columns), "|---" * len(columns) + "|"]
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"a row of {len(row)} cells under {len(columns)} columns: {row}")
        lines.append(_line(row))
    return lines


def _line(cells: Sequence[object]) -> str:
    texts = ("" if cell is None else " ".join(str(cell).split()) for cell in cells)
    escaped = (text.replace("|", "\\|") for text in texts)
    return "|" + "|".join(f" {text} " if text else " " for text in escaped) + "|"
