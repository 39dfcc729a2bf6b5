"""Tempo marks as the grid of a label: one tempo where the beats allow it, segments otherwise.

What players see and what sounds are not the same: charts have warps of a million BPM, pauses for
effect, stretches shown at twice the tempo, points that only begin a new bar. A label is about the
beats that sound, so marks are put together wherever their beats lie on one grid:

1. a tempo that nobody can beat, or under which not one beat lies, is left out: the one before it
   goes on;
2. neighbours whose beats are within a tolerance of one line are one stretch;
3. where a stretch is shown at 2, 4, 8 times or 1/2, 1/4, 1/8 of the tempo that holds longest, and
   its beats are that tempo's, it is counted at that tempo.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from beatgrid.data.label_segments import LabelSegment
from beatgrid.errors import BeatgridError
from beatgrid.grid import DEFAULT_BEATS_PER_BAR, Grid
from beatgrid.importers.track import TempoMark

TOLERANCE_S = 0.0005
"""Beats this near to a line are on it; a format whose times are coarser adds its quantum."""

# Nobody beats slower or faster; what is beyond is an effect, or a mistake.
_SLOWEST_BPM, _FASTEST_BPM = 20.0, 1000.0
_MAX_BEATS_PER_BAR = 64
# More tempi than a track has beats are no library's and no chart's.
_MAX_MARKS = 20_000
_OCTAVES = (2.0, 4.0, 8.0, 0.5, 0.25, 0.125)
# Behind the last tempo, where the audio's length is not known.
_UNKNOWN_END_S = 60.0
_MAX_NAMED = 3


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


@dataclass
class _Stretch:
    """A tempo from one time to another; ``downbeat_s`` is that of any downbeat, if known.

    A beat ``edge_s`` before its start is its own, one as much before its end the next one's.
    """

    start_s: float
    end_s: float
    bpm: float
    beat_s: float
    beats_per_bar: int | None
    downbeat_s: float | None
    edge_s: float
    bars_broken: bool = False

    @property
    def period_s(self) -> float:
        return 60.0 / self.bpm

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def n_beats(self) -> int:
        outer = self.outer_beats_s()
        return 0 if outer is None else round((outer[1] - outer[0]) / self.period_s) + 1

    def outer_beats_s(self) -> tuple[float, float] | None:
        """Return its first and last beat, None if it has none."""
        first = math.ceil((self.start_s - self.edge_s - self.beat_s) / self.period_s)
        last = math.ceil((self.end_s - self.edge_s - self.beat_s) / self.period_s) - 1
        if last < first:
            return None
        return self.beat_s + first * self.period_s, self.beat_s + last * self.period_s


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
    stretches = _stretches(marks, duration_s, tolerance_s, doubts)
    merged, octave_share = _merged(stretches, tolerance_s, quantum_bpm), 0.0
    if len(merged) > 1:
        folded, octave_share = _octaves_folded(merged, tolerance_s, doubts)
        merged = _merged(folded, tolerance_s, quantum_bpm)
    return replace(_as_label(merged, doubts), octave_share=octave_share)


def _stretches(
    marks: Sequence[TempoMark], duration_s: float | None, edge_s: float, doubts: list[str]
) -> list[_Stretch]:
    """Return the stretches inside the audio that have beats."""
    bound_s = max(marks[-1].from_s, 0.0) + _UNKNOWN_END_S if duration_s is None else duration_s
    ends = [*(mark.from_s for mark in marks[1:]), bound_s]
    found: list[_Stretch] = []
    absurd: list[float] = []
    for i, (mark, end_s) in enumerate(zip(marks, ends, strict=True)):
        if i < len(marks) - 1 and end_s <= 0:
            continue  # over before the audio begins
        if mark.from_s >= bound_s and found:
            continue
        if not _SLOWEST_BPM <= mark.bpm <= _FASTEST_BPM:
            if end_s > mark.from_s:
                absurd.append(mark.bpm)
            continue
        bar = mark.beats_per_bar
        if bar is not None and not 1 <= bar <= _MAX_BEATS_PER_BAR:
            bar = None
        downbeat_s = None
        if mark.bar_position is not None and bar is not None:
            downbeat_s = mark.beat_s - (mark.bar_position - 1) * 60.0 / mark.bpm
        start_s = mark.from_s if found else 0.0
        end_s = min(end_s, bound_s)
        stretch = _Stretch(start_s, end_s, mark.bpm, mark.beat_s, bar, downbeat_s, edge_s)
        if stretch.outer_beats_s() is not None:
            found.append(stretch)
    if absurd:
        named = ", ".join(f"{bpm:g}" for bpm in dict.fromkeys(absurd[:_MAX_NAMED]))
        doubts.append(f"left out tempi that nobody beats ({named} BPM)")
    if not found:
        raise BeatgridError("has no tempo under which a beat lies inside its audio")
    # One beat of another tempo in front is what fills the time up to the first.
    while len(found) > 1 and found[0].n_beats == 1 and _differ(found[0], found[1]):
        padding = found.pop(0)
        found[0].start_s = padding.start_s
    # So is a bar of fewer beats.
    if len(found) > 1 and found[0].n_beats < (found[1].beats_per_bar or 0):
        found[0].downbeat_s = None
    for one, other in itertools.pairwise(found):
        one.end_s = other.start_s
    return found


def _merged(
    stretches: Sequence[_Stretch], tolerance_s: float, quantum_bpm: float
) -> list[_Stretch]:
    """Return the stretches, neighbours on one line put together, as many as fit from the left."""
    found: list[_Stretch] = []
    start = 0
    while start < len(stretches):
        line, stop, step = stretches[start], start + 1, 1
        grows = True
        # Twice as many each time until they do not fit, then half as many: lists of all beats are
        # some thousand stretches.
        while step and stop < len(stretches):
            longer = _line(stretches[start : stop + step], tolerance_s, quantum_bpm)
            if longer is None:
                grows = False
            else:
                line, stop = longer, min(stop + step, len(stretches))
            step = 2 * step if grows else step // 2
        found.append(line)
        start = stop
    return found


def _line(group: Sequence[_Stretch], tolerance_s: float, quantum_bpm: float) -> _Stretch | None:
    """Return the one stretch that a few may stand for; None where their beats are on no line."""
    first = group[0]
    outer = [stretch.outer_beats_s() for stretch in group]
    times_s = np.array([time for pair in outer if pair is not None for time in pair])
    longest = max(group, key=lambda stretch: stretch.length_s)
    at_beats = np.round((times_s - longest.beat_s) / longest.period_s)
    # From the last beat of one to the first of the next.
    if (np.diff(at_beats)[1::2] < 1).any():
        return None
    own_s = times_s - longest.beat_s - at_beats * longest.period_s
    bpm, beat_s = longest.bpm, longest.beat_s
    same_bpm = all(abs(stretch.bpm / longest.bpm - 1) <= 1e-9 for stretch in group)
    if (np.ptp(own_s) > 2 * tolerance_s) == same_bpm and (quantum_bpm or not same_bpm):
        slope, _ = np.polyfit(at_beats, times_s, 1)
        fitted_bpm = 60.0 / float(slope)
        if not same_bpm or abs(fitted_bpm - bpm) <= quantum_bpm:
            bpm = fitted_bpm
    if any(abs(bpm / stretch.bpm - 1) > 0.02 for stretch in group):
        return None
    rest_s = times_s - beat_s - at_beats * 60.0 / bpm
    middle_s = float(rest_s.max() + rest_s.min()) / 2
    if np.abs(rest_s - middle_s).max() > tolerance_s:
        return None
    # The longest's own beat has all its digits: it moves only where others disagree.
    if np.ptp(rest_s) > 1e-6:
        beat_s += middle_s
    # The longest's own bars, where the others count the same, or say nothing of them.
    counting = [stretch for stretch in group if stretch.downbeat_s is not None]
    counted = max(counting, key=lambda stretch: stretch.length_s) if counting else longest
    bar, downbeat_s = counted.beats_per_bar, counted.downbeat_s
    if downbeat_s is not None:
        downbeat_s = beat_s + round((downbeat_s - beat_s) * bpm / 60.0) * 60.0 / bpm
    broken = any(
        stretch.bars_broken or not _same_bars(stretch, bar, downbeat_s, 60.0 / bpm)
        for stretch in group
    )
    edge_s = first.edge_s
    return _Stretch(first.start_s, group[-1].end_s, bpm, beat_s, bar, downbeat_s, edge_s, broken)


def _differ(one: _Stretch, other: _Stretch) -> bool:
    return abs(one.bpm / other.bpm - 1) > 0.02


def _same_bars(
    stretch: _Stretch, beats_per_bar: int | None, downbeat_s: float | None, period_s: float
) -> bool:
    if stretch.downbeat_s is None or downbeat_s is None or beats_per_bar is None:
        return True
    if stretch.beats_per_bar != beats_per_bar:
        return False
    return round((stretch.downbeat_s - downbeat_s) / period_s) % beats_per_bar == 0


def _octaves_folded(
    stretches: Sequence[_Stretch], tolerance_s: float, doubts: list[str]
) -> tuple[list[_Stretch], float]:
    """Return the stretches, those shown at another octave counted at the tempo that lasts longest.

    Only beside a stretch of that tempo, where their beats are the same. The share of the time that
    they last is the second.
    """
    lasting_s: defaultdict[float, float] = defaultdict(float)
    for stretch in stretches:
        lasting_s[round(stretch.bpm, 3)] += stretch.length_s
    main_bpm = max(lasting_s, key=lambda bpm: lasting_s[bpm])
    found: list[_Stretch] = []
    folded: dict[float, float] = {}  # seconds by tempo
    for i, stretch in enumerate(stretches):
        neighbours = [*found[-1:], *stretches[i + 1 : i + 2]]
        for main in neighbours:
            if round(main.bpm, 3) == main_bpm and _is_octave(stretch, main, tolerance_s):
                folded[stretch.bpm] = folded.get(stretch.bpm, 0.0) + stretch.length_s
                stretch = replace(main, start_s=stretch.start_s, end_s=stretch.end_s)
                break
        found.append(stretch)
    if folded:
        named = ", ".join(f"{bpm:g}" for bpm in list(folded)[:_MAX_NAMED])
        doubts.append(
            f"{sum(folded.values()):.1f} s at {named} BPM are counted at {main_bpm:g}, whose beats "
            "they share"
        )
    return found, sum(folded.values()) / sum(lasting_s.values())


def _is_octave(stretch: _Stretch, main: _Stretch, tolerance_s: float) -> bool:
    """Tell whether a stretch is shown at another octave of a tempo, and shares its beats."""
    ratio = stretch.bpm / main.bpm
    outer = stretch.outer_beats_s()
    if outer is None or all(abs(ratio / octave - 1) >= 1e-3 for octave in _OCTAVES):
        return False
    period_s = min(main.period_s, stretch.period_s)
    off_s = [(time - main.beat_s + period_s / 2) % period_s - period_s / 2 for time in outer]
    return max(map(abs, off_s)) <= tolerance_s


def _as_label(stretches: Sequence[_Stretch], doubts: list[str]) -> LabelGrid:
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
