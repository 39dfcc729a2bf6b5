"""What a folder of results holds, so that a second run need not look at each of them.

The results are the truth: the index can be deleted at any time and is built from them again, at
the cost of reading each once and of a hash for each audio file. It is an SQLite file, so that a
crash leaves it whole, several runs may share it, and it takes no memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from beatgrid.errors import BeatgridError
from beatgrid.output.result import SUFFIX, picture_path, result_name

NAME = ".beatgrid-index.sqlite"
# Of the table below; an index of another version is built again, but for those of version 1,
# which lack the last column.
_VERSION = 2
# Another run may be writing.
_LOCK_TIMEOUT_S = 60.0
_CLAIM_DIGITS = 8

_COPIED = (
    *("bpm", "bpm_display", "offset_s", "downbeat_offset_s", "confidence"),
    *("constant_tempo", "reason"),
)

Status = Literal["done", "no grid", "locked", "failed", "open"]


@dataclass(frozen=True)
class Record:
    """What is known of one audio file and its result.

    Attributes:
        audio: Absolute path of the audio.
        place: Of the result below the folder; no other file ever gets it.
        file: The audio as it was last named.
        status: "done", "no grid", "locked" (a person's word), "failed", or "open": not done yet.
        size: Of the audio when it was last read, in bytes.
        mtime_ns: Its time of change then.
        content_hash: Hash of its bytes then.
        method_hash: What the result was made with.
        result_mtime_ns: Time of change of the result, which tells when a person edits it.
        seconds: That the analysis took.
        bpm: As in the result, like all that follow.
        reviewed: The verdict of a person who reviewed the result, "accepted" or "corrected".
    """

    audio: str
    place: str
    file: str = ""
    status: Status = "open"
    size: int | None = None
    mtime_ns: int | None = None
    content_hash: str | None = None
    method_hash: str | None = None
    result_mtime_ns: int | None = None
    seconds: float | None = None
    bpm: float | None = None
    bpm_display: str | None = None
    offset_s: float | None = None
    downbeat_offset_s: float | None = None
    confidence: float | None = None
    constant_tempo: bool | None = None
    reason: str | None = None
    reviewed: str | None = None

    def with_result(self, result: Mapping[str, Any], mtime_ns: int) -> Record:
        """Return the record with what a result says."""
        status: Status = "done" if result.get("bpm") is not None else "no grid"
        copied: dict[str, Any] = {key: result.get(key) for key in _COPIED}
        review = result.get("reviewed")
        verdict = review.get("verdict") if isinstance(review, dict) else None
        return dataclasses.replace(
            self,
            status="locked" if result.get("locked") is True else status,
            result_mtime_ns=mtime_ns,
            content_hash=result.get("content_hash"),
            method_hash=result.get("method_hash"),
            reviewed=verdict if isinstance(verdict, str) else None,
            **copied,
        )


_FIELDS = [field.name for field in dataclasses.fields(Record)]
_COLUMNS = ", ".join(_FIELDS)
_BOOL = _FIELDS.index("constant_tempo")
# Paths are stored as bytes: on Linux they need not be valid text.
_BYTES = [_FIELDS.index(name) for name in ("audio", "place", "file")]


def read_result(path: Path) -> tuple[dict[str, Any], int] | None:
    """Read a result and its time of change; None where there is none that can be read."""
    try:
        mtime_ns = path.stat().st_mtime_ns
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return (result, mtime_ns) if isinstance(result, dict) else None


def place_of(name: str) -> str:
    """Return where below the folder the result of an audio file is to be.

    Args:
        name: Of the audio file, below the folder that was named.
    """
    folder, base = os.path.split(name)
    return os.path.join(folder, result_name(base))


def is_gone(audio: str) -> bool:
    """Tell whether a file is not there any more, nor a link of its name."""
    return not os.path.lexists(audio)


class ResultIndex:
    """The records of a folder of results; a context manager.

    Raises:
        BeatgridError: The folder cannot be written to.
    """

    def __init__(
        self, folder: str | os.PathLike[str], path: str | os.PathLike[str] | None = None
    ) -> None:
        """Open the index, or build it from the results that are there.

        Args:
            folder: Of the results.
            path: Of the index, where it is not that of the whole folder; a new one is then empty.
        """
        self.folder = Path(folder)
        self.path = self.folder / NAME if path is None else Path(path)
        self._is_whole = path is None
        try:
            self._open()
        except sqlite3.OperationalError as error:
            raise self._failure(error) from error
        except sqlite3.DatabaseError:  # damaged: it holds nothing that the results do not
            self.path.unlink(missing_ok=True)
            with self._told():
                self._open()

    def _open(self) -> None:
        self._db = sqlite3.connect(self.path, timeout=_LOCK_TIMEOUT_S, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        # A commit must survive a crash of the program; after one of the machine, the results do.
        self._db.execute("PRAGMA synchronous = OFF")
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 1:
                self._db.execute("ALTER TABLE files ADD COLUMN reviewed")
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
            if version in (1, _VERSION):
                return
            self._db.execute("DROP TABLE IF EXISTS files")
            self._db.execute(
                f"CREATE TABLE files ({', '.join(_FIELDS)}, place_key UNIQUE, "
                "PRIMARY KEY (audio)) WITHOUT ROWID"
            )
            self._db.execute("CREATE INDEX by_content ON files (content_hash)")
            if self._is_whole:
                self._build()
            self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def _build(self) -> None:
        for path in self.folder.rglob(f"*{SUFFIX}"):
            read = read_result(path)
            place = path.relative_to(self.folder)
            if read is None or any(part.startswith(".") for part in place.parts):
                continue
            result, mtime_ns = read
            # The best guess, right if the program runs where it ran before.
            audio = os.path.abspath(str(result.get("file")))
            record = Record(audio, str(place), str(result.get("file")))
            self._put(record.with_result(result, mtime_ns))

    def __enter__(self) -> ResultIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def get(self, audio: str) -> Record | None:
        """Return the record of an audio file (absolute path)."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM files WHERE audio = ?", [os.fsencode(audio)]
        )
        return next(map(_record, rows), None)

    def at(self, place: str) -> Record | None:
        """Return the record whose result is there, below the folder."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM files WHERE place_key = ?", [place_key(place)]
        )
        return next(map(_record, rows), None)

    def claim(self, audio: str, name: str, content_hash: str | None) -> Record:
        """Return the record of an audio file; if it has none, one with a place of its own.

        Args:
            audio: Absolute path.
            name: Where its result is to be, without suffix: that is its place unless another
                file has it. Then a hash of ``audio`` is added to the name.
            content_hash: Of the audio, if it can be read. Who has the place may be the same file
                under a name that is gone.
        """
        with self._told(), self._transaction():
            record = self.get(audio)
            if record is not None:
                return record
            mark = hashlib.sha256(os.fsencode(audio)).hexdigest()[:_CLAIM_DIGITS]
            folder, base = os.path.split(name)
            for candidate in (base, f"{base}~{mark}"):
                place = place_of(os.path.join(folder, candidate))
                owner = self.at(place)
                if owner is None:
                    record = Record(audio, place)
                    break
                if owner.content_hash == content_hash is not None and is_gone(owner.audio):
                    record = dataclasses.replace(owner, audio=audio)
                    break
            else:
                raise RuntimeError(f"{audio}: {place} is taken by another file")
            self._put(record)
            return record

    def put(self, record: Record) -> None:
        """Store a record, in place of the one that the audio file had."""
        with self._told():
            self._put(record)

    def put_all(self, records: Iterable[Record]) -> None:
        """Store many records at once: all of them, or none if that fails."""
        with self._told(), self._transaction():
            for record in records:
                self._put(record)

    def _put(self, record: Record) -> None:
        values = list(dataclasses.astuple(record))
        for i in _BYTES:
            values[i] = os.fsencode(values[i])
        marks = ", ".join("?" * (len(values) + 1))
        key = place_key(record.place)
        self._db.execute(
            f"INSERT OR REPLACE INTO files ({_COLUMNS}, place_key) VALUES ({marks})",
            [*values, key],
        )

    def remove(self, audio: str) -> None:
        """Forget an audio file."""
        with self._told():
            self._db.execute("DELETE FROM files WHERE audio = ?", [os.fsencode(audio)])

    def remove_result(self, record: Record) -> None:
        """Delete a result with its picture, and forget its audio file."""
        result = self.folder / record.place
        for path in (result, picture_path(result)):
            path.unlink(missing_ok=True)
        self.remove(record.audio)

    def with_content(self, content_hash: str) -> Iterator[Record]:
        """Yield the records of all files of one content."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM files WHERE content_hash = ?", [content_hash]
        )
        return map(_record, rows)

    def records_below(self, folder: str) -> Iterator[Record]:
        """Yield the records of audio files in a folder."""
        start = os.fsencode(os.path.join(folder, ""))
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM files WHERE audio >= ? AND audio < ?",
            [start, start[:-1] + b"0"],
        )
        return map(_record, rows)

    def records(self) -> Iterator[Record]:
        """Yield all records, in the order of the audio's paths."""
        return map(_record, self._db.execute(f"SELECT {_COLUMNS} FROM files ORDER BY audio"))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> BeatgridError:
        return BeatgridError(
            f"out={self.folder}: cannot be written to ({error}); make room or name another"
        )


def _record(row: tuple[Any, ...]) -> Record:
    values = list(row[: len(_FIELDS)])
    for i in _BYTES:
        values[i] = os.fsdecode(values[i])
    if values[_BOOL] is not None:
        values[_BOOL] = bool(values[_BOOL])
    return Record(*values)


def place_key(place: str) -> bytes:
    """Return a key that is equal for names which some file system takes for one."""
    return os.fsencode(unicodedata.normalize("NFC", place).casefold())
