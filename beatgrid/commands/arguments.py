"""Command lines as people type them, made fit for Hydra's grammar or refused in one line."""

from __future__ import annotations

import difflib
import itertools
import os
import re
from collections.abc import Mapping, Sequence

from beatgrid.errors import BeatgridError

# Hydra's flags, and whether a value follows.
_FLAGS = {
    **dict.fromkeys(("-m", "--multirun", "-r", "--run", "--resolve", "--hydra-help"), False),
    **dict.fromkeys(("-c", "--cfg", "-p", "--package", "-i", "--info"), True),
    **dict.fromkeys(("-cp", "--config-path", "-cn", "--config-name"), True),
    **dict.fromkeys(("-cd", "--config-dir", "--experimental-rerun"), True),
    **dict.fromkeys(("-sc", "--shell-completion"), False),
}

_OPTIONAL_VALUE = ("-i", "--info")

# A part of a list up to the next comma: quoted, or anything without a comma.
_PART = re.compile(r"""\s*'(?:[^'\\]|\\.)*'\s*(?=,|$)|\s*"(?:[^"\\]|\\.)*"\s*(?=,|$)|[^,]+""")
# Names with more commas than this need quotes in a list.
_MAX_COMMAS = 8


def prepare(arguments: Sequence[str], paths: Sequence[str], program: str) -> list[str]:
    """Check a command line and bring it into the form that Hydra takes.

    Args:
        arguments: As typed.
        paths: Keys whose values are file names, to be taken literally.
        program: How the user calls it, for messages.

    Returns:
        Flags first, which Hydra's parser does not find behind ``KEY=VALUE``; then the overrides
        with quoted paths.

    Raises:
        BeatgridError: A word that is neither flag nor ``KEY=VALUE``, an unknown flag, or a path
            given twice, of which Hydra would take the last silently.
    """
    flags: list[str] = []
    overrides: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if _is_flag(argument):
            flags.append(argument)
            if _FLAGS.get(argument) and rest and "=" not in rest[0]:
                flags.append(rest.pop(0))
            elif _FLAGS.get(argument) and argument not in _OPTIONAL_VALUE:
                raise BeatgridError(
                    f"{argument}: needs a value; {program} --hydra-help tells which"
                )
        else:
            _check_override(argument, overrides, paths, program)
            overrides.append(argument)
    return [*flags, *(quote_path(override, paths) for override in overrides)]


def spelt_out(
    arguments: Sequence[str], positional: str | None, short: Mapping[str, str]
) -> list[str]:
    """Give every value its full key.

    Args:
        arguments: As typed.
        positional: Key of the words that have none; several make a list. None: there are none.
        short: Keys that stand for another.
    """
    names: list[str] = []
    rest: list[str] = []
    flags = iter(arguments)
    for argument in flags:
        key, equals, value = argument.partition("=")
        if equals:
            rest.append(f"{short.get(key, key)}={value}")
        elif positional and not argument.startswith("-") and not _is_deletion(argument):
            names.append(argument)
        else:
            rest.append(argument)
            if _FLAGS.get(argument):
                rest += itertools.islice(flags, 1)
    if len(names) == 1:
        rest.append(f"{positional}={names[0]}")
    elif names:
        rest.append(f"{positional}=[{','.join(map(_literal, names))}]")
    return rest


def wants(arguments: Sequence[str], *flags: str) -> bool:
    """Tell whether one of some flags is among the arguments."""
    return any(argument in flags for argument in arguments)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return the closest known words as a remedy."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def quoted(name: str) -> str:
    """Return a name as a POSIX shell's double-quoted word, if it needs quotes."""
    if all(c.isalnum() or c in "/._-+%~" for c in name):
        return name
    escaped = "".join(f"\\{c}" if c in '\\"$`' else c for c in name)
    return f'"{escaped}"'


