"""What a grid search answers: the grid, how sure it is, and the grids it nearly chose."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from beatgrid.grid import Activation, FloatArray, Grid


@dataclass(frozen=True)
class Alternative:
    """A grid that was considered and not chosen.

    Attributes:
        bpm: Its tempo.
        offset_s: Time of its first beat at or after 0.
        score: Its log-odds evidence per second, comparable to ``GridEstimate.score``.
        ratio: Its tempo divided by the chosen one.
        probability: The ranker's probability for it (0 where no ranker is used).
    """

    bpm: float
    offset_s: float
    score: float
    ratio: float
    probability: float = 0.0


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


@dataclass(frozen=True)
class GridEstimate:
    """The beatgrid found in one activation, or the statement that there is none.

    Attributes:
        bpm: Tempo, snapped to a round value where the data allow it; None without a grid.
        offset_s: Time of the first downbeat at or after 0 (of the first beat where the
            downbeat is not known); None without a grid.
        beats_per_bar: Beats from one downbeat to the next.
        downbeat_known: Whether a downbeat channel placed the bar lines.
        bpm_raw: Tempo before snapping.
        offset_raw_s: As ``offset_s``, before snapping.
        bpm_std: Standard error of ``bpm_raw``.
        offset_std_ms: Standard error of ``offset_raw_s``, in milliseconds.
        score: Log-odds evidence for the grid, nats per second of music with beats.
        confidence: Probability that level and phase are right, 0..1.
        offbeat_confidence: Probability that the beats are not the off-beats, 0.5..1.
        downbeat_confidence: Probability of the chosen bar phase, 0 when unknown.
        constant_tempo: False where the track changes tempo or is edited.
        max_drift_ms: Largest distance, over windows of 16 beats, between where the beats
            sound and where the constant grid puts them.
        alternatives: The rivals that came closest, best first.
        segments: Constant-tempo stretches covering the track; one if ``constant_tempo``.
        reason: Why there is no grid; empty otherwise.
    """

    bpm: float | None = None
    offset_s: float | None = None
    beats_per_bar: int = 4
    downbeat_known: bool = False
    bpm_raw: float | None = None
    offset_raw_s: float | None = None
    bpm_std: float = math.nan
    offset_std_ms: float = math.nan
    score: float = 0.0
    confidence: float = 0.0
    offbeat_confidence: float = 0.5
    downbeat_confidence: float = 0.0
    constant_tempo: bool = True
    max_drift_ms: float = 0.0
    alternatives: tuple[Alternative, ...] = ()
    segments: tuple[Segment, ...] = ()
    reason: str = ""

    @classmethod
    def none(cls, reason: str) -> GridEstimate:
        """The answer for an activation that holds no grid."""
        return cls(reason=reason)

    @property
    def grid(self) -> Grid | None:
        """The grid as a value object, None if none was found."""
        if self.bpm is None or self.offset_s is None:
            return None
        return Grid(self.bpm, self.offset_s, self.beats_per_bar)


def prob_at_beats(activation: Activation, beat_times_s: FloatArray) -> FloatArray:
    """Beat probability at given times, linear between frames.

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
