"""Taiko simulators: ``.tja``.

Source: "TJA format" (gist.github.com/KatieFrogs/e000f406bbc70a12f3c34a07303eec8b), taiko-web's
``parsetja.js`` (github.com/bui/taiko-web), and "TJA Format and on"
(iepiweidieng.github.io/TJAPlayer3/tja).

The first bar begins at ``-OFFSET`` seconds of the audio. ``BPM`` counts quarter notes, 120 without
it. Between ``#START`` and ``#END`` each comma ends a bar of ``#MEASURE`` (4/4 at first), which its
symbols divide evenly; ``#BPMCHANGE`` holds from its place on, ``#DELAY`` is a pause in seconds. Of
branches (``#N``, ``#E``, ``#M``), which take the same time, the last counts.

Files are UTF-8 with a byte order mark, or Shift-JIS.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from beatgrid.importers.charts.numbers import number
from beatgrid.importers.charts.tempo_map import MAX_CHANGES, quarters_in_bar
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.text import decode
from beatgrid.importers.track import ImportedTrack, TempoMark

_SYMBOL = re.compile(r"[0-9A-Za-z]")
_DEFAULT_BPM = 120.0
_HEADER = re.compile(r"([A-Za-z0-9]+)\s*:(.*)")


def read(source: SourceFile) -> list[ImportedTrack]:
    """Read a file: a track for each course that has notes.

    Raises:
        ImportFileError: It has none.
    """
    lines = decode(source.read(), "cp932").splitlines()
    values: dict[str, str] = {}
    course: _Course | None = None
    tracks: list[ImportedTrack] = []
    for line in lines:
        text = line.partition("//")[0].strip()
        command, _, argument = text.partition(" ")
        command = command.upper()
        if course is None:
            header = _HEADER.match(text)
            if command == "#START":
                course = _Course(_positive(values.get("BPM", "")) or _DEFAULT_BPM)
            elif header is not None:
                values[header[1].upper()] = header[2].strip()
        elif command == "#END":
            tracks.append(_track(values, course))
            course = None
        elif text.startswith("#"):
            course.command(command, argument)
        else:
            course.notes(text)
    if course is not None:
        tracks.append(_track(values, course))
    if not tracks:
        if not ("BPM" in values and "WAVE" in values):
            raise ImportFileError(f"{source}: has no #START, BPM: and WAVE:; it is cut short")
        tracks.append(_track(values, _Course(_positive(values["BPM"]) or _DEFAULT_BPM)))
    return tracks


def _positive(text: str) -> float | None:
    """Return a tempo; simulators take the sign of one for a direction."""
    value = number(text)
    return abs(value) if value else None


def _track(values: dict[str, str], course: _Course) -> ImportedTrack:
    start_s = -(number(values.get("OFFSET", "")) or 0.0)
    marks = tuple(mark.earlier(-start_s) for mark in course.finished())
    return ImportedTrack(
        audio=values.get("WAVE") or None,
        marks=marks,
        title=values.get("TITLE", ""),
        artist=values.get("SUBTITLE", "").removeprefix("--").removeprefix("++"),
        part=values.get("COURSE", ""),
        doubts=tuple(course.doubts),
    )


@dataclass
class _Course:
    """The timing of the notes of one course, read line by line; its first bar begins at 0."""

    bpm: float
    bar: float = 4.0  # quarter notes in a bar
    time_s: float = 0.0
    doubts: list[str] = field(default_factory=list)
    _marks: list[TempoMark] = field(default_factory=list)
    _n_symbols: int = 0
    # Of the bar being read: symbols before each change, and the change.
    _changes: list[tuple[int, str, float]] = field(default_factory=list)
    _branch: tuple[float, float, float] | None = None
    _stated: tuple[float, float] | None = None  # tempo and bar of the last mark
    _begins_anew: bool = True
    _pause_s: float = 0.0  # just before

    def command(self, name: str, argument: str) -> None:
        """Read a command."""
        if name in ("#BPMCHANGE", "#DELAY"):
            value = _positive(argument) if name == "#BPMCHANGE" else number(argument)
            if value is None:
                self.doubts.append(f"ignored '{name} {argument[:20]}'")
            else:
                self._changes.append((self._n_symbols, name, value))
        elif name == "#MEASURE":
            top, _, bottom = argument.partition("/")
            bar = 4 * (number(top) or 0.0) / (number(bottom) or math.inf)
            if bar > 0:
                self.bar = bar
            else:
                self.doubts.append(f"ignored '{name} {argument[:20]}'")
        elif name == "#BRANCHSTART":
            self._branch = (self.time_s, self.bpm, self.bar)
        elif name in ("#N", "#E", "#M") and self._branch is not None:
            if self.time_s > self._branch[0]:
                self._marks = [mark for mark in self._marks if mark.from_s < self._branch[0]]
                self._begins_anew = True
            self.time_s, self.bpm, self.bar = self._branch
        elif name == "#BRANCHEND":
            self._branch = None

    def notes(self, text: str) -> None:
        """Read a line of notes, which may end bars or not."""
        for i, part in enumerate(text.split(",")):
            if i:
                self._end_bar()
            self._n_symbols += len(_SYMBOL.findall(part))

    def finished(self) -> list[TempoMark]:
        """Return the marks, once all lines are read."""
        if self._n_symbols or self._changes:
            self._end_bar()
        if not self._marks:
            self._marks.extend(self._mark(0.0))
        return self._marks

    def _end_bar(self) -> None:
        """Place the bar that has been read."""
        place = 0.0  # quarter notes into the bar
        for n_before, name, value in self._changes:
            at = self.bar * n_before / self._n_symbols if self._n_symbols else 0.0
            self._advance(place, at)
            place = at
            if name == "#BPMCHANGE":
                self.bpm = value
            else:
                self.time_s += value
                self._pause_s += value
                self._begins_anew = True
        self._advance(place, self.bar)
        # Beats of the next bar count from its own beginning.
        self._begins_anew |= self.bar != int(self.bar)
        self._n_symbols, self._changes = 0, []

    def _advance(self, start: float, stop: float) -> None:
        """Go from one place in the bar to another."""
        if stop <= start:
            return
        if (self._begins_anew or self._stated != (self.bpm, self.bar)) and (
            len(self._marks) < MAX_CHANGES
        ):
            self._marks.extend(self._mark(start))
            self._begins_anew, self._stated = False, (self.bpm, self.bar)
        self._pause_s = 0.0
        self.time_s += (stop - start) * 60 / self.bpm

    def _mark(self, place: float) -> Iterator[TempoMark]:
        beat = math.ceil(place - 1e-9)
        bar = quarters_in_bar(self.bar, 4)
        position = None if bar is None else beat % bar + 1
        beat_s = self.time_s + (beat - place) * 60 / self.bpm
        # What follows a pause holds for it too.
        from_s = self.time_s - max(self._pause_s, 0.0)
        yield TempoMark(beat_s, self.bpm, bar, position, from_s)
