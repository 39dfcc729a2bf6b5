"""Find the files to import from: by name, in folders and archives, by pattern."""

from __future__ import annotations

import glob
import importlib.util
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from beatgrid.audio.find import files_below
from beatgrid.audio.path_list import read_paths
from beatgrid.errors import BeatgridError, MissingPackageError
from beatgrid.importers.folders import DiskFolder, ImportFileError, SourceFile, folders_of_archive
from beatgrid.importers.formats import FORMATS, Format

ARCHIVES = (".osz", ".olz", ".zip", ".smzip", ".qp", ".mcz", ".fnfc")
"""ZIP archives, by the suffixes that games and people give them."""


def chosen_formats(names: str | Sequence[str]) -> tuple[Format, ...]:
    """Return the formats to look for.

    Args:
        names: Of formats; "auto" for all but those that have to be asked for.

    Raises:
        BeatgridError: A name that is none; or one whose package is not installed.
    """
    names = [names] if isinstance(names, str) else list(names)
    if names == ["auto"]:
        return tuple(format for format in FORMATS.values() if not format.on_demand)
    for name in names:
        if name not in FORMATS:
            raise BeatgridError(f"format={name}: no such format; known are {', '.join(FORMATS)}")
        needed = FORMATS[name].needs
        if needed is not None and importlib.util.find_spec(needed) is None:
            raise MissingPackageError(f"format={name}", needed)
    return tuple(FORMATS[name] for name in dict.fromkeys(names))


def find_sources(
    wanted: str | Iterable[str],
    formats: Sequence[Format],
    fail: Callable[[str], None],
) -> Iterator[tuple[SourceFile, Format]]:
    """Yield each file that a name, a folder, a pattern, a list or several mean, with its format.

    Folders are searched with all below them, archives in them included; hidden files are left out.

    Args:
        wanted: As the user gives them.
        formats: To look for.
        fail: Called with what cannot be read, a line each; the search goes on.

    Raises:
        BeatgridError: A name that means nothing.
    """
    seen: set[str] = set()
    for name in [wanted] if isinstance(wanted, str) else wanted:
        for path, root, named in _meant_by(str(name), formats):
            if (key := os.path.realpath(path)) in seen:
                continue
            seen.add(key)
            yield from _in_file(path, root, named, formats, fail)


def _meant_by(wanted: str, formats: Sequence[Format]) -> Iterator[tuple[Path, Path, bool]]:
    """Yield (file, folder that was asked for, whether the file itself was named)."""
    name = wanted if os.path.lexists(wanted) else os.path.expanduser(wanted)
    path = Path(name)
    if os.path.isdir(name):
        for found in files_below(name, lambda n: _is_archive(n) or _formats_of(n, formats) != []):
            yield Path(found), path, False
        return
    if os.path.lexists(name):
        if not (_is_archive(name) or _formats_of(path.name, formats)):
            raise BeatgridError(
                f"from={wanted}: no format that is read here has such a name; "
                "beatgrid import --help lists them"
            )
        yield path, path.parent, True
        return
    if wanted.startswith("@"):
        for entry in read_paths(os.path.expanduser(wanted[1:]), "from"):
            yield from _meant_by(entry, formats)
        return
    plain = list(itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    matches = sorted(glob.glob(name, recursive=True)) if len(plain) < len(path.parts) else []
    if not matches:
        raise BeatgridError(f"from={wanted}: no such file or folder; check the path")
    for match in matches:
        if os.path.isdir(match):
            yield from _meant_by(match, formats)
        elif _is_archive(match) or _formats_of(os.path.basename(match), formats):
            yield Path(match), Path(*plain), False


def _in_file(
    path: Path,
    root: Path,
    named: bool,
    formats: Sequence[Format],
    fail: Callable[[str], None],
) -> Iterator[tuple[SourceFile, Format]]:
    for format in _formats_of(path.name, formats):
        yield SourceFile(DiskFolder(path.parent), path.name, root), format
    if not _is_archive(path.name):
        return
    try:
        folders = folders_of_archive(path)
    except ImportFileError as error:
        fail(str(error))
        return
    found = False
    for folder in folders:
        for name in folder.names:
            for format in _formats_of(name, formats):
                found = True
                yield SourceFile(folder, name, root), format
    if named and not found:
        fail(f"{path}: holds no file of a format that is read here")


def _is_archive(name: str) -> bool:
    return name.lower().endswith(ARCHIVES)


def _formats_of(name: str, formats: Sequence[Format]) -> list[Format]:
    return [format for format in formats if format.is_name(name)]
