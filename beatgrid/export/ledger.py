"""What exports a folder holds, so that no file of the user's is taken for one.

An export that somebody has worked on (a chart begun, labels moved) is theirs from then on, and so
is whatever else lies under the name that an export would get.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from beatgrid.errors import BeatgridError
from beatgrid.files import content_hash

NAME = ".beatgrid-exports.sqlite"
# Another run may be writing.
_LOCK_TIMEOUT_S = 60.0


class Ledger:
    """The files that exports have written to a folder.

    Raises:
        BeatgridError: The folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        """Open the ledger of a folder, or begin one."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(folder / NAME, timeout=_LOCK_TIMEOUT_S, isolation_level=None)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise BeatgridError(
                f"out={folder}: cannot be written to ({error}); name another"
            ) from error

    def _prepare(self) -> None:
        try:
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS files (place PRIMARY KEY, source, content, size, "
                "mtime_ns) WITHOUT ROWID"
            )
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def has(self, path: Path) -> bool:
        """Tell whether a file of that name was written by an export, whatever it is now."""
        return self._row(path) is not None

    def is_current(self, path: Path, source: str) -> bool:
        """Tell whether a file was written from that source, and is still as it was."""
        row = self._row(path)
        return row is not None and row[0] == source and self._stamp(path) == row[2:]

    def is_ours(self, path: Path) -> bool:
        """Tell whether a file may be replaced: none is there, or one written by an export."""
        if not os.path.lexists(path):
            return True
        row = self._row(path)
        if row is None:
            return False
        return self._stamp(path) == row[2:] or (path.is_file() and content_hash(path) == row[1])

    def add(self, path: Path, source: str) -> None:
        """Note that a file was written.

        Args:
            path: The file.
            source: Identifies what it was made from.
        """
        row = (self._place(path), source, content_hash(path), *(self._stamp(path) or (0, 0)))
        with self._told():
            self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", row)

    def _row(self, path: Path) -> tuple[str, str, int, int] | None:
        with self._told():
            rows = self._db.execute(
                "SELECT source, content, size, mtime_ns FROM files WHERE place = ?",
                [self._place(path)],
            )
            return rows.fetchone()

    def _place(self, path: Path) -> bytes:
        """Return a file's key: bytes, since on Linux a name need not be valid text."""
        return os.fsencode(os.path.relpath(path, self.folder))

    @staticmethod
    def _stamp(path: Path) -> tuple[int, int] | None:
        try:
            status = path.lstat()
        except OSError:
            return None
        return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise BeatgridError(f"{self.folder / NAME}: cannot be used ({error})") from error


def exported(folder: Path, paths: Iterable[str]) -> set[str]:
    """Return those of some files that exports have written to a folder: they are no music.

    Args:
        folder: Of exports, perhaps; no ledger is begun there.
        paths: Any files.
    """
    if not (folder / NAME).is_file():
        return set()
    ledger = Ledger(folder)
    try:
        return {path for path in paths if ledger.has(Path(path))}
    finally:
        ledger.close()


def source_key(*parts: object) -> str:
    """Return what identifies everything that an export is made from."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
