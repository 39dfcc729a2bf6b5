"""Runs over shares of a library into one folder of results, and what joins them.

Each share has a folder of its own below ``.beatgrid-shards``: an index of what it did, for SQLite
files do not bear writers on several machines, its summary, its list of failed files, and how far
it has come. The results themselves lie where a single run would put them. ``merge`` moves the
records into the index of the whole folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from beatgrid.cluster.shard import Shard
from beatgrid.errors import BeatgridError
from beatgrid.files import write_json
from beatgrid.output.index import NAME, Record, ResultIndex, is_gone, read_result

SHARDS = ".beatgrid-shards"
_STATE = "state.json"
_LOCK = "lock"
_FOLDER = re.compile(r"(\d+)-of-(\d+)")
# Records that are stored in one go.
_BATCH = 10_000


class ShardIndex(ResultIndex):
    """The records of one share; what it does not know, the index of the whole folder may.

    That is only read, for the other shares read it as well: results of former runs are found
    again, those of moved files too.
    """

    def __init__(self, folder: Path, shard: Shard) -> None:
        """Open the share's index, and that of the whole folder if there is one."""
        super().__init__(folder, shard_folder(folder, shard) / NAME)
        self._whole = ResultIndex(folder) if (folder / NAME).exists() else None

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._whole is not None:
            self._whole.__exit__()

    def get(self, audio: str) -> Record | None:
        """Return the record of an audio file (absolute path)."""
        record = super().get(audio)
        return record if record or self._whole is None else self._whole.get(audio)

    def at(self, place: str) -> Record | None:
        """Return the record whose result is there, below the folder."""
        record = super().at(place)
        return record if record or self._whole is None else self._whole.at(place)

    def with_content(self, content_hash: str) -> Iterator[Record]:
        """Yield the records of all files of one content."""
        former = () if self._whole is None else self._whole.with_content(content_hash)
        return itertools.chain(super().with_content(content_hash), former)


def shard_folder(out: Path, shard: Shard) -> Path:
    """Return the folder of a share's own files."""
    return out / SHARDS / f"{shard.number}-of-{shard.count}"


@contextlib.contextmanager
def shard_run(out: Path, shard: Shard, n_files: int) -> Iterator[Path]:
    """Keep a share for the run over it; it is finished where the body ends without an exception.

    Args:
        out: Folder of the results.
        shard: The share.
        n_files: That it has.

    Yields:
        The folder of the share's own files.

    Raises:
        BeatgridError: Another process runs over it now.
    """
    folder = shard_folder(out, shard)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder) as is_free:
        if not is_free:
            raise BeatgridError(f"shard={shard}: another process works on it, in {out}")
        write_json(folder / _STATE, {"n_files": n_files, "finished": False})
        yield folder
        write_json(folder / _STATE, {"n_files": n_files, "finished": True})


@dataclass(frozen=True)
class Merged:
    """What a merge found.

    Attributes:
        running: Shares that a process works on: what they have done so far is counted.
        unfinished: Shares whose run was cut off.
        missing: Shares that have not been begun.
    """

    running: tuple[Shard, ...] = ()
    unfinished: tuple[Shard, ...] = ()
    missing: tuple[Shard, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every share of the library is finished."""
        return not (self.running or self.unfinished or self.missing)


def merge(index: ResultIndex, forget: bool = False) -> Merged:
    """Move the records of all shares into the index of the whole folder.

    Of a file that was moved the result under its former name goes, as in a single run. A share
    that is being run stays as it is.

    Args:
        index: Of the whole folder.
        forget: Forget how far the shares have come, for a run over all files follows.
    """
    shards = sorted(_shards(index.folder), key=lambda shard: (shard.count, shard.number))
    finished, running, unfinished = set[Shard](), list[Shard](), list[Shard]()
    for shard in shards:
        folder = shard_folder(index.folder, shard)
        with _locked(folder) as is_free:
            _take_records(index, folder, remove=is_free)
            if not is_free:
                running.append(shard)
            elif _is_finished(folder):
                finished.add(shard)
            else:
                unfinished.append(shard)
    counts = {shard.count for shard in shards}
    of_count = {n: [Shard(i, n) for i in range(1, n + 1)] for n in counts}
    complete = any(finished.issuperset(of_count[n]) for n in counts)
    if not running and (complete or forget):
        shutil.rmtree(index.folder / SHARDS, ignore_errors=True)
        return Merged()
    known = {*finished, *running, *unfinished}
    missing = [shard for n in sorted(counts) for shard in of_count[n] if shard not in known]
    return Merged(tuple(running), tuple(unfinished), tuple(missing))


def _shards(out: Path) -> Iterator[Shard]:
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(out / SHARDS):
            if match := _FOLDER.fullmatch(name):
                yield Shard(int(match[1]), int(match[2]))


def _take_records(index: ResultIndex, folder: Path, remove: bool) -> None:
    """Put a share's records into the whole index; then remove its own, if it is not in use."""
    path = folder / NAME
    if not path.exists():
        return
    with ResultIndex(index.folder, path) as of_shard:
        records = (record for record in of_shard.records() if _is_lasting(record, index.folder))
        while batch := list(itertools.islice(records, _BATCH)):
            index.put_all(batch)
            for record in batch:
                _remove_former(index, record)
    if remove:
        path.unlink()
        for rest in folder.glob(".beatgrid-aside"):
            shutil.rmtree(rest, ignore_errors=True)


def _is_lasting(record: Record, out: Path) -> bool:
    """Tell whether a record is that of an audio file, and not of what a run put aside."""
    return not record.place.startswith(SHARDS + os.sep)


def _remove_former(index: ResultIndex, record: Record) -> None:
    """Remove results of the same content whose audio is gone, unless a person locked them."""
    if record.content_hash is None or is_gone(record.audio):
        return
    for other in list(index.with_content(record.content_hash)):
        if other.audio != record.audio and is_gone(other.audio):
            read = read_result(index.folder / other.place)
            if read is None or read[0].get("locked") is not True:
                index.remove_result(other)


def _is_finished(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / _STATE).read_text(encoding="utf-8"))["finished"])
    except (OSError, ValueError, TypeError, KeyError):
        return False


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a share's folder; yields whether it was free.

    Where the file system has no locks it always is: then it is the user who must not run a share
    twice at once.
    """
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass
        yield True
    finally:
        os.close(lock)
