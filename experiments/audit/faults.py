"""Ways to break a label whose grid is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from beatgrid.audit.fit import anchor
from beatgrid.data.labels import Label
from beatgrid.grid import Grid

# A tempo that moves no beat by more than this is no fault.
MIN_DRIFT_S = 0.020


@dataclass(frozen=True)
class Case:
    """A right label, its track's length, and another label of the same set."""

    label: Label
    duration_s: float
    other: Label

    @property
    def grid(self) -> Grid:
        """The right grid."""
        return self.label.grid

    def at_tempo(self, bpm: float) -> Label:
        """Return the label at another tempo; its downbeat in the track stays."""
        grid = Grid(bpm, anchor(self.grid, self.duration_s), self.grid.beats_per_bar)
        return replace(self.label, grid=grid)

    def later(self, seconds: float) -> Label:
        """Return the label with all beats later."""
        grid = replace(self.grid, offset_s=self.grid.offset_s + seconds)
        return replace(self.label, grid=grid)


def _sign(rng: np.random.Generator) -> int:
    return int(rng.choice((-1, 1)))


def _rounded(case: Case, rng: np.random.Generator) -> Label | None:
    bpm = float(round(case.grid.bpm))
    drift_s = case.duration_s * abs(bpm / case.grid.bpm - 1)
    return case.at_tempo(bpm) if drift_s > MIN_DRIFT_S else None


def _turned(case: Case, rng: np.random.Generator) -> Label | None:
    n = case.grid.beats_per_bar
    if case.label.downbeat != "reliable" or n < 2:
        return None
    return case.later(int(rng.integers(1, n)) * case.grid.period_s)


FAULTS: Mapping[str, Callable[[Case, np.random.Generator], Label | None]] = {
    "none": lambda c, rng: c.label,
    "offset, 20 to 60 ms": lambda c, rng: c.later(_sign(rng) * rng.uniform(0.020, 0.060)),
    "BPM rounded": _rounded,
    "BPM off by 0.1 to 0.5 %": lambda c, rng: c.at_tempo(
        c.grid.bpm * (1 + _sign(rng) * rng.uniform(0.001, 0.005))
    ),
    "half a beat": lambda c, rng: c.later(c.grid.period_s / 2),
    "octave": lambda c, rng: c.at_tempo(c.grid.bpm * rng.choice((0.5, 2.0))),
    "3/2 or 2/3": lambda c, rng: c.at_tempo(c.grid.bpm * rng.choice((1.5, 2 / 3))),
    "other recording": lambda c, rng: replace(c.label, grid=c.other.grid),
    "other recording, its duration": lambda c, rng: replace(
        c.label, grid=c.other.grid, duration_s=c.other.duration_s
    ),
    "bars turned": _turned,
    "clock, 25 ms": lambda c, rng: c.later(-1105 / 44100),
    "clock, 51 ms": lambda c, rng: c.later(-2257 / 44100),
}
"""By name; a label that a fault does not apply to gives None."""

EXPECTED: Mapping[str, str] = {
    "none": "ok",
    "offset, 20 to 60 ms": "offset",
    "BPM rounded": "bpm",
    "BPM off by 0.1 to 0.5 %": "bpm",
    "half a beat": "off-beat",
    "octave": "level",
    "3/2 or 2/3": "level",
    "other recording": "recording",
    "other recording, its duration": "recording",
    "bars turned": "bars",
    "clock, 25 ms": "clock",
    "clock, 51 ms": "clock",
}
"""The verdict that names each."""
