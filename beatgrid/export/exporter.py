"""Writing tracks in the formats asked for: names, clocks, copies, backups, and what is left out."""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

import beatgrid
from beatgrid.errors import BeatgridError
from beatgrid.export.formats import FORMATS, Format
from beatgrid.export.ledger import Ledger, source_key
from beatgrid.export.options import ExportOptions
from beatgrid.export.spans import NEAR_S
from beatgrid.export.timebase import PROGRAMS, check_timebase, shift_ms
from beatgrid.export.track import ExportTrack, NoGridError
from beatgrid.files import printable, replacing
from beatgrid.output.result import SUFFIX, result_name

TAGGED = "tagged"
"""Folder below that of the exports with copies of the audio that have new tags."""
BACKUP = ".bak"
_MAX_NAMES = 10


def chosen_formats(names: str | Sequence[str]) -> tuple[Format, ...]:
    """Return the formats of some names, each once.

    Raises:
        BeatgridError: A name that is none.
    """
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in FORMATS:
            raise BeatgridError(f"{name}: no such format; known are {', '.join(FORMATS)}")
    return tuple(FORMATS[name] for name in dict.fromkeys(names))


class Exporter:
    """Writes exports into a folder; a context manager.

    What one track does, or one format, costs that export alone: it is reported, and the rest goes
    on. What is already there from the same grid and options is not written again.

    Attributes:
        written: How many files of each format there are now.
        failed: How many exports failed.
        left_out: Results without a grid.

    Raises:
        BeatgridError: The folder cannot be written to, options contradict each other, or name
            what is not known.
    """

    def __init__(
        self,
        folder: Path,
        formats: Sequence[Format],
        options: ExportOptions,
        warn: Callable[[str], None],
        fail: Callable[[str], None],
        retagged: Callable[[Path], None] | None = None,
    ) -> None:
        """Check what can be checked before any work.

        Args:
            folder: Of the exports.
            formats: From ``chosen_formats``.
            options: For all of them.
            warn: Called with what a user should know, a line each.
            fail: Called with what could not be done, a line each.
            retagged: Called with each audio file of the user's that has got new tags.
        """
        check_timebase(options.timebase)
        self.folder = folder
        self.formats = tuple(formats)
        self.options = options
        self.written: Counter[str] = Counter()
        self.failed = 0
        self.left_out: list[str] = []
        self._warn = warn
        self._fail = fail
        self._retagged = retagged
        self._clocks: Counter[str] = Counter()
        self._n_delayed = 0
        self._places: dict[str, Path] = {}
        self._merged = _files_to_merge(self.formats, options)
        self._ledger = Ledger(folder)

    def __enter__(self) -> Exporter:
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.close()

    def add_result(self, path: Path, place: str, audio: Path | None = None) -> None:
        """Export one result in all formats that have a file for each track.

        Args:
            path: The result file.
            place: Of it below its folder, which is where its exports go below theirs.
            audio: The audio, where that is known better than by the result.
        """
        other = self._places.setdefault(place, path)
        if other != path:
            self.failed += 1
            self._fail(printable(f"{path}: has the name of {other}; export it to another folder"))
            return
        track = self._read(path, audio)
        if track is None:
            return
        for doubt in track.doubts:
            self._warn(doubt)
        self._warn_of_changes(track)
        self._count_clocks(track)
        base = place.removesuffix(SUFFIX)
        for format in self.formats:
            if format.per_track and not format.in_audio:
                with self._guarded(track, format) as guard:
                    self._write(self._prepared(track, format), format, base)
                self._count(guard.ok, format)
        tagging = [format for format in self.formats if format.in_audio]
        if tagging:
            with self._guarded(track, *tagging) as guard:
                self._tag(track, tagging, base)
            for format in tagging:
                self._count(guard.ok, format)

    def finish(self, results: Iterable[tuple[Path, Path | None]]) -> None:
        """Write the collections, and say what is to be said of all.

        Args:
            results: Each result file, and its audio where that is known better than by it. They
                have all been passed to ``add_result``, or their errors are of no interest.
        """
        collections = [format for format in self.formats if not format.per_track]
        if collections:
            kept = list(results)
            for format in collections:
                with self._guarded(None, format) as guard:
                    self._collect(format, kept)
                self._count(guard.ok, format)
        if self.left_out:
            names = ", ".join(map(printable, self.left_out[:_MAX_NAMES]))
            more = len(self.left_out) - _MAX_NAMES
            self._warn(f"no grid, left out: {names}{f' and {more} more' if more > 0 else ''}")
        for program, n_tracks in self._clocks.items():
            self._warn(
                f"{program} may show {n_tracks} of {self._n_delayed} MP3 or AAC files with grids "
                "24 to 48 ms early: export.timebase=auto shifts them (docs/exports.md)"
            )

    def _read(self, path: Path, audio: Path | None) -> ExportTrack | None:
        try:
            return ExportTrack.read(path, audio)
        except NoGridError:
            self.left_out.append(path.name.removesuffix(SUFFIX))
        except BeatgridError as error:
            self.failed += 1
            self._fail(printable(str(error)))
        return None

    def _prepared(self, track: ExportTrack, format: Format) -> ExportTrack:
        """Return a track as a format gets it: on its clock, and with one span if it needs that."""
        timebase = None if format.own_clock else self.options.timebase
        moved = track.shifted(shift_ms(track, timebase, format.program))
        return moved if format.piecewise else moved.constant()

    def _write(self, track: ExportTrack, format: Format, base: str) -> None:
        folder, name = os.path.split(base)
        path = self.folder / folder / result_name(name, self._suffix(format))
        source = self._source(track, format)
        if self._ledger.is_current(path, source):
            return
        self._check_ours(path)
        with replacing(path) as temporary:
            if format.render is not None:
                temporary.write_bytes(format.render(track, self.options))
            elif format.write is not None:
                format.write(track, temporary, self.options)
        self._ledger.add(path, source)

    def _suffix(self, format: Format) -> str:
        return format.suffix.replace("{audio}", self.options.click_audio)

    def _source(self, track: ExportTrack, *formats: Format) -> str:
        names = [format.name for format in formats]
        stamp: object = None
        if any(format.write for format in formats):
            with contextlib.suppress(OSError):  # told by what needs the audio
                status = track.audio.stat()
                stamp = (status.st_size, status.st_mtime_ns)
        return source_key(beatgrid.__version__, names, track, self.options, stamp)

    def _tag(self, track: ExportTrack, formats: Sequence[Format], base: str) -> None:
        """Write tags into a copy of the audio, or into itself."""
        if self.options.in_place:
            target, source = track.audio, ""
        else:
            target = self.folder / TAGGED / os.path.dirname(base) / track.audio.name
            source = self._source(track, *formats)
            if self._ledger.is_current(target, source):
                return
            self._check_ours(target)
        with replacing(target) as temporary:
            shutil.copy2(track.audio, temporary)
            for format in formats:
                assert format.write is not None
                format.write(self._prepared(track, format), temporary, self.options)
            if self.options.in_place:
                if filecmp.cmp(track.audio, temporary, shallow=False):
                    return
                back_up(track.audio)
        if source:
            self._ledger.add(target, source)
        elif self._retagged is not None:
            self._retagged(target)

    def _collect(self, format: Format, results: Sequence[tuple[Path, Path | None]]) -> None:
        assert format.collect is not None
        merged = self._merged.get(format.name)
        path = self.folder / f"{format.name}{format.suffix}"
        in_place = merged is not None and self.options.in_place
        if merged is not None and in_place:
            path = merged
        else:
            self._check_ours(path)
        existing = merged.read_bytes() if merged is not None else None
        try:
            data = format.collect(self._tracks(format, results), self.options, existing)
        except BeatgridError as error:
            if merged is None:
                raise
            raise BeatgridError(f"export.merge={merged}: {error}") from error
        if in_place:
            if data == existing:
                return
            back_up(path)
        with replacing(path) as temporary:
            temporary.write_bytes(data)
        if not in_place:
            self._ledger.add(path, source_key(data))

    def _tracks(
        self, format: Format, results: Iterable[tuple[Path, Path | None]]
    ) -> Iterator[ExportTrack]:
        for path, audio in results:
            try:
                track = ExportTrack.read(path, audio)
            except BeatgridError:  # told by ``add_result``
                continue
            yield self._prepared(track, format)

    def _check_ours(self, path: Path) -> None:
        if not self._ledger.is_ours(path):
            raise _KeptError(
                f"{path}: left as it is, for no export wrote it, or it was changed since; move it "
                "away or name another out="
            )

    def _warn_of_changes(self, track: ExportTrack) -> None:
        """Say once which formats hold one grid where the tempo changes."""
        names = [format.name for format in self.formats if not format.piecewise]
        if not names or not track.is_piecewise:
            return
        grid = track.constant()
        times_s, beats_s = track.beat_times_s(), grid.beat_times_s()
        nearest = np.clip(np.searchsorted(beats_s, times_s), 1, max(1, len(beats_s) - 1))
        off_s = np.minimum(
            np.abs(times_s - beats_s[nearest - 1]),
            np.abs(times_s - beats_s[np.minimum(nearest, len(beats_s) - 1)]),
        )
        share = float((off_s <= NEAR_S).mean())
        self._warn(
            f"{printable(track.audio.name)}: its tempo changes, and {', '.join(names)} "
            f"{'holds' if len(names) == 1 else 'hold'} one grid: {grid.bpm:.6g} BPM, right for "
            f"{100 * share:.0f} % of its beats"
        )

    def _count_clocks(self, track: ExportTrack) -> None:
        """Count the tracks that a program shows elsewhere, where nobody asked for its clock."""
        if self.options.timebase is not None or (track.mp3_tag is None and track.codec != "aac"):
            return
        self._n_delayed += 1
        programs = {format.program for format in self.formats if format.program in PROGRAMS}
        self._clocks.update(p for p in programs if p and shift_ms(track, p))

    def _count(self, ok: bool, format: Format) -> None:
        self.written[format.name] += ok

    def _guarded(self, track: ExportTrack | None, *formats: Format) -> _Guard:
        names = ", ".join(format.name for format in formats)
        return _Guard(self, f"{track.audio}: {names}" if track else names)


