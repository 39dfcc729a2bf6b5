"""Charts that are JSON, which people edit by hand."""

from __future__ import annotations

import json
import math
from typing import Any

from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.text import decode


def read_object(source: SourceFile) -> dict[str, Any]:
    """Return the JSON object that a file holds; what stands behind it counts for nothing.

    Raises:
        ImportFileError: It holds none.
    """
    text = decode(source.read(), "cp1252").strip().strip("\0")
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"{source}: is not JSON ({error}); it is cut short or edited") from (
            error
        )
    if not isinstance(value, dict):
        raise ImportFileError(f"{source}: holds a JSON {type(value).__name__}, not an object")
    return value


def numeric(value: Any) -> float | None:
    """Return a finite number, also one that is spelt as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def textual(value: Any) -> str:
    """Return text, empty for anything else."""
    return value if isinstance(value, str) else ""


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list; none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
