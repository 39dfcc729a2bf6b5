"""The suspects as a folder of results, on which ``beatgrid review`` opens."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from beatgrid.output.index import ResultIndex, read_result
from beatgrid.output.result import write_result


class Suspects:
    """Results of one audit, beside what a person has locked before; a context manager.

    Args:
        folder: Of the results; made.

    Raises:
        BeatgridError: The folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._index = ResultIndex(folder)
        self._written: set[str] = set()

    @property
    def n_written(self) -> int:
        """How many suspects there are."""
        return len(self._written)

    def __enter__(self) -> Suspects:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._remove_others()
        self._index.__exit__()

    def write(self, audio: Path, result: Mapping[str, Any]) -> None:
        """Write the result of a suspect, unless a person has locked the one that is there."""
        path = os.path.abspath(audio)
        record = self._index.claim(path, audio.name, None)
        self._written.add(path)
        target = self._folder / record.place
        if self._is_locked(target):
            return
        write_result(target, result)
        put = record.with_result(result, target.stat().st_mtime_ns)
        self._index.put(dataclasses.replace(put, file=str(audio)))

    def _remove_others(self) -> None:
        """Remove what an earlier audit suspected and this one does not."""
        for record in list(self._index.records()):
            target = self._folder / record.place
            if record.audio not in self._written and not self._is_locked(target):
                target.unlink(missing_ok=True)
                self._index.remove(record.audio)

    @staticmethod
    def _is_locked(target: Path) -> bool:
        read = read_result(target)
        return read is not None and read[0].get("locked") is True
