"""Result files that are there, and the audio that they belong to."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from beatgrid.errors import BeatgridError
from beatgrid.output.index import NAME, ResultIndex
from beatgrid.output.result import SUFFIX


@dataclass(frozen=True)
class FoundResult:
    """A result file.

    Attributes:
        path: Where it is.
        place: Its path below the folder that was named.
        folder: The folder that was named.
        audio: Absolute path of its audio as the folder's index knows it; None without an index.
    """

    path: Path
    place: str
    folder: Path
    audio: Path | None


def find_results(where: str | Sequence[str]) -> list[FoundResult]:
    """Return the result files that some names mean, each once, in order.

    Args:
        where: A folder with all below it but hidden ones, a result, a pattern, or several.

    Raises:
        BeatgridError: A name that means none.
    """
    names = [where] if isinstance(where, str) else list(where)
    found: dict[str, FoundResult] = {}
    for name in names:
        paths = list(_paths(name))
        if not paths:
            raise BeatgridError(f"results={name}: no result (NAME{SUFFIX}) is there")
        for path, folder in paths:
            place = os.path.relpath(path, folder)
            key = os.path.abspath(path)
            found.setdefault(key, FoundResult(path, place, folder, None))
    return _with_audio(list(found.values()))


def _paths(name: str) -> Iterator[tuple[Path, Path]]:
    """Yield each result file that a name means, and the folder that its place is below."""
    path = Path(name)
    if path.is_dir():
        for parent, folders, files in os.walk(path):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for file in sorted(files):
                if file.endswith(SUFFIX) and not file.startswith("."):
                    yield Path(parent, file), path
    elif path.is_file():
        if not name.endswith(SUFFIX):
            raise BeatgridError(
                f"results={name}: is no result; name NAME{SUFFIX}, or find its grid with "
                "beatgrid predict"
            )
        yield path, path.parent
    elif not os.path.lexists(path):
        plain = itertools.takewhile(lambda part: not glob.has_magic(part), path.parts)
        base = Path(*plain)
        for match in sorted(glob.glob(name, recursive=True)):
            if match.endswith(SUFFIX):
                yield Path(match), base


def _with_audio(results: list[FoundResult]) -> list[FoundResult]:
    """Add what the indices of the results' folders know of their audio."""
    indices: dict[Path, ResultIndex | None] = {}
    try:
        return [_looked_up(result, indices) for result in results]
    finally:
        for index in indices.values():
            if index is not None:
                index.__exit__(None, None, None)


def _looked_up(result: FoundResult, indices: dict[Path, ResultIndex | None]) -> FoundResult:
    path = Path(os.path.abspath(result.path))
    for folder in path.parents:
        if folder not in indices:
            indices[folder] = None
            if (folder / NAME).is_file():
                # One that cannot be opened, in a folder that is read only, says nothing.
                with contextlib.suppress(BeatgridError):
                    indices[folder] = ResultIndex(folder)
        index = indices[folder]
        if index is not None:
            record = index.at(os.path.relpath(path, folder))
            audio = Path(record.audio) if record is not None else None
            return FoundResult(result.path, result.place, result.folder, audio)
    return result
