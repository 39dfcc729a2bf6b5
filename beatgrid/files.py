"""Files that appear whole or not at all.

Everything is written under a temporary name in the destination's own folder (a rename is only
atomic within one file system) and renamed when complete, so that an interrupted run leaves no
half-written file and several processes may write the same one: the last rename wins.

A process that is killed leaves its temporary files behind. Each is locked while it is written: one
that is not is removed by the next process that writes into the same folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from beatgrid.errors import BeatgridError


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path to write to, which takes the place of ``path`` at the end.

    The temporary name is hidden, unique and keeps the suffix, from which ``savefig`` and other
    writers deduce the format. Where the body raises, it is removed and ``path`` stays as it was.

    Args:
        path: Destination; its folder is created.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_rests(str(path.parent.absolute()))
    temporary, lock = _new(path.parent, path.suffix, _make_file)
    try:
        yield temporary
        # Without it a power cut shortly after may leave the new name with blocks of zeros.
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(lock)


@contextlib.contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Yield a new hidden folder, to be filled and renamed; what is left of it is removed.

    Args:
        parent: Where it is made; exists.
    """
    _remove_rests(str(parent.absolute()))
    folder, lock = _new(parent, "", _make_folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a binary file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 text file atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write readable JSON atomically; NaN and infinity, which JSON lacks, raise ValueError."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def check_writable(folder: str | os.PathLike[str], key: str = "out") -> None:
    """Make a folder and check that there is room in it: after hours of work it would be too late.

    Args:
        folder: Where results go.
        key: What the user calls it.

    Raises:
        BeatgridError: It cannot be a folder, or nothing can be written to it.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BeatgridError(
            f"{key}={folder}: cannot be a folder ({error.strerror}); name another"
        ) from error
    probe = folder / ".beatgrid-check"
    try:
        write_bytes(probe, bytes(1 << 16))
        probe.unlink(missing_ok=True)  # two runs may check at once
    except OSError as error:
        raise BeatgridError(
            f"{key}={folder}: cannot be written to ({error.strerror}); make room or name another"
        ) from error


def content_hash(path: str | os.PathLike[str]) -> str:
    """Return the hash of a file's bytes: 128 bits of BLAKE2b, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def printable(name: str | os.PathLike[str]) -> str:
    r"""Return a file name as any terminal, log and spreadsheet may show it.

    Control characters and others that are not seen become escapes (``\x1b``, ``\n``), and so do
    bytes that are no valid UTF-8.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in os.fspath(name)
    )


# --- temporary names -----------------------------------------------------------------------------

_TEMPORARY = re.compile(r"\.beatgrid-[0-9a-f]+\.tmp(\..*)?")


def _new(parent: Path, suffix: str, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Make and lock a temporary; return it with the descriptor that holds the lock.

    The destination's stem is no part of its name: with it a legal name could become too long.
    """
    while True:
        path = parent / f".beatgrid-{uuid.uuid4().hex}.tmp{suffix}"
        lock = make(path)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # taken for a rest, as it was not locked yet
            os.close(lock)
            continue
        except OSError:  # a file system without locks: what is killed there leaves its rests
            return path, lock
        if path.exists():
            return path, lock
        os.close(lock)


def _make_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)


def _make_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY)


@functools.lru_cache(maxsize=4096)
def _remove_rests(folder: str) -> None:
    """Remove the temporaries of processes that are gone from a folder, once in each process."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        rests = [entry.path for entry in entries if _TEMPORARY.fullmatch(entry.name)]
        for path in rests:
            with contextlib.suppress(OSError):
                _remove_unless_locked(path)


def _remove_unless_locked(path: str) -> None:
    is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
    # Network file systems lock only what is opened for writing, which a folder cannot be.
    lock = os.open(path, os.O_NOFOLLOW | (os.O_RDONLY if is_folder else os.O_RDWR))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_folder:
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
    finally:
        os.close(lock)
