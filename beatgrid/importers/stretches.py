"""Tempi from one time to another, put together wherever their beats lie on one line.

Charts have warps of a million BPM, pauses for effect, stretches shown at twice the tempo, points
that only begin a new bar; libraries repeat a tempo to make up for its rounding. What sounds is one
tempo all the same.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from beatgrid.errors import BeatgridError
from beatgrid.grid import FloatArray
from beatgrid.importers.track import TempoMark

# Nobody beats slower or faster; what is beyond is an effect, or a mistake.
_SLOWEST_BPM, _FASTEST_BPM = 20.0, 1000.0
_MAX_BEATS_PER_BAR = 64
_OCTAVES = (2.0, 4.0, 8.0, 0.5, 0.25, 0.125)
# Behind the last tempo, where the audio's length is not known.
_UNKNOWN_END_S = 60.0
_MAX_NAMED = 3


@dataclass
class Stretch:
    """A tempo from one time to another.

    Attributes:
        start_s: Where it begins.
        end_s: Where it ends.
        bpm: Beats per minute.
        beat_s: Time of any of its beats.
        beats_per_bar: None where it is not known, or no whole number.
        downbeat_s: Time of any of its downbeats; None where they are not known.
        edge_s: A beat so much before its start is its own, one as much before its end the next's.
        bars_broken: Bars begin anew inside of it, or change their length.
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
        """Seconds from one beat to the next."""
        return 60.0 / self.bpm

    @property
    def length_s(self) -> float:
        """Seconds from start to end."""
        return self.end_s - self.start_s

    @property
    def n_beats(self) -> int:
        """Number of its beats."""
        outer = self.outer_beats_s()
        return 0 if outer is None else round((outer[1] - outer[0]) / self.period_s) + 1

    def outer_beats_s(self) -> tuple[float, float] | None:
        """Return its first and last beat, None if it has none."""
        first = math.ceil((self.start_s - self.edge_s - self.beat_s) / self.period_s)
        last = math.ceil((self.end_s - self.edge_s - self.beat_s) / self.period_s) - 1
        if last < first:
            return None
        return self.beat_s + first * self.period_s, self.beat_s + last * self.period_s


def stretches_of(
    marks: Sequence[TempoMark], duration_s: float | None, edge_s: float, doubts: list[str]
) -> list[Stretch]:
    """Return the stretches inside the audio that have beats.

    Args:
        marks: In the order of time, at least one.
        duration_s: Length of the audio; None: not known.
        edge_s: Of all stretches.
        doubts: What is left out is added.

    Raises:
        BeatgridError: There are none.
    """
    bound_s = max(marks[-1].from_s, 0.0) + _UNKNOWN_END_S if duration_s is None else duration_s
    ends = [*(mark.from_s for mark in marks[1:]), bound_s]
    found: list[Stretch] = []
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
        stretch = Stretch(start_s, end_s, mark.bpm, mark.beat_s, bar, downbeat_s, edge_s)
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


def merged(stretches: Sequence[Stretch], tolerance_s: float, quantum_bpm: float) -> list[Stretch]:
    """Return the stretches, neighbours on one line put together, as many as fit from the left.

    Args:
        stretches: In order.
        tolerance_s: So far may beats be from the line.
        quantum_bpm: What their tempi are rounded to, if they begin anew to make up for that.
    """
    found: list[Stretch] = []
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


def _line(group: Sequence[Stretch], tolerance_s: float, quantum_bpm: float) -> Stretch | None:
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
    apart_bpm = max(abs(stretch.bpm - longest.bpm) for stretch in group)
    spread_s = float(np.ptp(own_s))
    if quantum_bpm and apart_bpm <= 2 * quantum_bpm:
        # Rounded tempi, which begin anew to make up for it: more than the times' own rounding.
        needs_fit = spread_s > tolerance_s / 2
    else:
        needs_fit = spread_s <= 2 * tolerance_s and apart_bpm > 1e-9 * bpm
    if needs_fit:
        # Of all beats, not of the outer ones: a long stretch tells the tempo, a short one does not.
        all_s = np.concatenate(
            [_beats_s(*pair, s.period_s) for s, pair in zip(group, outer, strict=True) if pair]
        )
        slope, _ = np.polyfit(np.round((all_s - longest.beat_s) / longest.period_s), all_s, 1)
        bpm = 60.0 / float(slope)
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
    return Stretch(first.start_s, group[-1].end_s, bpm, beat_s, bar, downbeat_s, edge_s, broken)


def _beats_s(first_s: float, last_s: float, period_s: float) -> FloatArray:
    """Return all beats from the first to the last, (beats,)."""
    n_beats = round((last_s - first_s) / period_s) + 1
    return first_s + np.arange(n_beats, dtype=np.float64) * period_s


def _differ(one: Stretch, other: Stretch) -> bool:
    return abs(one.bpm / other.bpm - 1) > 0.02


def _same_bars(
    stretch: Stretch, beats_per_bar: int | None, downbeat_s: float | None, period_s: float
) -> bool:
    if stretch.downbeat_s is None or downbeat_s is None or beats_per_bar is None:
        return True
    if stretch.beats_per_bar != beats_per_bar:
        return False
    return round((stretch.downbeat_s - downbeat_s) / period_s) % beats_per_bar == 0


def octaves_folded(
    stretches: Sequence[Stretch], tolerance_s: float, doubts: list[str]
) -> tuple[list[Stretch], float]:
    """Return the stretches, those shown at another octave counted at the tempo that lasts longest.

    Only beside a stretch of that tempo, where their beats are the same. The share of the time that
    they last is the second.
    """
    lasting_s: defaultdict[float, float] = defaultdict(float)
    for stretch in stretches:
        lasting_s[round(stretch.bpm, 3)] += stretch.length_s
    main_bpm = max(lasting_s, key=lambda bpm: lasting_s[bpm])
    found: list[Stretch] = []
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


def _is_octave(stretch: Stretch, main: Stretch, tolerance_s: float) -> bool:
    """Tell whether a stretch is shown at another octave of a tempo, and shares its beats."""
    ratio = stretch.bpm / main.bpm
    outer = stretch.outer_beats_s()
    if outer is None or all(abs(ratio / octave - 1) >= 1e-3 for octave in _OCTAVES):
        return False
    period_s = min(main.period_s, stretch.period_s)
    off_s = [(time - main.beat_s + period_s / 2) % period_s - period_s / 2 for time in outer]
    return max(map(abs, off_s)) <= tolerance_s
