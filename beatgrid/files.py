"""Files that appear whole or not at all.

Everything is written under a temporary name in the destination's own folder (a rename is only
atomic within one file system) and renamed when complete, so that an interrupted run leaves no
half-written file and several processes may write the same one: the last rename wins.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any


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
    # The destination's stem is left out: with it a legal name could become too long.
    temporary = path.parent / f".{uuid.uuid4().hex}.tmp{path.suffix}"
    try:
        yield temporary
        # Without it a power cut shortly after may leave the new name with blocks of zeros.
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
