"""Libraries of DJ programs for the tests, written by other libraries than ours where there are."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from beatgrid.importers.folders import DiskFolder, SourceFile
from beatgrid.importers.formats import FORMATS
from beatgrid.importers.grid import LabelGrid, label_grid
from beatgrid.importers.track import ImportedTrack, WithoutGrid
from tests.importers.files import beats


def at(path: Path) -> SourceFile:
    """Return a file as readers get it."""
    return SourceFile(DiskFolder(path.parent), path.name, path.parent)


def read(name: str, source: SourceFile) -> list[ImportedTrack | WithoutGrid]:
    """Return what a format's reader finds."""
    return list(FORMATS[name].read(source))


def grid_of(name: str, track: ImportedTrack | WithoutGrid, duration_s: float) -> LabelGrid:
    """Return the grid of a track, as the importer makes it."""
    assert isinstance(track, ImportedTrack), track
    format = FORMATS[name]
    return label_grid(track.marks, duration_s, format.quantum_s, format.quantum_bpm)


def worst_ms(grid: LabelGrid, true_s: np.ndarray, duration_s: float) -> float:
    """Return how far the beats of a grid are from a track's, whose first and last it may extend."""
    found_s = beats(grid, duration_s)
    edge_s = 0.002
    inside = (found_s >= true_s[0] - edge_s) & (found_s <= true_s[-1] + edge_s)
    assert np.count_nonzero(inside) == len(true_s)
    return float(1000 * np.abs(found_s[inside] - true_s).max())


def varint(value: int) -> bytes:
    """Return a number as Protocol Buffers write it."""
    value &= (1 << 64) - 1
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def mixxx_database(
    path: Path,
    rows: Iterable[tuple[str, bytes | None, str | None]],
    sample_rate: object = 44100,
    journal: str = "delete",
) -> sqlite3.Connection:
    """Write a library with Mixxx's columns; return the connection, still open.

    Args:
        path: Of the database.
        rows: Path of the audio, beats and version of each track.
        sample_rate: Of all.
        journal: Mode of SQLite's.
    """
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA journal_mode = {journal}")
    database.executescript(
        """
        CREATE TABLE track_locations (id INTEGER PRIMARY KEY AUTOINCREMENT,
          location varchar(512) UNIQUE, filename varchar(512), directory varchar(512),
          filesize INTEGER, fs_deleted INTEGER, needs_verification INTEGER);
        CREATE TABLE library (id INTEGER PRIMARY KEY AUTOINCREMENT, artist varchar(64),
          title varchar(64), location INTEGER REFERENCES track_locations(location),
          duration FLOAT, samplerate INTEGER, bpm FLOAT, mixxx_deleted INTEGER, beats BLOB,
          beats_version TEXT, beats_sub_version TEXT DEFAULT '', bpm_lock INTEGER DEFAULT 0);
        """
    )
    for location, content, version in rows:
        cursor = database.execute("INSERT INTO track_locations (location) VALUES (?)", [location])
        database.execute(
            "INSERT INTO library (title, artist, location, duration, samplerate, mixxx_deleted, "
            "beats, beats_version) VALUES ('T', 'A', ?, 60.0, ?, 0, ?, ?)",
            [cursor.lastrowid, sample_rate, content, version],
        )
    database.commit()
    return database


def beat_grid(bpm: float, frame: float) -> bytes:
    """Return the message "BeatGrid-2.0", its position a floating-point number as today's Mixxx."""
    tempo = b"\x09" + struct.pack("<d", bpm)
    first = b"\x09" + struct.pack("<d", frame)
    return b"\x0a" + varint(len(tempo)) + tempo + b"\x12" + varint(len(first)) + first


def beat_map(frames: Sequence[int]) -> bytes:
    """Return the message "BeatMap-1.0", its positions whole numbers as those of older Mixxx."""
    parts = []
    for frame in frames:
        beat = b"\x08" + varint(frame) + b"\x10\x01"
        parts.append(b"\x0a" + varint(len(beat)) + beat)
    return b"".join(parts)
