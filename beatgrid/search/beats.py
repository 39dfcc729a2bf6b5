"""Every beat of a track: of one grid, or of its segments, joined without a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beatgrid.grid import START_TOLERANCE_S, FloatArray, Grid

# Around the joint of two segments, beats nearer than this share of a period are one beat, and
# beats farther apart than this many have others between.
MIN_GAP = 0.4
MAX_GAP = 1.6


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a track.

    Attributes:
        times_s: Ascending, in [0, duration), float64 (beats,).
        bar_position: 1 for a downbeat up to the beats of a bar, (beats,).
        segment: Number of the segment that each lies in, (beats,).
        certain: False where no evidence holds the beat: silence, a free passage, beats put in
            where two segments do not join, (beats,).
    """

    times_s: FloatArray
    bar_position: NDArray[np.int64]
    segment: NDArray[np.int64]
    certain: NDArray[np.bool_]

    @property
    def downbeat_times_s(self) -> FloatArray:
        """Times of the downbeats, float64 (downbeats,)."""
        return self.times_s[self.bar_position == 1]

    @property
    def first_s(self) -> float | None:
        """Time of the first beat; None if there is none."""
        return float(self.times_s[0]) if len(self.times_s) else None

    @property
    def first_downbeat_s(self) -> float | None:
        """Time of the first downbeat; None if there is none."""
        times_s = self.downbeat_times_s
        return float(times_s[0]) if len(times_s) else None

    def delayed(self, delay_s: float, duration_s: float) -> Beats:
        """Return the beats that much later; those put at the track's start stay there.

        Args:
            delay_s: May be negative.
            duration_s: Length of the track.
        """
        times_s = np.where(self.times_s > 0, np.maximum(self.times_s + delay_s, 0.0), 0.0)
        inside = times_s < duration_s
        return Beats(
            times_s[inside], self.bar_position[inside], self.segment[inside], self.certain[inside]
        )

    @classmethod
    def none(cls) -> Beats:
        """Return no beats."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(np.zeros(0), nothing, nothing, np.zeros(0, dtype=bool))

    @classmethod
    def of_grid(cls, grid: Grid, duration_s: float, starts_s: Sequence[float] = (0.0,)) -> Beats:
        """Return the beats of a constant grid in [0, duration); one up to 10 ms before 0 is at 0.

        Args:
            grid: The grid.
            duration_s: Length of the track.
            starts_s: Where its segments begin.
        """
        first = int(np.ceil((-START_TOLERANCE_S - grid.offset_s) / grid.period_s))
        last = int(np.ceil((duration_s - grid.offset_s) / grid.period_s))
        k = np.arange(first, max(first, last))
        times_s = np.maximum(grid.offset_s + k * grid.period_s, 0.0)
        segment = np.maximum(np.searchsorted(np.asarray(starts_s), times_s, "right") - 1, 0)
        return cls(times_s, k % grid.beats_per_bar + 1, segment, np.ones(len(times_s), dtype=bool))


@dataclass(frozen=True, eq=False)
class Joined:
    """Beats of consecutive segments, without bars.

    Attributes:
        times_s: Ascending, (beats,).
        segment: Number of the segment each lies in, (beats,).
        filled: Beats put in between two segments, (beats,).
    """

    times_s: FloatArray
    segment: NDArray[np.int64]
    filled: NDArray[np.bool_]


def joined(parts: Sequence[FloatArray], strength: Sequence[FloatArray]) -> Joined:
    """Join the beats of consecutive segments: none twice, none missing.

    Args:
        parts: Beat times of each segment, ascending, (beats,) each, at least 2 where any.
        strength: Evidence of these beats; of two that are one, the stronger stays.
    """
    times_s: list[float] = []
    value: list[float] = []
    segment: list[int] = []
    filled: list[bool] = []
    period_s = 0.0
    for number, (part, part_value) in enumerate(zip(parts, strength, strict=True)):
        start = 0
        own_s = float(np.median(np.diff(part))) if len(part) > 1 else period_s
        if times_s and len(part):
            usual_s = min(period_s, own_s) if period_s else own_s
            gap_s = float(part[0]) - times_s[-1]
            if gap_s < MIN_GAP * usual_s:
                if part_value[0] > value[-1]:
                    for column in (times_s, value, segment, filled):
                        column.pop()
                else:
                    start = 1
            elif gap_s > MAX_GAP * usual_s:
                between = round(gap_s / usual_s) - 1
                for _ in range(between):
                    times_s.append(times_s[-1] + gap_s / (between + 1))
                    value.append(0.0)
                    segment.append(number)
                    filled.append(True)
        times_s.extend(map(float, part[start:]))
        value.extend(map(float, part_value[start:]))
        segment.extend([number] * (len(part) - start))
        filled.extend([False] * (len(part) - start))
        period_s = own_s
    return Joined(
        np.array(times_s), np.array(segment, dtype=np.int64), np.array(filled, dtype=bool)
    )