def quote_path(argument: str, paths: Sequence[str]) -> str:
    """Quote the value of ``key=value`` for Hydra's grammar if the key holds a path.

    A leading ``~`` that the shell has left becomes the home folder, unless a file of that very
    name exists. ``[a, b (x)]`` is a list, its names needing no quotes; ``null`` and what is quoted
    already are left as they are. A file of exactly the value's name comes before all of these.

    Raises:
        BeatgridError: The value is empty.
    """
    key, equals, value = argument.partition("=")
    if not equals or key.lstrip("+") not in paths:
        return argument
    if not value.strip():
        raise BeatgridError(f"{argument}: is empty, an unset variable perhaps; give a name")
    if not os.path.lexists(value):
        if value == "null" or _is_quoted(value):
            return argument
        if value[0] == "[" and value[-1] == "]":
            return f"{key}=[{','.join(map(_literal, _names(value[1:-1])))}]"
    return f"{key}={_literal(value)}"


def _names(text: str) -> list[str]:
    """Split the inside of a list into names.

    A comma separates, except inside quotes or where the name of an existing file has it.
    """
    parts = [part for part in re.findall(_PART, text) if part.strip()]
    names = []
    while parts:
        # The longest of what follows that is there, or else the first.
        lengths = range(min(len(parts), _MAX_COMMAS + 1), 1, -1)
        n_parts = 1
        if not os.path.lexists(_home(parts[0].strip())):
            joined = ((n, ",".join(parts[:n]).strip()) for n in lengths)
            n_parts = next((n for n, name in joined if os.path.lexists(_home(name))), 1)
        name = ",".join(parts[:n_parts]).strip()
        if n_parts == 1 and _is_quoted(name):
            name = name[1:-1].replace(f"\\{name[0]}", name[0])
        names.append(name)
        del parts[:n_parts]
    return names


def _is_quoted(value: str) -> bool:
    return len(value) > 1 and value[0] == value[-1] and value[0] in "'\""


def _home(name: str) -> str:
    """Return a name with the home folder for a ``~`` that begins it, unless it exists as it is."""
    return name if name[:1] != "~" or os.path.lexists(name) else os.path.expanduser(name)


def _literal(name: str) -> str:
    """Return a name as a quoted string of Hydra's grammar, its ``~`` resolved."""
    # In a quoted string a backslash is itself, except before a quote; so is `$`, except in `${`.
    escaped = _home(name).replace("\\'", "\\\\'").replace("'", "\\'").replace("${", "\\${")
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"'{escaped}{chr(92) * trailing}'"


def _is_flag(argument: str) -> bool:
    name = argument.partition("=")[0]
    if not name.startswith("-"):
        return False
    if name not in _FLAGS:
        remedy = did_you_mean(name, [flag for flag in _FLAGS if flag.startswith("--")])
        raise BeatgridError(f"{name}: no such flag; {remedy}")
    return True


def _is_deletion(argument: str) -> bool:
    """Tell Hydra's ``~KEY`` from a name in the home folder."""
    return argument.startswith("~") and "/" not in argument


def _check_override(
    argument: str, before: Sequence[str], paths: Sequence[str], program: str
) -> None:
    key, equals, value = argument.partition("=")
    given = {other.partition("=")[0]: other.partition("=")[2] for other in before}
    if not equals and not _is_deletion(argument):
        if before and before[-1].partition("=")[0] in paths:
            last, _, start = before[-1].partition("=")
            if os.path.lexists(whole := f"{start} {argument}"):
                raise BeatgridError(
                    f"{argument}: a name with spaces needs quotes: {last}={quoted(whole)}"
                )
        if "audio" in paths and "audio" not in given:
            raise BeatgridError(f"{argument}: type {program} audio={quoted(argument)}")
        raise BeatgridError(
            f"{argument}: not of the form KEY=VALUE; {program} --help lists the keys"
        )
    if key in given and key in paths:
        remedy = "give it once"
        if key == "audio":
            both = quoted(f"[{given[key]},{value}]")
            remedy = f"several files are one list: audio={both}"
        raise BeatgridError(f"{key}= is given twice, {given[key]} and {value}; {remedy}")
