"""A track as another program's file describes it: what every reader returns."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class TempoMark:
    """A tempo, from some time on.

    Times are seconds from where the audio begins, on the clock of the program whose file it is;
    they may lie before 0.

    Attributes:
        beat_s: Time of a beat.
        bpm: Beats per minute; whatever the file says, zero, negative and absurd values included.
        beats_per_bar: None where the format does not know bars.
        bar_position: Of the beat at ``beat_s``: 1 for a downbeat; None where it is not known.
        start_s: Where the tempo begins, if not at ``beat_s``: the first of a track holds for all
            that precedes it too.
    """

    beat_s: float
    bpm: float
    beats_per_bar: int | None = None
    bar_position: int | None = None
    start_s: float | None = None

    @property
    def from_s(self) -> float:
        """Where the tempo begins."""
        return self.beat_s if self.start_s is None else self.start_s

    @property
    def is_finite(self) -> bool:
        """Whether it is a tempo at all: finite times, a positive finite number of beats."""
        return (
            math.isfinite(self.beat_s)
            and math.isfinite(self.from_s)
            and math.isfinite(self.bpm)
            and self.bpm > 0
        )

    def earlier(self, shift_s: float) -> TempoMark:
        """Return it on a clock that shows its times earlier."""
        start_s = None if self.start_s is None else self.start_s - shift_s
        return dataclasses.replace(self, beat_s=self.beat_s - shift_s, start_s=start_s)


@dataclass(frozen=True)
class ImportedTrack:
    """One piece of music with its tempi, read from a file.

    Attributes:
        audio: Its audio file as the file names it, relative to the file's folder or absolute;
            None where it names none.
        marks: In any order, at least one.
        title: Of the music; empty where unknown.
        artist: Who made it; empty where unknown.
        part: What tells it from others of the same file: a chart's difficulty.
        downbeat: How far its bars can be trusted, as in a label: "reliable", "likely", "unknown".
        late_s: By how much the file's clock shows times later than this program's, where the file
            itself decides that; the importer adds what the audio's coding decides.
        clock: What is known or assumed about that clock, in words.
        doubts: What a person should be told, a line each.
        stated_duration_s: Length of the audio as the file states it, if it does.
    """

    audio: str | None
    marks: tuple[TempoMark, ...]
    title: str = ""
    artist: str = ""
    part: str = ""
    downbeat: str = "reliable"
    late_s: float = 0.0
    clock: str = ""
    doubts: tuple[str, ...] = ()
    stated_duration_s: float | None = None

    def __post_init__(self) -> None:
        if not self.marks:
            raise ValueError(f"{self.audio}: an imported track needs a tempo")


@dataclass(frozen=True)
class WithoutGrid:
    """A piece of music that a library lists without a grid, or with one that cannot be read.

    Attributes:
        audio: Its audio file as the library names it; its title where it names none.
        reason: Why there is no grid.
    """

    audio: str
    reason: str
