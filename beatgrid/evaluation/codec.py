"""Scores as rows: of numbers for tensors, of text for CSV files; both come back as they were."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from beatgrid.evaluation.track import LEVELS, TrackScore

LEVEL_NAMES = (*LEVELS, "other", "none")
TEXT_DIGITS = 9
"""Significant digits in text: a nanosecond in the offset of an hour."""


def _plain_type(hint: Any) -> type:
    """Return the type of a field without its ``| None``."""
    if isinstance(hint, types.UnionType):
        (hint,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
    return hint


_TYPES = {name: _plain_type(hint) for name, hint in typing.get_type_hints(TrackScore).items()}
FIELDS = tuple(_TYPES)
"""Names of the fields of a score, in order."""


def to_numbers(score: TrackScore) -> list[float]:
    """Return the fields as numbers: a level by its place in ``LEVEL_NAMES``, NaN for None."""
    numbers = []
    for name in FIELDS:
        value = getattr(score, name)
        if _TYPES[name] is str:
            value = LEVEL_NAMES.index(value)
        numbers.append(math.nan if value is None else float(value))
    return numbers


def from_numbers(numbers: Sequence[float]) -> TrackScore:
    """Return the score of a row from ``to_numbers``."""
    values: dict[str, Any] = {}
    for name, number in zip(FIELDS, numbers, strict=True):
        if math.isnan(number):
            values[name] = None
        else:
            values[name] = LEVEL_NAMES[int(number)] if _TYPES[name] is str else _TYPES[name](number)
    return TrackScore(**values)


def to_text(score: TrackScore) -> dict[str, str]:
    """Return the fields as text: true and false as 1 and 0, None as nothing."""
    return {name: _text(getattr(score, name)) for name in FIELDS}


def from_text(row: Mapping[str, str]) -> TrackScore:
    """Return the score of a row from ``to_text``; other keys of the row do not matter.

    Raises:
        ValueError: A field is missing or no number.
    """
    values: dict[str, Any] = {}
    for name, kind in _TYPES.items():
        if name not in row:
            raise ValueError(f"no column {name}; there are {', '.join(row)}")
        text = row[name]
        if text == "":
            values[name] = None
        else:
            values[name] = text == "1" if kind is bool else kind(text)
    return TrackScore(**values)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.{TEXT_DIGITS}g}" if isinstance(value, float) else str(value)
