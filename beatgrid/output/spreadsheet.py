"""Values as cells of CSV files that open in a spreadsheet."""

from __future__ import annotations

import os
from typing import Any

from beatgrid.files import printable

FLOAT_DIGITS = 9
# A spreadsheet takes cells that begin so for formulas, which a file's name must not become.
_FORMULA = tuple("=+-@")


def cell(value: Any) -> Any:
    """Return a value as a ``csv.writer`` should get it.

    True and false are 1 and 0, numbers have 9 digits, None is left for an empty cell. Text is
    shown harmless, with an apostrophe, a spreadsheet's own mark of plain text, before what would
    begin a formula.
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return f"{value:.{FLOAT_DIGITS}g}"
    if not isinstance(value, str | os.PathLike):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain(text: str) -> str:
    """Return the text of a cell without the apostrophe that ``cell`` may have put before it."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text
