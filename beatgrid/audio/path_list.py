"""Text files that hold a path in each line: what a run could not do, or a playlist.

A path stands as it is. Where that cannot work, because it holds control characters (a newline),
is no valid text, begins with ``#`` or a quote, or with or ends in a space, it stands as a JSON
string. Lines that begin with ``#`` are comments, as in M3U. Relative paths start at the working
folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from beatgrid.errors import AudioError
from beatgrid.files import replacing

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_paths(path: str | os.PathLike[str], paths: Iterable[str]) -> None:
    """Write a list atomically."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(f"{_as_line(name)}\n" for name in paths)


def read_paths(path: str | os.PathLike[str], key: str = "audio") -> list[str]:
    """Read a list.

    Args:
        path: The text file.
        key: What the user calls it.

    Raises:
        AudioError: There is no such file, or it is no list.
    """
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{key}=@{path}: no such list ({reason}); check the path") from error
    if b"\0" in data:
        raise AudioError(f"{key}=@{path}: not a text file with a path in each line")
    paths = []
    for number, line in enumerate(data.removeprefix(_BYTE_ORDER_MARK).splitlines(), start=1):
        text = os.fsdecode(line).strip(" \t\r")
        if text.startswith('"'):
            try:
                text = json.loads(text)
            except ValueError as error:
                raise AudioError(
                    f"{key}=@{path}: line {number} begins with a quote, but is no JSON string"
                ) from error
        elif text.startswith("#"):
            continue
        if text:
            paths.append(text)
    if not paths:
        raise AudioError(f"{key}=@{path}: names no file")
    return paths


def _as_line(path: str) -> str:
    is_plain = path.isprintable() and path == path.strip() and path[:1] not in ('"', "#")
    return path if is_plain else json.dumps(path)
