"""Arguments checked against the annotations of the signature that takes them.

A signature says for each argument what it must be: ``bpm_min: Positive = 55.0``. What a program
passes and what a user writes into a configuration are held against the same annotation, and a
mistake is one line that names the argument, the value and the form expected.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import numbers
import os
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from beatgrid.errors import BeatgridError

F = TypeVar("F", bound=Callable[..., Any])
_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Interval:
    """The range that a number must lie in, metadata of ``Annotated[float, ...]``.

    Attributes:
        low: Lower end.
        high: Upper end.
        above: Whether ``low`` itself is outside.
        below: Whether ``high`` itself is outside.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        over = value > self.low if self.above else value >= self.low
        under = value < self.high if self.below else value <= self.high
        return over and under

    def __str__(self) -> str:
        words = []
        if self.low > -math.inf:
            words.append(f"above {self.low:.15g}" if self.above else f"from {self.low:.15g}")
        if self.high < math.inf:
            words.append(f"below {self.high:.15g}" if self.below else f"to {self.high:.15g}")
        return " ".join(words)


@dataclass(frozen=True)
class Some:
    """A list must not be empty, metadata of ``Annotated[Sequence[...], ...]``."""


@dataclass(frozen=True)
class Text:
    """What a string must be, metadata of ``Annotated[str, ...]``: not empty, and so described.

    Attributes:
        form: As an error calls it.
    """

    form: str


Positive = Annotated[float, Interval(0, above=True)]
NotNegative = Annotated[float, Interval(0)]
Share = Annotated[float, Interval(0, 1)]
Tempo = Annotated[float, Interval(1, 10_000)]
"""Beats per minute."""

# More than these no machine has memory for.
Count = Annotated[int, Interval(1, 1_000_000)]
Whole = Annotated[int, Interval(0, 1_000_000)]
Processes = Annotated[int, Interval(0, 1024)]
"""Processes that help; 0 for none but this one."""
Threads = Annotated[int, Interval(1, 1024)]
Seed = Annotated[int, Interval(0, 2**32 - 1)]

Name = Annotated[str, Text("a name")]
"""Of a file or folder, or of a choice: not empty."""


def checked(function: F) -> F:
    """Check the arguments of each call of a function against its annotations; a decorator.

    Raises:
        BeatgridError: From the calls.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        hints = hints_of(function)
        check({name: given[name] for name in given if name in hints}, hints)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def check_fields(instance: Any) -> None:
    """Check the fields of a dataclass's instance; called from ``__post_init__``.

    Raises:
        BeatgridError: A field is not what its annotation says.
    """
    taker: Any = type(instance)
    check(vars(instance), hints_of(taker))


def check(values: Mapping[str, Any], hints: Mapping[str, Any], prefix: str = "") -> None:
    """Check values by name.

    Args:
        values: Those that have no hint are not looked at.
        hints: What each must be.
        prefix: Stands before the names in errors: ``grid.``.

    Raises:
        BeatgridError: The first that is not what it must be.
    """
    for name, value in values.items():
        if name in hints and (form := mismatch(value, hints[name])) is not None:
            raise BeatgridError(f"{prefix}{name}={shown(value)}: must be {form}")


@functools.cache
def hints_of(taker: Any) -> dict[str, Any]:
    """Return what the arguments of a function or of a class must be.

    Those of a class's bases count where its constructor passes ``**`` on to them.
    """
    if not inspect.isclass(taker):
        return _hints(taker)
    found: dict[str, Any] = {}
    for cls in taker.__mro__:
        construct = vars(cls).get("__init__")
        if construct is None:
            continue
        found = _hints(construct) | found
        parameters = inspect.signature(construct).parameters.values()
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def mismatch(value: Any, hint: Any) -> str | None:
    """Return the form that a value must have, or None if it has it.

    Args:
        value: Anything.
        hint: An annotation of plain values: ``int``, ``float``, ``bool``, ``str``, a ``Path``,
            ``None``, ``Literal``, ``Annotated`` with an ``Interval`` or ``Text``, and unions,
            sequences and tuples of these. Any other is not checked.
    """
    return None if _fits(value, hint) else _form(hint)


def shown(value: Any) -> str:
    """Return a value as a configuration spells it, cut where it is long."""
    if value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    elif _is_list(value):
        text = f"[{','.join(map(shown, value))}]"
    else:
        text = str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    function = inspect.unwrap(function)
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        hint = parameter.annotation
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if isinstance(hint, str):
            # One by one, for some may name what is imported for type checkers alone.
            with contextlib.suppress(NameError):
                found[parameter.name] = eval(hint, function.__globals__)
        elif hint is not parameter.empty:
            found[parameter.name] = hint
    return found


def _fits(value: Any, hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Annotated:
        return _fits(value, parts[0]) and all(_is_in(value, extra) for extra in parts[1:])
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in parts)
    if origin is tuple:
        return _is_list(value) and len(value) == len(parts) and all(map(_fits, value, parts))
    if origin is Sequence or origin is list:
        return _is_list(value) and all(_fits(item, parts[0]) for item in value)
    if Mapping in (hint, origin) or origin is dict:
        return isinstance(value, Mapping)
    if hint is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if hint is float:
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        return is_number and -_LARGEST <= value <= _LARGEST
    if hint is None or hint is type(None):
        return value is None
    if hint in (bool, str) or hint is os.PathLike:
        return isinstance(value, hint)
    if inspect.isclass(hint) and issubclass(hint, os.PathLike):
        return isinstance(value, hint)
    return True


def _is_in(value: Any, extra: Any) -> bool:
    if isinstance(extra, Interval):
        return value in extra
    return not isinstance(extra, Text | Some) or len(value) > 0


def _form(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        forms = [_form(part) for part in parts if not _is_path(part)]
        return " or ".join(dict.fromkeys(forms))
    if origin is Annotated:
        for extra in parts[1:]:
            if isinstance(extra, Text):
                return extra.form
            if isinstance(extra, Interval):
                return f"{_form(parts[0])} {extra}"
        return _form(parts[0])
    if origin is Literal:
        return f"one of {', '.join(map(shown, parts))}"
    if origin is tuple:
        return f"a list of {len(parts)}, each {_form(parts[0])}"
    if origin is Sequence or origin is list:
        return f"a list, each {_form(parts[0])}"
    if Mapping in (hint, origin) or origin is dict:
        return "keys with values"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return names.get(hint, "null" if hint in (None, type(None)) else str(hint))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_path(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, os.PathLike)
