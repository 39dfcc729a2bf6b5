"""What a grid search answers: the grid, how sure it is, and the grids it nearly chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.search.beats import Beats

if TYPE_CHECKING:
    from beatgrid.search.hint import TempoHint
    from beatgrid.search.ranker import Ranker


class NoGridError(Exception):
    """An activation holds no grid; the message says why."""


@dataclass(frozen=True)
class Alternative:
    """A grid that was considered and not chosen.

    Attributes:
        bpm: Its tempo.
        offset_s: Time of its first beat at or after 0.
        score: Its log-odds evidence per second, comparable to ``GridEstimate.score``.
        ratio: Its tempo divided by the chosen one.
        probability: That it, and not the chosen one, is right; with the confidence and those of
            what is not listed they sum to 1.
        level_probability: Of its metrical level among all candidates', whatever the phase.
    """

    bpm: float
    offset_s: float
    score: float
    ratio: float
    probability: float
    level_probability: float = 0.0


@dataclass(frozen=True)
class Segment:
    """A stretch of constant tempo.

    Attributes:
        start_s: Where it begins.
        end_s: Where it ends (exclusive).
        bpm: Its tempo.
        offset_s: Time of its first beat at or after ``start_s``.
    """

    start_s: float
    end_s: float
    bpm: float
    offset_s: float


@dataclass(frozen=True, kw_only=True)
class GridEstimate:
    """The beatgrid found in one activation, or the statement that there is none.

    What a search does not determine is None; without a grid everything but ``reason`` is None or
    empty, and the confidence 0.

    Attributes:
        grid: The grid, None if there is none. Its tempo is snapped to a round value where the
            data allow it; its offset is the first downbeat at or after 0, or the first beat
            where the downbeat is not known; from 10 ms before 0 on, for what begins on it.
        reason: Why there is no grid; None where there is one.
        confidence: Probability that metrical level and phase are right, 0..1.
        bpm_raw: Tempo before snapping.
        offset_raw_s: The grid's offset before snapping, measured by the attacks where these tell.
        bpm_std: Standard error of ``bpm_raw``.
        offset_std_ms: Standard error of ``offset_raw_s``, in milliseconds.
        score: Log-odds evidence for the grid, nats per second of music with beats.
        offbeat_confidence: Probability that the beats are not the off-beats, 0.5..1.
        downbeat_confidence: Probability of the chosen bar length and phase; None where no
            downbeat channel placed the bar lines.
        max_drift_ms: Largest distance, over windows of 16 beats, between the beats of the
            activation and those of the constant grid.
        attack_delay_ms: How much later than the activation the attacks out of near-silence are;
            all times reported include it. None where most beats have no such attack.
        alternatives: The rivals that came closest, best first.
        segments: Stretches of constant tempo that cover the track.
        beats: Beats that follow the segments; None where the tempo is constant, or is to be
            taken for it. ``beats_in`` gives the beats of either kind.
    """

    grid: Grid | None
    reason: str | None = None
    confidence: float = 0.0
    bpm_raw: float | None = None
    offset_raw_s: float | None = None
    bpm_std: float | None = None
    offset_std_ms: float | None = None
    score: float | None = None
    offbeat_confidence: float | None = None
    downbeat_confidence: float | None = None
    max_drift_ms: float | None = None
    attack_delay_ms: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    segments: tuple[Segment, ...] = ()
    beats: Beats | None = None

    def __post_init__(self) -> None:
        if (self.grid is None) != bool(self.reason):
            raise ValueError(
                f"an estimate has either a grid or a reason why there is none, not "
                f"grid={self.grid!r} and reason={self.reason!r}"
            )

    @classmethod
    def none(cls, reason: str) -> GridEstimate:
        """Make the answer for an activation that holds no grid."""
        return cls(grid=None, reason=reason)

    def beats_in(self, duration_s: float) -> Beats:
        """Return every beat of the track: of its segments, or of the constant grid.

        Args:
            duration_s: Length of the track.
        """
        if self.beats is not None:
            return self.beats
        if self.grid is None:
            return Beats.none()
        starts_s = [segment.start_s for segment in self.segments] or [0.0]
        return Beats.of_grid(self.grid, duration_s, starts_s)

    @property
    def bpm(self) -> float | None:
        """Tempo of the grid, None without one."""
        return None if self.grid is None else self.grid.bpm

    @property
    def offset_s(self) -> float | None:
        """Offset of the grid, None without one; 0 where it lies less than 10 ms before."""
        return None if self.grid is None else max(0.0, self.grid.offset_s)

    @property
    def beats_per_bar(self) -> int | None:
        """Beats from one downbeat of the grid to the next, None without a grid."""
        return None if self.grid is None else self.grid.beats_per_bar

    @property
    def downbeat_known(self) -> bool:
        """Whether a downbeat channel placed the bar lines."""
        return self.downbeat_confidence is not None

    @property
    def constant_tempo(self) -> bool | None:
        """False where the track changes tempo or is edited, None without a grid."""
        return None if self.grid is None else len(self.segments) < 2


class Search(Protocol):
    """What every grid search is: a callable from an activation to an estimate."""

    def __call__(
        self,
        activation: Activation,
        ranker: Ranker | None = None,
        hint: TempoHint | None = None,
    ) -> GridEstimate:
        """Find the grid of one track.

        Args:
            activation: Probabilities per frame.
            ranker: What was fitted for the activation's source, None if nothing was. A search
                may ignore it.
            hint: What somebody says of the tempo, None if nobody does. A search may ignore it.
        """
        ...


def prob_at_beats(activation: Activation, beat_times_s: FloatArray) -> FloatArray:
    """Interpolate the beat probability at given times, linearly between frames.

    Args:
        activation: Frame probabilities of the track.
        beat_times_s: Times in seconds, (beats,).

    Returns:
        Probabilities, float64 (beats,); times outside the frames take the nearest frame.
    """
    beat_times_s = np.asarray(beat_times_s, dtype=np.float64)
    if len(activation) == 0:
        return np.zeros(len(beat_times_s))
    frames = beat_times_s * activation.frame_rate
    return np.interp(frames, np.arange(len(activation)), activation.beat)
