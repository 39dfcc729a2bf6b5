"""Command lines as people type them, made fit for Hydra's grammar or refused in one line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from beatgrid.errors import BeatgridError

# Hydra's flags, and whether a value follows.
_FLAGS = {
    **dict.fromkeys(("-m", "--multirun", "-r", "--run", "--resolve", "--hydra-help"), False),
    **dict.fromkeys(("-c", "--cfg", "-p", "--package", "-i", "--info"), True),
    **dict.fromkeys(("-cp", "--config-path", "-cn", "--config-name"), True),
    **dict.fromkeys(("-cd", "--config-dir", "--experimental-rerun"), True),
    **dict.fromkeys(("-sc", "--shell-completion"), False),
}


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
        else:
            _check_override(argument, overrides, paths, program)
            overrides.append(argument)
    return [*flags, *(quote_path(override, paths) for override in overrides)]


def wants(arguments: Sequence[str], *flags: str) -> bool:
    """Whether one of some flags is among the arguments."""
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

    Values already quoted, ``null``, and lists are left alone, unless a file of exactly that name
    exists.
    """
    key, equals, value = argument.partition("=")
    if not equals or key.lstrip("+") not in paths or not value:
        return argument
    grammar = (
        value == "null"
        or (value[0] == "[" and value[-1] == "]")
        or (len(value) > 1 and value[0] == value[-1] and value[0] in "'\"")
    )
    if grammar and not Path(value).exists():
        return argument
    # In a quoted string a backslash is itself, except before a quote; so is `$`, except in `${`.
    escaped = value.replace("\\'", "\\\\'").replace("'", "\\'").replace("${", "\\${")
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"{key}='{escaped}{chr(92) * trailing}'"


def _is_flag(argument: str) -> bool:
    name = argument.partition("=")[0]
    if not name.startswith("-"):
        return False
    if name not in _FLAGS:
        remedy = did_you_mean(name, [flag for flag in _FLAGS if flag.startswith("--")])
        raise BeatgridError(f"{name}: no such flag; {remedy}")
    return True


def _check_override(
    argument: str, before: Sequence[str], paths: Sequence[str], program: str
) -> None:
    key, equals, value = argument.partition("=")
    given = {other.partition("=")[0]: other.partition("=")[2] for other in before}
    if not equals and not (argument.startswith("~") and "/" not in argument):
        if before and before[-1].partition("=")[0] in paths:
            last, _, start = before[-1].partition("=")
            if Path(whole := f"{start} {argument}").exists():
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
