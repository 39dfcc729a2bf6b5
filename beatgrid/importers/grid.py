"""Tempo marks as the grid of a label: one tempo where the beats allow it, segments otherwise.

What players see and what sounds are not the same: charts have warps of a million BPM, pauses for
effect, stretches shown at twice the tempo, points that only begin a new bar. A label is about the
beats that sound, so marks are put together wherever their beats lie on one grid:

1. a tempo that nobody can beat, or under which not one beat lies, is left out: the one before it
   goes on;
2. neighbours whose beats are within a tolerance of one line are one stretch;
3. where a stretch is shown at 2, 4, 8 times or 1/2, 1/4, 1/8 of the tempo that holds longest,
   beside one of that tempo and with its beats, it is counted at that tempo.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from beatgrid.data.label_segments import LabelSegment
from beatgrid.errors import BeatgridError
from beatgrid.grid import DEFAULT_BEATS_PER_BAR, Grid
from beatgrid.importers.stretches import Stretch, merged, octaves_folded, stretches_of
from beatgrid.importers.track import TempoMark

TOLERANCE_S = 0.0005
"""Beats this near to a line are on it; a format whose times are coarser adds its quantum."""

# More tempi than a track has beats are no library's and no chart's.
_MAX_MARKS = 20_000


@dataclass(frozen=True)
class LabelGrid:
    """The beats of a track as a label has them.

    Attributes:
        segments: In order, of equal bars; one where the tempo is constant.
        bars_known: Whether the offsets are downbeats throughout.
        octave_share: Share of the time that is shown at another octave than it is counted.
        doubts: What was left out or put together, a line each.
    """

    segments: tuple[LabelSegment, ...]
    bars_known: bool
    octave_share: float = 0.0
    doubts: tuple[str, ...] = ()

    @property
    def is_piecewise(self) -> bool:
        """Whether the tempo changes."""
        return len(self.segments) > 1

    @property
    def grid(self) -> Grid:
        """The first segment's: the track's, where it is constant."""
        return self.segments[0].grid

    def __str__(self) -> str:
        text = f"{self.grid.bpm:.6g} BPM, {self.grid.offset_s:.4f} s"
        return f"{text} and {len(self.segments) - 1} changes" if self.is_piecewise else text


def label_grid(
    marks: Iterable[TempoMark],
    duration_s: float | None,
    quantum_s: float = 0.0,
    quantum_bpm: float = 0.0,
) -> LabelGrid:
    """Return the grid that tempo marks describe.

    Args:
        marks: In any order, at least one; times on this program's clock.
        duration_s: Length of the audio; what lies beyond it is left out. None: not known.
        quantum_s: What the file's times are rounded to.
        quantum_bpm: What its tempi are rounded to, where that adds up to more than ``quantum_s``
            and they begin anew to make up for it.

    Raises:
        BeatgridError: None of them is a tempo, or they are absurdly many; without the file, which
            the caller knows.
    """
    marks = sorted((mark for mark in marks if mark.is_finite), key=lambda mark: mark.from_s)
    if not marks:
        raise BeatgridError("has no tempo above 0")
    if len(marks) > _MAX_MARKS:
        raise BeatgridError(f"has {len(marks)} tempi, more than {_MAX_MARKS}; nothing to import")
    doubts: list[str] = []
    tolerance_s = TOLERANCE_S + quantum_s
    stretches = stretches_of(marks, duration_s, tolerance_s, doubts)
    lines, octave_share = merged(stretches, tolerance_s, quantum_bpm), 0.0
    if len(lines) > 1:
        folded, octave_share = octaves_folded(lines, tolerance_s, doubts)
        lines = merged(folded, tolerance_s, quantum_bpm)
    return replace(_as_label(lines, doubts), octave_share=octave_share)


def _as_label(stretches: Sequence[Stretch], doubts: list[str]) -> LabelGrid:
    lasting: Counter[int] = Counter()
    for stretch in stretches:
        bar = stretch.beats_per_bar or DEFAULT_BEATS_PER_BAR
        lasting[bar] += round(1e6 * stretch.length_s) + 1
    beats_per_bar = lasting.most_common(1)[0][0]
    known = [
        stretch.downbeat_s is not None
        and not stretch.bars_broken
        and stretch.beats_per_bar == beats_per_bar
        for stretch in stretches
    ]
    if not all(known) and any(stretch.downbeat_s is not None for stretch in stretches):
        doubts.append("bars change their length or begin anew, which a label cannot say")
    segments: list[LabelSegment] = []
    for stretch in stretches:
        offset_s = stretch.beat_s if stretch.downbeat_s is None else stretch.downbeat_s
        bar_s = beats_per_bar * stretch.period_s
        # The first downbeat of the stretch, as far as beats go: what a reader expects to see.
        periods = math.ceil((stretch.start_s - stretch.edge_s - offset_s) / bar_s)
        offset_s += periods * bar_s
        # So much before its first beat: rounding cuts none off, and leaves none double.
        start_s = stretch.start_s - stretch.edge_s if segments else stretch.start_s
        segments.append(LabelSegment(start_s, Grid(stretch.bpm, offset_s, beats_per_bar)))
    return LabelGrid(tuple(segments), all(known), doubts=tuple(doubts))


def same_beats(one: LabelGrid, other: LabelGrid, tolerance_s: float) -> bool:
    """Tell whether two grids have the same tempi, and beats within a tolerance of each other."""
    if len(one.segments) != len(other.segments):
        return False
    for a, b in zip(one.segments, other.segments, strict=True):
        period_s = a.grid.period_s
        off_s = (b.grid.offset_s - a.grid.offset_s + period_s / 2) % period_s - period_s / 2
        if abs(a.grid.bpm - b.grid.bpm) > 1e-3 or abs(off_s) > tolerance_s:
            return False
    return True
