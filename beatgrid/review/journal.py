"""What was done to a grid, line by line on disk, so that nothing is lost by a closed tab.

A journal begins with the grid that the result held; an edit, an undo and a redo append a line each.
Reading it again leads to the same place, with all that can be undone and redone. While it holds
what is not saved it is called ``ID.draft.jsonl``, otherwise ``ID.history.jsonl``: a list of names
tells which tracks have drafts.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beatgrid.review.reviewed_grid import ReviewedGrid

_DRAFT = ".draft.jsonl"
_HISTORY = ".history.jsonl"


class Journal:
    """The edits of one track: what the page shows, what came before, what was undone.

    Attributes:
        revision: Number of lines; an edit says on which revision it was made.
        saved: The grid that the result holds.
    """

    def __init__(self, folder: Path, track_id: str, on_disk: ReviewedGrid) -> None:
        """Read the journal, if there is one.

        Args:
            folder: Of journals.
            track_id: Of the track.
            on_disk: What its result holds now. If that is not what the journal ends with, somebody
                else has changed it: it becomes one more edit.
        """
        self._folder = folder
        self._id = track_id
        self.saved = on_disk
        self.revision = 0
        self._states: list[ReviewedGrid] = [on_disk]
        self._at = 0
        path = next((p for p in map(self._path, (_DRAFT, _HISTORY)) if p.exists()), None)
        if path is None:
            return
        saved = None
        for line in _lines(path):
            self._replay(line)
            saved = self.grid if line["do"] in ("begin", "saved") else saved
        if saved is None or not saved.same_beats(on_disk):
            self._append({"do": "edit", "edit": {"op": "result"}, "grid": on_disk.to_plain()})

    @property
    def grid(self) -> ReviewedGrid:
        """The grid as it is now."""
        return self._states[self._at]

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether something was undone."""
        return self._at + 1 < len(self._states)

    @property
    def is_draft(self) -> bool:
        """Whether the grid is not what the result holds."""
        return self.grid is not self.saved and not self.grid.same_beats(self.saved)

    def edit(self, edit: Mapping[str, Any], grid: ReviewedGrid) -> None:
        """Append an edit, with the grid that it leads to."""
        self._append({"do": "edit", "edit": dict(edit), "grid": grid.to_plain()})

    def undo(self) -> None:
        """Go a step back; nothing at the beginning."""
        if self.can_undo:
            self._append({"do": "undo"})

    def redo(self) -> None:
        """Take back an undo; nothing if there was none."""
        if self.can_redo:
            self._append({"do": "redo"})

    def mark_saved(self) -> None:
        """Note that the result holds the grid now."""
        self.saved = self.grid
        if self.revision:
            self._append({"do": "saved"})

    def mark_withdrawn(self, on_disk: ReviewedGrid) -> None:
        """Note that the result is again what was found; the grid goes there as by an edit."""
        self.edit({"op": "withdraw"}, on_disk)
        self.mark_saved()

    def _append(self, line: dict[str, Any]) -> None:
        lines = [line]
        if not self.revision:
            lines.insert(0, {"do": "begin", "grid": self._states[0].to_plain()})
        self._folder.mkdir(parents=True, exist_ok=True)
        old = next((p for p in map(self._path, (_DRAFT, _HISTORY)) if p.exists()), None)
        path = old or self._path(_DRAFT)
        text = "".join(json.dumps(entry, allow_nan=False) + "\n" for entry in lines)
        with path.open("ab") as file:
            # A line that a crash cut short ends here, and is passed over.
            if file.tell() and not _ends_in_newline(path):
                text = "\n" + text
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        for entry in lines:
            self._replay(entry)
        wanted = self._path(_DRAFT if self.is_draft else _HISTORY)
        if path != wanted:
            os.replace(path, wanted)

    def _replay(self, line: Mapping[str, Any]) -> None:
        self.revision += 1
        if line["do"] == "begin":
            self._states, self._at = [ReviewedGrid.from_plain(line["grid"])], 0
        elif line["do"] == "edit":
            del self._states[self._at + 1 :]
            self._states.append(ReviewedGrid.from_plain(line["grid"]))
            self._at += 1
        elif line["do"] == "undo":
            self._at = max(self._at - 1, 0)
        elif line["do"] == "redo":
            self._at = min(self._at + 1, len(self._states) - 1)

    def _path(self, suffix: str) -> Path:
        return self._folder / f"{self._id}{suffix}"


def drafts(folder: Path) -> set[str]:
    """Return the tracks that have edits which are not saved."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return {e.name.removesuffix(_DRAFT) for e in entries if e.name.endswith(_DRAFT)}
    return set()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines that can be understood."""
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
            if line["do"] in ("begin", "edit"):
                ReviewedGrid.from_plain(line["grid"])
        except (ValueError, TypeError, KeyError):
            continue
        yield line


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
