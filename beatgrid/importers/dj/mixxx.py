"""Mixxx's library, ``mixxxdb.sqlite``: grids as Protocol Buffers in ``library.beats``.

Source: github.com/mixxxdj/mixxx, ``res/schema.xml``, ``src/proto/beats.proto`` and
``src/track/beats.cpp``. ``beats_version`` names the message: "BeatGrid-2.0" (a tempo and its first
beat), "BeatMap-1.0" (all beats), or "BeatGrid-1.0", two numbers without a message. Positions are
frames at ``library.samplerate``, whole ones. Mixxx knows no bars.

A running Mixxx keeps its library open. What is read here is a copy: the file itself, its journal
and its write-ahead log are opened for reading only, and not by SQLite, which would add files beside
them and lock them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from beatgrid.export.spans import fit_spans
from beatgrid.files import printable
from beatgrid.importers.dj.protobuf import fields, message, scalar
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.track import ImportedTrack, TempoMark, WithoutGrid

_MAGIC = b"SQLite format 3\0"
_QUERY = """
SELECT place.location, library.title, library.artist, library.duration, library.samplerate,
       library.beats, library.beats_version
FROM library JOIN track_locations AS place ON library.location = place.id
WHERE NOT coalesce(library.mixxx_deleted, 0)
ORDER BY library.id
"""
# Files beside a database that belong to it while it is open.
_COMPANIONS = ("-wal", "-journal")
_MAX_COPIES = 3
# A day of beats at 400 BPM.
_MAX_BEATS = 576_000


def read(source: SourceFile) -> Iterator[ImportedTrack | WithoutGrid]:
    """Yield the tracks of a library; nothing where the database is another.

    Raises:
        ImportFileError: It is damaged, lies in an archive, or changes while it is copied.
    """
    if source.path is None:
        raise ImportFileError(f"{source}: databases inside archives are not read; unpack it")
    with source.opened() as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return
    with tempfile.TemporaryDirectory(prefix="beatgrid-") as folder:
        copy = Path(folder) / "copy.sqlite"
        _copy(source, source.path, copy)
        try:
            yield from _rows(copy)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter of names of columns
            raise ImportFileError(f"{source}: cannot be read ({printable(str(error))})") from error


def _copy(source: SourceFile, path: Path, copy: Path) -> None:
    """Copy a database with what belongs to it, all of one moment."""
    try:
        for _ in range(_MAX_COPIES):
            before = _state(path)
            for suffix in ("", *_COMPANIONS):
                origin, target = Path(f"{path}{suffix}"), Path(f"{copy}{suffix}")
                target.unlink(missing_ok=True)
                if origin.exists():
                    shutil.copyfile(origin, target)
            if _state(path) == before:
                return
    except OSError as error:
        raise ImportFileError(f"{source}: cannot be copied ({error.strerror})") from error
    raise ImportFileError(f"{source}: is being written to all the time; close Mixxx")


def _state(path: Path) -> list[tuple[int, int] | None]:
    """Return size and time of change of a database and of what belongs to it."""
    found: list[tuple[int, int] | None] = []
    for suffix in ("", *_COMPANIONS):
        try:
            status = os.stat(f"{path}{suffix}")
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((status.st_size, status.st_mtime_ns))
    return found


def _rows(path: Path) -> Iterator[ImportedTrack | WithoutGrid]:
    database = sqlite3.connect(path)
    try:
        database.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        names = database.execute(
            "SELECT lower(name) FROM sqlite_master WHERE type = 'table' "
            "AND lower(name) IN ('library', 'track_locations')"
        ).fetchall()
        if len(names) < 2:
            return
        for row in database.execute(_QUERY):
            yield _track(*row)
    finally:
        database.close()


def _track(
    path: Any, title: Any, artist: Any, duration_s: Any, sample_rate: Any, beats: Any, version: Any
) -> ImportedTrack | WithoutGrid:
    """Return the track of a row, whose columns SQLite lets be of any type."""
    name = str(path or "")
    if not name or not isinstance(beats, bytes) or not beats:
        reason = "it has no grid: analyse it in Mixxx" if name else "it names no file"
        return WithoutGrid(name or str(title or ""), reason)
    if not isinstance(sample_rate, int | float) or not 1000 <= sample_rate <= 1e6:
        return WithoutGrid(name, f"its sample rate is {printable(str(sample_rate))}")
    try:
        marks = _marks(beats, str(version), float(sample_rate))
    except (ValueError, struct.error) as error:
        return WithoutGrid(name, f"its grid cannot be read ({error})")
    known_s = isinstance(duration_s, int | float) and duration_s > 0
    return ImportedTrack(
        audio=name,
        marks=marks,
        title=str(title or ""),
        artist=str(artist or ""),
        downbeat="unknown",
        stated_duration_s=float(duration_s) if known_s else None,
    )


def _marks(beats: bytes, version: str, sample_rate: float) -> tuple[TempoMark, ...]:
    """Return the tempi of a grid.

    Raises:
        ValueError: It is no such grid.
    """
    if version.startswith("BeatMap-1"):
        positions = [
            scalar(value, 1)
            for number, value in fields(beats)
            if number == 1 and isinstance(value, bytes)
        ]
        return _of_beats(np.array(positions, dtype=np.float64) / sample_rate)
    if version.startswith("BeatGrid-1") and len(beats) == 16:
        bpm, frame = struct.unpack("<dd", beats)
    elif version.startswith("BeatGrid-"):
        tempo, first = message(beats, 1), message(beats, 2)
        bpm = None if tempo is None else scalar(tempo, 1)
        frame = None if first is None else scalar(first, 1)
    else:
        raise ValueError(f"unknown version {printable(version)!r}")
    if bpm is None or frame is None:
        raise ValueError("tempo or first beat is missing")
    mark = TempoMark(frame / sample_rate, bpm)
    if not mark.is_finite:
        raise ValueError(f"{bpm:g} BPM from frame {frame:g} on")
    return (mark,)


def _of_beats(times_s: np.ndarray) -> tuple[TempoMark, ...]:
    if not 2 <= len(times_s) <= _MAX_BEATS:
        raise ValueError(f"{len(times_s)} beats")
    if not np.isfinite(times_s).all() or (np.diff(times_s) <= 0).any():
        raise ValueError("beats are not in order")
    bars = np.arange(len(times_s)) % 4 + 1  # unknown; only so that none of them ends a span
    spans = fit_spans(times_s, bars, 4, float(times_s[-1]))
    return tuple(TempoMark(span.first_beat_s, span.bpm) for span in spans)
