"""What somebody says of a tempo: evidence for the choice among candidates, never the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beatgrid.grid import FloatArray

# What a hint adds to the log-odds of a candidate it names: it is taken to be right 19 times in 20.
HINT_NATS = 3.0
# A tempo this near to a hint is the one it names, in shares of it, as in the tempo accuracy of
# the literature: tags are rounded, and people tap.
SAME_TEMPO_SHARE = 0.04


@dataclass(frozen=True)
class TempoHint:
    """A tempo, or a range of tempi, that a track is said to have.

    Attributes:
        bpm_min: Lowest tempo it names.
        bpm_max: Highest tempo; the same for a single one.
    """

    bpm_min: float
    bpm_max: float

    def __post_init__(self) -> None:
        if not 0 < self.bpm_min <= self.bpm_max < math.inf:
            raise ValueError(f"a hint is a tempo, or a range [lowest, highest], not {self.plain!r}")

    @classmethod
    def of(cls, value: float | Sequence[float] | str) -> TempoHint:
        """Make the hint of a tempo or of [lowest, highest].

        Raises:
            ValueError: It is neither.
        """
        try:
            if isinstance(value, bool | str):
                raise TypeError
            low, high = (value, value) if isinstance(value, int | float) else value
            return cls(float(low), float(high))
        except (TypeError, ValueError):
            raise ValueError(
                f"a hint is a tempo, or a range [lowest, highest], not {value!r}"
            ) from None

    @property
    def plain(self) -> float | list[float]:
        """The hint as it was given: a number, or a list of two."""
        if self.bpm_min == self.bpm_max:
            return self.bpm_min
        return [self.bpm_min, self.bpm_max]

    @property
    def bpm_range(self) -> tuple[float, float]:
        """The tempi that it names, with the tolerance."""
        return self.bpm_min / (1 + SAME_TEMPO_SHARE), self.bpm_max * (1 + SAME_TEMPO_SHARE)

    def agrees(self, bpm: float) -> bool:
        """Tell whether a tempo is one that it names."""
        low, high = self.bpm_range
        return low <= bpm <= high

    def log_odds(self, bpm: FloatArray) -> FloatArray:
        """Return what it adds to the log-odds of tempi, same shape."""
        low, high = self.bpm_range
        return HINT_NATS * ((bpm >= low) & (bpm <= high)).astype(np.float64)
