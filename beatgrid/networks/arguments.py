"""Objects of a table, made by name from plain arguments: networks and losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from beatgrid.checks import check, hints_of, shown
from beatgrid.errors import BeatgridError

T = TypeVar("T")


def arguments_of(kind: str, table: Mapping[str, type], name: str) -> dict[str, Any]:
    """Return the arguments that an entry of a table takes, with their types.

    Those of its base classes count where it passes ``**`` on to them.

    Raises:
        BeatgridError: The table has no such entry.
    """
    if not isinstance(name, str) or name not in table:
        raise BeatgridError(f"model.{kind}={shown(name)}: must be one of {', '.join(table)}")
    return hints_of(table[name])


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
    missing = sorted(takes.keys() - arguments.keys())
    if missing:
        raise BeatgridError(f"model.{missing[0]}: {kind} {name!r} needs {', '.join(missing)}")
    check(arguments, takes, "model.")
    try:
        return table[name](**arguments)
    except BeatgridError:
        raise
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        raise BeatgridError(
            f"model: {kind} {name!r} cannot be built ({str(error).splitlines()[0]})"
        ) from error
