"""Files of other programs where they lie: in a folder of the disk, or inside an archive.

A reader gets a ``SourceFile`` and may ask for its neighbours, by names that cannot lead elsewhere.
Archives are read member by member, never unpacked as a whole: their paths name nothing on the disk,
and what a member holds is bounded, whatever its header says.
"""

from __future__ import annotations

import contextlib
import functools
import lzma
import os
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from beatgrid.errors import BeatgridError
from beatgrid.files import printable, replacing

MAX_FILE_BYTES = 64_000_000
"""Of a chart: the largest that are known, with drawings in them, have some ten million."""

MAX_AUDIO_BYTES = 2_000_000_000
# A pack of songs has some thousand files.
MAX_MEMBERS = 100_000
_COPY_BYTES = 1 << 20
# RuntimeError: a password is needed; NotImplementedError, of a method of compression, is one.
_ZIP_ERRORS = (
    *(OSError, KeyError, ValueError, RuntimeError, EOFError, zlib.error, lzma.LZMAError),
    zipfile.BadZipFile,
)


class ImportFileError(BeatgridError):
    """A file of another program that cannot be read, or holds nothing to import."""


class DiskFolder:
    """A folder of the disk."""

    def __init__(self, path: Path) -> None:
        """Name it; nothing is read yet."""
        self.path = path

    def __str__(self) -> str:
        return os.fspath(self.path)

    def shown(self, name: str) -> str:
        """Return what a file in it is called in messages."""
        return os.path.join(self.path, name)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the files in it, sorted."""
        try:
            with os.scandir(self.path) as entries:
                return tuple(sorted(entry.name for entry in entries if entry.is_file()))
        except OSError:
            return ()

    def disk_path(self, name: str) -> Path:
        """Return the path of a file in it."""
        return self.path / name

    def read(self, name: str) -> bytes:
        """Return what a file holds.

        Raises:
            ImportFileError: It cannot be read, or is too large.
        """
        with self.opened(name) as file:
            return _bounded(file, self.shown(name))

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """Yield a file, to be read piece by piece.

        Raises:
            ImportFileError: It cannot be read.
        """
        path = self.path / name
        try:
            with path.open("rb") as file:
                yield file
        except OSError as error:
            raise ImportFileError(f"{path}: cannot be read ({error.strerror})") from error


class ZipFolder:
    """A folder inside a ZIP archive."""

    def __init__(self, path: Path, below: str, names: list[str]) -> None:
        """Name it; the archive is opened for each file that is read.

        Args:
            path: Of the archive.
            below: Path of the folder in it; empty for its root.
            names: Of the files directly in the folder.
        """
        self.path = path
        self._below = below
        self.names = tuple(sorted(names))

    def __str__(self) -> str:
        return os.path.join(self.path, self._below)

    def shown(self, name: str) -> str:
        """Return what a file in it is called in messages."""
        return os.path.join(self.path, self._below, name)

    def disk_path(self, name: str) -> None:
        """Return None: its files have no path on the disk."""
        return None

    def read(self, name: str) -> bytes:
        """Return what a member holds.

        Raises:
            ImportFileError: It cannot be read, or is too large.
        """
        with self.opened(name) as file:
            return _bounded(file, self.shown(name))

    @property
    def below_on_disk(self) -> str:
        """Its path in the archive as a relative one of the disk, without steps up."""
        parts = self._below.replace("\\", "/").split("/")
        return os.path.join("", *(p.replace(":", "_") for p in parts if p.strip(". ")))

    def unpack(self, name: str, path: Path) -> None:
        """Write a member to the disk, atomically.

        Raises:
            ImportFileError: It cannot be read, or is too large.
        """
        with self.opened(name) as source, replacing(path) as temporary:
            n_bytes = 0
            with temporary.open("wb") as file:
                while block := source.read(_COPY_BYTES):
                    n_bytes += len(block)
                    if n_bytes > MAX_AUDIO_BYTES:
                        raise ImportFileError(
                            f"{self.shown(name)}: unpacks to more than "
                            f"{MAX_AUDIO_BYTES // 10**9} GB; unpack it by hand"
                        )
                    file.write(block)

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """Yield a member, to be read piece by piece.

        Raises:
            ImportFileError: It cannot be read.
        """
        try:
            with (
                zipfile.ZipFile(self.path) as archive,
                archive.open(posixpath.join(self._below, name)) as file,
            ):
                yield file
        except ImportFileError:
            raise
        except _ZIP_ERRORS as error:
            raise _damaged(self.shown(name), error) from error


Folder = DiskFolder | ZipFolder


@dataclass(frozen=True)
class SourceFile:
    """A file to import from.

    Attributes:
        folder: Where it lies.
        name: Its name there.
        root: Folder of the disk that was asked for: what it names outside of it is not touched.
    """

    folder: Folder
    name: str
    root: Path

    def __str__(self) -> str:
        return self.folder.shown(self.name)

    @property
    def path(self) -> Path | None:
        """Its path on the disk; None inside an archive."""
        return self.folder.disk_path(self.name)

    @property
    def stem(self) -> str:
        """Its name without suffix."""
        return os.path.splitext(self.name)[0]

    def read(self) -> bytes:
        """Return what it holds.

        Raises:
            ImportFileError: It cannot be read, or is too large.
        """
        return self.folder.read(self.name)

    def opened(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Return its content, to be read piece by piece: for what may be larger than a chart.

        Raises:
            ImportFileError: On entering or inside: it cannot be read.
        """
        return self.folder.opened(self.name)

    def neighbour(self, name: str) -> SourceFile | None:
        """Return the file of the same folder that has a name, whatever its case; None without."""
        names = self.folder.names
        found = name if name in names else _alike(name, names)
        return SourceFile(self.folder, found, self.root) if found is not None else None


def folders_of_archive(path: Path) -> list[ZipFolder]:
    """Return the folders in an archive that hold files.

    Raises:
        ImportFileError: It is no ZIP archive, damaged, or has too many members.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except _ZIP_ERRORS as error:
        raise _damaged(str(path), error) from error
    if len(members) > MAX_MEMBERS:
        raise ImportFileError(f"{path}: has {len(members)} members; unpack it by hand")
    names: dict[str, list[str]] = {}
    for member in members:
        below, name = posixpath.split(member)
        if name and not name.startswith(".") and "__MACOSX" not in below:
            names.setdefault(below, []).append(name)
    return [ZipFolder(path, below, files) for below, files in sorted(names.items())]


def _alike(name: str, names: tuple[str, ...]) -> str | None:
    return next((other for other in names if other.casefold() == name.casefold()), None)


def _bounded(file: IO[bytes], shown: str) -> bytes:
    data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ImportFileError(
            f"{shown}: holds more than {MAX_FILE_BYTES // 10**6} MB, no chart does; left out"
        )
    return data


def _damaged(shown: str, error: Exception) -> ImportFileError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ImportFileError(f"{shown}: cannot be read ({printable(reason)})")
