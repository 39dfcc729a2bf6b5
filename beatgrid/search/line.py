"""A straight line of beat times, the form in which the search handles a grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from beatgrid.grid import START_TOLERANCE_S, FloatArray, first_in_track_s


@dataclass(frozen=True)
class StandardErrors:
    """How exactly a line is determined.

    Attributes:
        time_s: Standard error of the line's ``time_s``.
        period_s: Standard error of its ``period_s``.
        covariance: Covariance of both, seconds squared.
    """

    time_s: float
    period_s: float
    covariance: float

    @classmethod
    def of(cls, covariance: FloatArray) -> StandardErrors:
        """Return the uncertainty of a covariance matrix (2, 2) of time and period."""
        time_s, period_s = np.sqrt(np.diag(covariance))
        return cls(float(time_s), float(period_s), float(covariance[0, 1]))

    def at_beat_s(self, k: float) -> float:
        """Return the standard error of the time of beat ``k``."""
        variance = self.time_s**2 + 2 * k * self.covariance + (k * self.period_s) ** 2
        return float(np.sqrt(max(variance, 0.0)))


@dataclass(frozen=True)
class Line:
    """Beats at ``time_s + k * period_s`` for integers k; beat 0 lies near the track's middle.

    The middle is where the phase is known best and independently of the period.

    Attributes:
        time_s: Time of beat 0.
        period_s: Seconds per beat.
        first: Lowest k inside the track.
        last: Highest k inside the track.
        errors: Standard errors; None before refinement.
        residual_s: Robust spread of the peaks around the line; None if not fitted to peaks.
    """

    time_s: float
    period_s: float
    first: int
    last: int
    errors: StandardErrors | None = None
    residual_s: float | None = None

    @classmethod
    def at(cls, frequency_hz: float, phase: float, start_s: float, end_s: float) -> Line:
        """Return a line of given tempo and phase (0..1 of a period after 0) over [start, end)."""
        return cls.through(phase / frequency_hz, 1 / frequency_hz, start_s, end_s)

    @classmethod
    def through(cls, time_s: float, period_s: float, start_s: float, end_s: float) -> Line:
        """Return a line through one beat, re-anchored to the one nearest to mid-span."""
        middle_s = 0.5 * (start_s + end_s)
        anchor_s = time_s + round((middle_s - time_s) / period_s) * period_s
        first = int(np.ceil((start_s - anchor_s) / period_s))
        last = int(np.ceil((end_s - anchor_s) / period_s)) - 1
        return cls(float(anchor_s), float(period_s), min(first, 0), max(last, 0))

    @property
    def k(self) -> NDArray[np.int64]:
        """Beat numbers inside the track, (beats,)."""
        return np.arange(self.first, self.last + 1)

    @property
    def times_s(self) -> FloatArray:
        """Beat times inside the track, float64 (beats,)."""
        return self.time_s + self.k.astype(np.float64) * self.period_s

    @property
    def bpm(self) -> float:
        """Beats per minute."""
        return 60.0 / self.period_s

    @property
    def bpm_std(self) -> float | None:
        """Standard error of ``bpm``; None before refinement."""
        return None if self.errors is None else self.bpm * self.errors.period_s / self.period_s

    @property
    def first_in_track(self) -> int:
        """Number of the first beat at or after 0; one up to 10 ms before 0 counts."""
        return int(np.ceil((-START_TOLERANCE_S - self.time_s) / self.period_s))

    def first_beat_s(self, start_s: float) -> float:
        """Return the time of the first beat at or after a time; 0 for one up to 10 ms before 0."""
        if start_s <= 0:
            return first_in_track_s(self.time_s, self.period_s)
        beats = np.ceil((start_s - self.time_s) / self.period_s)
        return self.time_s + float(beats) * self.period_s

    def within(self, bpm_range: tuple[float, float]) -> Line:
        """Return the line at the nearest tempo of a range.

        Where that is another tempo than its own, the errors' covariance tells the best time of
        beat 0 at that tempo, as if it had been fitted with the tempo fixed.
        """
        period_s = min(max(self.period_s, 60.0 / bpm_range[1]), 60.0 / bpm_range[0])
        if period_s == self.period_s:
            return self
        time_s, errors = self.time_s, self.errors
        if errors is not None and errors.period_s > 0:
            slope = errors.covariance / errors.period_s**2
            time_s += slope * (period_s - self.period_s)
            variance = errors.time_s**2 - slope * errors.covariance
            errors = StandardErrors(float(np.sqrt(max(variance, 0.0))), 0.0, 0.0)
        return replace(self, time_s=time_s, period_s=period_s, errors=errors)

    def delayed(self, delay_s: float) -> Line:
        """Return the line that much later."""
        return replace(self, time_s=self.time_s + delay_s)

    def half_beat_later(self) -> Line:
        """Return the grid of its off-beats."""
        return self.delayed(self.period_s / 2)

    def distance_s(self, times_s: FloatArray) -> FloatArray:
        """Return each time's distance from the line's nearest beat, inside the track or not."""
        beats = (times_s - self.time_s) / self.period_s
        return np.abs(beats - np.round(beats)) * self.period_s
