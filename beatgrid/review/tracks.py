"""One track under review: what the page is told of it, and what it may have done to it."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from beatgrid.errors import BeatgridError
from beatgrid.files import replacing
from beatgrid.output.index import Record, read_result
from beatgrid.output.result import bpm_display, displayable, picture_path, write_result
from beatgrid.review.edits import Sources, apply_edit
from beatgrid.review.journal import Journal
from beatgrid.review.material import Heard, Material, Materials
from beatgrid.review.residuals import residuals_ms
from beatgrid.review.reviewed_grid import ReviewedGrid
from beatgrid.review.run import Run
from beatgrid.review.saving import label_path, reviewed_result, save_label


class ConflictError(BeatgridError):
    """The track was edited elsewhere in the meantime."""


class Tracks:
    """The tracks of a run, opened one by one.

    Args:
        run: The folder of results.
        labels: Folder that labels go to.
        materials: Sound and activation.
        now: Returns the time that a review has.
    """

    def __init__(
        self,
        run: Run,
        labels: Path,
        materials: Materials,
        now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
    ) -> None:
        self.run = run
        self.labels = labels
        self._materials = materials
        self._now = now
        # One person, one page: edits of all tracks take turns.
        self._lock = threading.Lock()
        self._journals: dict[str, tuple[int, Journal]] = {}

    def material(self, track_id: str, *, retry: bool = False) -> Material:
        """Return sound and activation of a track, which are computed from now on.

        Raises:
            KeyError: There is no such track.
        """
        audio = self.run.audio_path(self.run.record(track_id))
        return self._materials.of(track_id, audio, retry=retry)

    def describe(self, track_id: str) -> dict[str, Any]:
        """Return all that the page shows of a track, as plain values.

        Raises:
            KeyError: There is no such track.
            BeatgridError: Its result cannot be read.
        """
        with self._lock:
            return self._described(track_id)

    def edit(self, track_id: str, revision: int, edit: Mapping[str, Any]) -> dict[str, Any]:
        """Do an edit, ``undo`` or ``redo``.

        Args:
            track_id: Of the track.
            revision: That the page shows.
            edit: See ``beatgrid.review.edits``.

        Returns:
            As ``describe``.

        Raises:
            KeyError: There is no such track.
            ConflictError: It has another revision by now.
            BeatgridError: The edit cannot be done.
        """
        with self._lock:
            _, result, journal = self._opened(track_id, revision)
            if edit.get("op") == "undo":
                journal.undo()
            elif edit.get("op") == "redo":
                journal.redo()
            else:
                sources = Sources(
                    self._found(track_id, result),
                    [(a["bpm"], a["offset_s"]) for a in self._as_found(track_id, result)[1]],
                    self.material(track_id).activation,
                )
                journal.edit(edit, apply_edit(journal.grid, edit, sources))
            self.run.note_drafts()
            return self._described(track_id)

    def accept(self, track_id: str, revision: int) -> dict[str, Any]:
        """Write the grid into the result, locked, and its label.

        Raises:
            As ``edit``; BeatgridError too where nothing can be written.
        """
        with self._lock:
            record, result, journal = self._opened(track_id, revision)
            grid = journal.grid
            if not grid.stretches:
                raise BeatgridError("there is no grid to accept: type a BPM or tap")
            date = self._now()
            path = self.run.result_path(record)
            original = self._original(track_id)
            activation = self.material(track_id).activation
            new = reviewed_result(result, grid, activation, date)
            try:
                if not original.exists():
                    with replacing(original) as temporary:
                        shutil.copyfile(path, temporary)
                audio = self.run.audio_path(record)
                label = label_path(self.labels, record.place)
                save_label(label, grid, audio, self.run.audio_root(), date)
                write_result(path, new)
                if new["reviewed"]["verdict"] == "corrected":
                    # A picture of the grid that was found would belie the new one.
                    _move_if_there(picture_path(path), picture_path(original))
                self.run.put(track_id, new, path.stat().st_mtime_ns)
            except OSError as error:
                raise _unwritten(error) from error
            journal.mark_saved()
            self._remember(track_id, path, journal)
            self.run.note_drafts()
            return self._described(track_id)

    def withdraw(self, track_id: str, revision: int) -> dict[str, Any]:
        """Take an acceptance back: the result is again what was found, the label goes.

        Raises:
            As ``accept``.
        """
        with self._lock:
            record, _, journal = self._opened(track_id, revision)
            original = self._original(track_id)
            read = read_result(original)
            if read is None:
                raise BeatgridError("this track was not accepted here: nothing to take back")
            path = self.run.result_path(record)
            try:
                with replacing(path) as temporary:
                    shutil.copyfile(original, temporary)
                label_path(self.labels, record.place).unlink(missing_ok=True)
                original.unlink()
                _move_if_there(picture_path(original), picture_path(path))
                self.run.put(track_id, read[0], path.stat().st_mtime_ns)
            except OSError as error:
                raise _unwritten(error) from error
            journal.mark_withdrawn(ReviewedGrid.from_result(read[0]))
            self._remember(track_id, path, journal)
            self.run.note_drafts()
            return self._described(track_id)

    def _opened(self, track_id: str, revision: int) -> tuple[Record, dict[str, Any], Journal]:
        record, result, journal = self._open(track_id)
        if revision != journal.revision:
            raise ConflictError(
                "this track was edited in another window: its newest state is shown"
            )
        return record, result, journal

    def _open(self, track_id: str) -> tuple[Record, dict[str, Any], Journal]:
        record = self.run.record(track_id)
        path = self.run.result_path(record)
        read = read_result(path)
        if read is None:
            reason = record.reason or "its result is gone, or is no JSON"
            raise BeatgridError(f"{displayable(record.audio)}: {reason}")
        result, mtime_ns = read
        known = self._journals.get(track_id)
        if known is None or known[0] != mtime_ns:
            try:
                on_disk = ReviewedGrid.from_result(result)
            except (KeyError, TypeError, ValueError) as error:
                raise BeatgridError(f"{path}: not a result of this program ({error})") from error
            known = (mtime_ns, Journal(self.run.state_folder, track_id, on_disk))
            self._journals[track_id] = known
        return record, result, known[1]

    def _remember(self, track_id: str, path: Path, journal: Journal) -> None:
        self._journals[track_id] = (path.stat().st_mtime_ns, journal)

    def _original(self, track_id: str) -> Path:
        return self.run.state_folder / f"{track_id}.found.json"

    def _as_found(
        self, track_id: str, result: dict[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the result as it was before any review, and its alternatives."""
        read = read_result(self._original(track_id))
        found = result if read is None else read[0]
        return found, found["alternatives"]

    def _found(self, track_id: str, result: dict[str, Any]) -> ReviewedGrid:
        return ReviewedGrid.from_result(self._as_found(track_id, result)[0])

    def _described(self, track_id: str) -> dict[str, Any]:
        _, result, journal = self._open(track_id)
        grid = journal.grid
        beats = grid.beats()
        heard: Heard | None = self.material(track_id).heard_now
        _, alternatives = self._as_found(track_id, result)
        row = next(row for row in self.run.rows() if row.id == track_id)
        return {
            "id": track_id,
            "name": row.name,
            "folder": row.folder,
            "state": row.state,
            "draft": journal.is_draft,
            "can_withdraw": self._original(track_id).exists(),
            "duration_s": grid.duration_s,
            "confidence": result["confidence"],
            "reason": result["reason"],
            "timebase": result["timebase"],
            "revision": journal.revision,
            "can_undo": journal.can_undo,
            "can_redo": journal.can_redo,
            "downbeat_known": grid.downbeat_known,
            "stretches": [
                {
                    "start_s": stretch.start_s,
                    "end_s": grid.end_s(index),
                    "bpm": stretch.grid.bpm,
                    "bpm_display": bpm_display(
                        stretch.grid.bpm, grid.end_s(index) - stretch.start_s
                    ),
                    "beats_per_bar": stretch.grid.beats_per_bar,
                    "follows": stretch.own_beats is not None,
                }
                for index, stretch in enumerate(grid.stretches)
            ],
            "beats_s": np.round(beats.times_s, 6).tolist(),
            "bar_positions": beats.bar_position.tolist(),
            "residuals_ms": None if heard is None else residuals_ms(heard.peaks, beats),
            "alternatives": [
                {"bpm": a["bpm"], "probability": a["probability"]} for a in alternatives
            ],
        }


def labels_folder(results: Path) -> Path:
    """Return where labels go by default."""
    return results / "labels"


def _move_if_there(source: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.move(source, target)


def _unwritten(error: OSError) -> BeatgridError:
    return BeatgridError(
        f"cannot be written ({error.strerror or error}); make room, the draft is kept"
    )


def read_json(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a request.

    Raises:
        BeatgridError: It is none.
    """
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(body)
        if isinstance(value, dict):
            return value
    raise BeatgridError("the request holds no JSON object")
