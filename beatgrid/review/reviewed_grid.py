"""The grid that is edited: one tempo or several, with exact beats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beatgrid.grid import START_TOLERANCE_S, FloatArray, Grid
from beatgrid.search.beats import Beats

# Beats of a result are rounded to a microsecond; those of a gliding tempo leave their segment's
# grid by far more than this.
SAME_BEAT_S = 1e-4
# A beat this little before a segment's start is the beat that it starts with: a person splits at
# a beat, and its time is the result of arithmetic.
BOUNDARY_TOLERANCE_S = 1e-6


@dataclass(frozen=True)
class Stretch:
    """A part of the track with one tempo.

    Attributes:
        start_s: Where it begins; it ends where the next one does, or with the track.
        grid: Its beats, on both sides of the stretch too; the offset is the time of a downbeat.
        own_beats: (time in seconds, bar position) of each beat where the search found beats that
            follow a gliding tempo; None where they are the grid's.
    """

    start_s: float
    grid: Grid
    own_beats: tuple[tuple[float, int], ...] | None = None

    def moved(self, seconds: float) -> Stretch:
        """Return it with all beats later by some seconds."""
        own = self.own_beats
        if own is not None:
            own = tuple((time_s + seconds, position) for time_s, position in own)
        return replace(self, grid=_moved(self.grid, seconds), own_beats=own)


@dataclass(frozen=True)
class ReviewedGrid:
    """The grid of a track under review.

    Attributes:
        duration_s: Length of the track.
        stretches: In order, the first from 0 on; none where there is no grid.
        downbeat_known: Whether the bar lines mean anything.
    """

    duration_s: float
    stretches: tuple[Stretch, ...]
    downbeat_known: bool = True

    @property
    def is_constant(self) -> bool:
        """Whether one grid holds for the whole track."""
        return len(self.stretches) == 1 and self.stretches[0].own_beats is None

    def index_at(self, at_s: float) -> int:
        """Return the number of the stretch that a time lies in; the nearest one's outside."""
        later = (i for i, stretch in enumerate(self.stretches) if stretch.start_s > at_s)
        return max(next(later, len(self.stretches)) - 1, 0)

    def end_s(self, index: int) -> float:
        """Return where a stretch ends."""
        is_last = index + 1 == len(self.stretches)
        return self.duration_s if is_last else self.stretches[index + 1].start_s

    def beats(self) -> Beats:
        """Return every beat of the track; a first one up to 10 ms before 0 is at 0."""
        if not self.stretches:
            return Beats.none()
        times_s, positions, segments = [], [], []
        for index in range(len(self.stretches)):
            own_s, own_position = self._beats_of(index)
            times_s.append(own_s)
            positions.append(own_position)
            segments.append(np.full(len(own_s), index, dtype=np.int64))
        all_s = np.concatenate(times_s)
        return Beats(
            all_s,
            np.concatenate(positions),
            np.concatenate(segments),
            np.ones(len(all_s), dtype=bool),
        )

    def _beats_of(self, index: int) -> tuple[FloatArray, NDArray[np.int64]]:
        stretch, end_s = self.stretches[index], self.end_s(index)
        tolerance_s = BOUNDARY_TOLERANCE_S if index else START_TOLERANCE_S
        if stretch.own_beats is not None:
            own = np.array(stretch.own_beats, dtype=np.float64).reshape(-1, 2)
            inside = (own[:, 0] >= stretch.start_s - tolerance_s) & (own[:, 0] < end_s)
            return np.maximum(own[inside, 0], 0.0), own[inside, 1].astype(np.int64)
        grid = stretch.grid
        first = math.ceil((stretch.start_s - tolerance_s - grid.offset_s) / grid.period_s)
        end_tolerance_s = BOUNDARY_TOLERANCE_S if end_s < self.duration_s else 0.0
        last = math.ceil((end_s - end_tolerance_s - grid.offset_s) / grid.period_s)
        k = np.arange(first, max(first, last), dtype=np.int64)
        times_s = np.maximum(grid.offset_s + k * grid.period_s, 0.0)
        return times_s, k % grid.beats_per_bar + 1

    def same_beats(self, other: ReviewedGrid) -> bool:
        """Tell whether two grids have the same beats and bars, to a tenth of a millisecond."""
        one, two = self.beats(), other.beats()
        return (
            len(one.times_s) == len(two.times_s)
            and bool(np.all(np.abs(one.times_s - two.times_s) < SAME_BEAT_S))
            and self.downbeat_known == other.downbeat_known
            and (not self.downbeat_known or bool(np.all(one.bar_position == two.bar_position)))
            and [s.start_s for s in self.stretches] == [s.start_s for s in other.stretches]
        )

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "duration_s": self.duration_s,
            "downbeat_known": self.downbeat_known,
            "stretches": [
                {
                    "start_s": stretch.start_s,
                    "bpm": stretch.grid.bpm,
                    "downbeat_s": stretch.grid.offset_s,
                    "beats_per_bar": stretch.grid.beats_per_bar,
                    **({"own_beats": stretch.own_beats} if stretch.own_beats is not None else {}),
                }
                for stretch in self.stretches
            ],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ReviewedGrid:
        """Make it of what ``to_plain`` returned.

        Raises:
            ValueError: It is something else.
        """
        try:
            stretches = tuple(
                Stretch(
                    float(s["start_s"]),
                    Grid(float(s["bpm"]), float(s["downbeat_s"]), int(s["beats_per_bar"])),
                    None
                    if s.get("own_beats") is None
                    else tuple((float(time_s), int(at)) for time_s, at in s["own_beats"]),
                )
                for s in plain["stretches"]
            )
            return cls(float(plain["duration_s"]), stretches, bool(plain["downbeat_known"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a grid under review: {error}") from error

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> ReviewedGrid:
        """Make it of a result file.

        The beats count, not ``offset_s``: that is 0 for a first beat shortly before the track.
        """
        duration_s = float(result["duration_s"])
        known = bool(result["downbeat_known"])
        if result["bpm"] is None:
            return cls(duration_s, (), known)
        beats_per_bar = int(result["beats_per_bar"])
        beats = [
            (float(b["time"]), b["bar_position"], int(b.get("segment", 0))) for b in result["beats"]
        ]
        if not beats or "segment" not in result["beats"][0]:
            positions = [position for _, position, _ in beats]
            grid = _through(
                float(result["bpm"]), [b[0] for b in beats], positions, beats_per_bar
            ) or Grid(float(result["bpm"]), float(result["offset_s"] or 0.0), beats_per_bar)
            return cls(duration_s, (Stretch(0.0, grid),), known)
        stretches = []
        for index, segment in enumerate(result["segments"]):
            own = [(time_s, position) for time_s, position, at in beats if at == index]
            # Without bars the first beat of each stretch counts as one.
            own = [
                (time_s, i % beats_per_bar + 1 if position is None else int(position))
                for i, (time_s, position) in enumerate(own)
            ]
            grid = _through(
                float(segment["bpm"]), [b[0] for b in own], [b[1] for b in own], beats_per_bar
            ) or Grid(float(segment["bpm"]), float(segment["offset_s"]), beats_per_bar)
            stretches.append(Stretch(float(segment["start_s"]) if index else 0.0, grid))
            straight_s, straight_position = cls(duration_s, tuple(stretches))._beats_of(index)
            end_s = float(segment["end_s"])
            inside = straight_s < end_s - BOUNDARY_TOLERANCE_S
            straight = list(zip(straight_s[inside], straight_position[inside], strict=True))
            if len(straight) != len(own) or any(
                abs(a[0] - b[0]) > SAME_BEAT_S or a[1] != b[1]
                for a, b in zip(straight, own, strict=True)
            ):
                stretches[-1] = replace(stretches[-1], own_beats=tuple(own))
        return cls(duration_s, tuple(stretches), known)


def _moved(grid: Grid, seconds: float) -> Grid:
    return Grid(grid.bpm, grid.offset_s + seconds, grid.beats_per_bar)


def _through(
    bpm: float, times_s: Sequence[float], positions: Sequence[int | None], beats_per_bar: int
) -> Grid | None:
    """Return the grid of a tempo through beats, None without beats.

    It goes through the middle one, which a shift of the first beat to 0 leaves alone and where an
    error of the tempo matters least; its offset is the downbeat next to 0 or after.
    """
    if not times_s:
        return None
    middle = len(times_s) // 2
    position = positions[middle]
    # Without bars the first beat counts as one.
    before = middle if position is None else position - 1
    period_s = 60.0 / bpm
    downbeat_s = times_s[middle] - before * period_s
    bars = math.floor((downbeat_s + START_TOLERANCE_S) / (beats_per_bar * period_s))
    return Grid(bpm, downbeat_s - bars * beats_per_bar * period_s, beats_per_bar)
