"""The tracks of a folder of results, as the list shows them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beatgrid.output.index import NAME as INDEX_NAME
from beatgrid.output.index import Record, ResultIndex, read_result
from beatgrid.output.result import SUFFIX, displayable
from beatgrid.review import journal

# Below the folder of results: drafts, and results as they were found. Hidden, so that no run takes
# them for results.
STATE_FOLDER = ".beatgrid-review"
_ID_BYTES = 10


@dataclass(frozen=True)
class Row:
    """A track in the list.

    Attributes:
        id: Names the track to the page: a hash of its result's place.
        name: Of the audio file.
        folder: It lies in, below the folder that was analysed.
        bpm: As people write it; None without a grid.
        confidence: 0..1; None for a file that failed.
        tempo: "steady", "varies", "no grid" or "failed".
        state: "new", "accepted", "corrected", or "locked" by hand.
        draft: There are edits that are not saved.
        reason: Why there is no grid, or no result.
    """

    id: str
    name: str
    folder: str
    bpm: str | None
    confidence: float | None
    tempo: str
    state: str
    draft: bool
    reason: str | None


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
CHECKED = ("accepted", "corrected", "locked")


class Run:
    """A folder of results, or the part of it that belongs to a folder of music.

    Args:
        folder: Of the results; it need not exist yet.
        music: Only results of audio below it count; None for all.
        audio_dir: Where the audio lies now, if not where it lay when grids were found.
    """

    def __init__(
        self, folder: Path, music: Path | None = None, audio_dir: Path | None = None
    ) -> None:
        self.folder = folder
        self.music = music
        self._audio_dir = audio_dir
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._rows: list[Row] = []
        self.version = 0
        self.refresh()

    @property
    def state_folder(self) -> Path:
        """Where drafts are."""
        return self.folder / STATE_FOLDER

    def refresh(self) -> None:
        """Look at the folder again: a run may be at work, and people edit files.

        ``version`` grows if anything changed.

        Raises:
            BeatgridError: The folder cannot be read or written to.
        """
        with self._lock:
            records = {track_id_of(r.place): r for r in self._current_records()}
            self._set(records, journal.drafts(self.state_folder))

    def rows(self) -> list[Row]:
        """Return all rows, in the order of the audio's paths."""
        with self._lock:
            return self._rows

    def record(self, track_id: str) -> Record:
        """Return what is known of a track.

        Raises:
            KeyError: There is no such track.
        """
        with self._lock:
            return self._records[track_id]

    def result_path(self, record: Record) -> Path:
        """Return where a track's result is."""
        return self.folder / record.place

    def audio_path(self, record: Record) -> Path:
        """Return where a track's audio is, or was when its grid was found."""
        if self._audio_dir is not None:
            there = self._audio_dir / place_of_audio(record.place)
            if there.exists():
                return there
        return Path(record.audio)

    def audio_root(self) -> Path:
        """Return the folder that all audio lies below: the ``data.audio_dir`` of a training."""
        with self._lock:
            records = list(self._records.values())
        if self._audio_dir is not None:
            return self._audio_dir
        roots = {root for record in records if (root := _own_root(record))}
        if len(roots) == 1:
            return Path(roots.pop())
        return Path(os.path.commonpath([os.path.dirname(record.audio) for record in records]))

    def put(self, track_id: str, result: dict[str, Any], mtime_ns: int) -> None:
        """Note that a track has another result."""
        with self._lock:
            record = self._records[track_id].with_result(result, mtime_ns)
            with ResultIndex(self.folder) as index:
                index.put(record)
            self._set({**self._records, track_id: record}, journal.drafts(self.state_folder))

    def note_drafts(self) -> None:
        """Look again which tracks have drafts."""
        with self._lock:
            self._set(self._records, journal.drafts(self.state_folder))

    def _set(self, records: dict[str, Record], drafts: Collection[str]) -> None:
        rows = [_row(track_id, record, track_id in drafts) for track_id, record in records.items()]
        if rows != self._rows or not self.version:
            self.version += 1
        self._records, self._rows = records, rows

    def _current_records(self) -> Iterator[Record]:
        """Yield the records that have a result, or failed, as the results say now."""
        if not self.folder.is_dir():
            return
        if not (self.folder / INDEX_NAME).exists() and not _holds_results(self.folder):
            return  # a folder of something else: leave no index in it
        with ResultIndex(self.folder) as index:
            if self.music is None:
                records = list(index.records())
            else:
                records = sorted(
                    index.records_below(os.path.abspath(self.music)), key=lambda r: r.audio
                )
            for record in records:
                if record.place.startswith(".") or record.status == "open":
                    continue
                path = self.folder / record.place
                try:
                    mtime_ns = path.stat().st_mtime_ns
                except OSError:
                    if record.status == "failed":
                        yield record
                    continue
                if mtime_ns != record.result_mtime_ns and (read := read_result(path)):
                    record = record.with_result(*read)
                    index.put(record)
                yield record


def is_results(folder: Path) -> bool:
    """Tell whether a folder holds results of ``beatgrid predict``."""
    return (folder / INDEX_NAME).exists() or _holds_results(folder)


def _holds_results(folder: Path) -> bool:
    return next(folder.rglob(f"*{SUFFIX}"), None) is not None


def track_id_of(place: str) -> str:
    """Return the name of a track in addresses and drafts: the same in every run of the program."""
    return hashlib.blake2b(os.fsencode(place), digest_size=_ID_BYTES).hexdigest()


def place_of_audio(place: str) -> str:
    """Return where the audio of a result lies below the folder that was analysed."""
    return place.removesuffix(SUFFIX)


def _own_root(record: Record) -> str | None:
    """Return the folder that was analysed; None where the place does not tell."""
    place = place_of_audio(record.place)
    if record.audio.endswith(os.sep + place):
        return record.audio[: -len(place) - 1] or os.sep
    return None


def _row(track_id: str, record: Record, draft: bool) -> Row:
    failed = record.status == "failed"
    if failed:
        tempo = "failed"
    elif record.bpm is None:
        tempo = "no grid"
    else:
        tempo = "steady" if record.constant_tempo else "varies"
    state = "new"
    if record.status == "locked":
        state = record.reviewed if record.reviewed in CHECKED else "locked"
    folder = displayable(os.path.dirname(record.place))
    return Row(
        id=track_id,
        name=displayable(os.path.basename(record.audio)),
        folder=folder,
        bpm=record.bpm_display,
        confidence=None if failed else record.confidence,
        tempo=tempo,
        state=state,
        draft=draft,
        reason=record.reason,
    )
