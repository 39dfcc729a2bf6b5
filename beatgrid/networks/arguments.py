"""Objects of a table, made by name from plain arguments: networks and losses."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from beatgrid.errors import BeatgridError

T = TypeVar("T")


def arguments_of(kind: str, table: Mapping[str, type], name: str) -> dict[str, Any]:
    """Return the arguments that an entry of a table takes, with their types.

    Those of its base classes count where it passes ``**`` on to them.

    Raises:
        BeatgridError: The table has no such entry.
    """
    if not isinstance(name, str) or name not in table:
        raise BeatgridError(f"model.{kind}={name}: must be one of {', '.join(table)}")
    found: dict[str, Any] = {}
    for cls in table[name].__mro__:
        construct = vars(cls).get("__init__")
        if construct is None:
            continue
        hints = get_type_hints(construct)
        parameters = list(inspect.signature(construct).parameters.values())[1:]  # without self
        for parameter in parameters:
            if parameter.kind is not parameter.VAR_KEYWORD:
                found.setdefault(parameter.name, hints[parameter.name])
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def build(kind: str, table: Mapping[str, type[T]], name: str, arguments: Mapping[str, Any]) -> T:
    """Make an entry of a table.

    Args:
        kind: What the table holds, for errors.
        table: Classes by name.
        name: Which of them.
        arguments: Its arguments, plain values.

    Raises:
        BeatgridError: An unknown name; an argument that the class lacks or that is missing; a
            value of the wrong type or outside its domain.
    """
    takes = arguments_of(kind, table, name)
    for argument, value in arguments.items():
        if argument not in takes:
            raise BeatgridError(
                f"model.{argument}={value}: {kind} {name!r} has no such argument; "
                f"it takes {', '.join(sorted(takes))}"
            )
        form = _mismatch(value, takes[argument])
        if form is not None:
            raise BeatgridError(f"model.{argument}={value}: must be {form}")
    missing = sorted(takes.keys() - arguments.keys())
    if missing:
        raise BeatgridError(f"model.{missing[0]}: {kind} {name!r} needs {', '.join(missing)}")
    try:
        return table[name](**arguments)
    except BeatgridError:
        raise
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        raise BeatgridError(
            f"model: {kind} {name!r} cannot be built ({str(error).splitlines()[0]})"
        ) from error


def _mismatch(value: Any, hint: Any) -> str | None:
    """Say what a value must be instead, or None if it has the type that the hint asks for."""
    if hint is int:
        right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return None if right else "a whole number, not negative"
    if hint is float:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        return None if right and math.isfinite(value) else "a finite number"
    if get_origin(hint) is Sequence:
        (of,) = get_args(hint)
        right = isinstance(value, list | tuple) and not any(_mismatch(v, of) for v in value)
        return None if right else "a list of whole numbers"
    raise TypeError(f"arguments of type {hint} are not supported")