class _KeptError(BeatgridError):
    """A file that is not an export's to replace."""


class _Guard:
    """Reports what goes wrong inside, and whether all went well; see ``Exporter``."""

    def __init__(self, exporter: Exporter, what: str) -> None:
        self._exporter = exporter
        self._what = what
        self.ok = False

    def __enter__(self) -> _Guard:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None:
            self.ok = True
        elif isinstance(error, _KeptError):
            self._exporter._warn(printable(str(error)))
        elif isinstance(error, Exception):
            reason = str(error)
            if isinstance(error, OSError) and error.strerror:
                reason = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
            elif not isinstance(error, BeatgridError):  # a bug: the others are still exported
                reason = f"{type(error).__name__}: {reason}"
            self._exporter.failed += 1
            self._exporter._fail(printable(f"{self._what}: {reason}"))
        else:
            return False
        return True


def back_up(path: Path) -> Path:
    """Copy a file to a name beside it that is free: ``song.mp3.bak``, ``song.mp3.bak2``, ..."""
    number = 1
    while True:
        backup = path.with_name(f"{path.name}{BACKUP}{number if number > 1 else ''}")
        if not os.path.lexists(backup):
            break
        number += 1
    with replacing(backup) as temporary:
        shutil.copy2(path, temporary)
    return backup


def _files_to_merge(formats: Sequence[Format], options: ExportOptions) -> dict[str, Path]:
    """Return for each collection format its file of ``merge``, by the XML's root.

    Raises:
        BeatgridError: A file that cannot be read, or is no collection of a format asked for.
    """
    named = options.merge or []
    found: dict[str, Path] = {}
    for name in [named] if isinstance(named, str) else named:
        path = Path(name)
        try:
            with path.open("rb") as file:
                start = file.read(4096)
        except OSError as error:
            raise BeatgridError(
                f"export.merge={path}: cannot be read ({error.strerror}); check its name"
            ) from error
        fitting = [f for f in formats if f.root and f"<{f.root}".encode() in start]
        if not fitting:
            roots = ", ".join(f.name for f in formats if f.root) or "none of the formats"
            raise BeatgridError(
                f"export.merge={path}: is no collection that grids are exported to ({roots})"
            )
        if fitting[0].name in found:
            raise BeatgridError(f"export.merge={path}: a second one of {fitting[0].name}")
        found[fitting[0].name] = path
    return found
