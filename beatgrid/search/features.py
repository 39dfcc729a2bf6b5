"""What describes a candidate grid, by name: one table for each fitted model.

Each entry computes one feature from the measurements of a candidate. To add a feature, add an
entry; coefficients fitted before do not name it and stay as they are. The names are stored with
the coefficients, so an entry must not change its meaning under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from beatgrid.grid import FloatArray

T = TypeVar("T")

Features = Mapping[str, float]
"""Values of a candidate's features by name."""

# Indices of ``Measurements``: positions in twelfths of a beat, in halves, and onset bands.
ON, THIRD, QUARTER, HALF = 0, 4, 3, 6
ON_BEAT, OFF_BEAT = 0, 1
LOW, MID, HIGH = 0, 1, 2

# Tempo is measured in octaves from here, the centre of the default tempo prior (dance music). The
# features keep their meaning only while it stays, whatever the prior of a search.
REFERENCE_BPM = 140.0
# Below 92 and above 185 BPM a level is likely half or twice the one that people count: from there
# on these features grow, in octaves.
SLOW_OCTAVES = -0.6
FAST_OCTAVES = 0.4
# Probabilities of right grids are kept this far from 0 and 1 before their log-odds are taken.
MIN_PROBABILITY = 1e-4
# Stands in for the spread of peaks around the grid where too few were found: as loose as the
# grids of music without sharp onsets.
LOOSE_RESIDUAL_S = 0.020


@dataclass(frozen=True, eq=False)
class Measurements:
    """What is measured along a candidate's beats.

    Attributes:
        bpm: Its tempo.
        n_beats: How many beats count.
        likelihood: Sum of evidence per second of music that counts, in units of the evidence's
            root mean square.
        evidence: Mean evidence at each twelfth of the beat, (12,).
        contrast_2: How unevenly every second beat is supported, on the beat and on the off-beat,
            summed over the track, (2,).
        contrast_3: The same for every third beat, on the beat.
        onset: Onset strength on the beat and on the off-beat in three bands, in units of each
            band's mean, (2, 3); 0 where there is no onset channel.
        onset_alternation: Its difference between even and odd beats, (2, 3).
        downbeat: Mean downbeat evidence on the beat and on the off-beat, (2,); 0 where there is
            no downbeat channel.
        downbeat_bar: How far the best position in the bar stands out of the second best.
        log_counts: Binary logarithm of onsets per beat in three bands, and of the network's
            beats per beat, (4,).
        tempo: Log-probability of its tempo by the network's tempo head; 0 where there is none.
    """

    bpm: float
    n_beats: float
    likelihood: float
    evidence: FloatArray
    contrast_2: FloatArray
    contrast_3: float
    onset: FloatArray
    onset_alternation: FloatArray
    downbeat: FloatArray
    downbeat_bar: float
    log_counts: FloatArray
    tempo: float = 0.0

    @property
    def octaves(self) -> float:
        """Octaves of tempo above ``REFERENCE_BPM``."""
        return float(np.log2(self.bpm / REFERENCE_BPM))


@dataclass(frozen=True)
class Choice:
    """What the confidence in a chosen grid depends on.

    Attributes:
        probability: That metrical level and phase are right, by their models, 0..1.
        contrast: How far the best tempo stands out of the scan, in standard deviations.
        residual_s: Spread of peaks around the grid; None where too few were found.
        evidence_on_beat: Mean evidence at its beats.
        octaves: Octaves of its tempo above ``REFERENCE_BPM``.
        tempo: Log-probability of its tempo by the tempo head, less the highest among the
            candidates; 0 where there is no head.
    """

    probability: float
    contrast: float
    residual_s: float | None
    evidence_on_beat: float
    octaves: float = 0.0
    tempo: float = 0.0


LEVEL_FEATURES: Mapping[str, Callable[[Measurements], float]] = {
    "likelihood": lambda m: m.likelihood,
    "on": lambda m: m.evidence[ON],
    "half": lambda m: m.evidence[HALF],
    "third": lambda m: max(m.evidence[THIRD], m.evidence[12 - THIRD]),
    "quarter": lambda m: max(m.evidence[QUARTER], m.evidence[12 - QUARTER]),
    "alternation_2": lambda m: m.contrast_2[ON_BEAT] / m.n_beats,
    "alternation_3": lambda m: m.contrast_3 / m.n_beats,
    "log_bpm": lambda m: m.octaves,
    "log_bpm_squared": lambda m: m.octaves**2,
    "slow": lambda m: max(0.0, SLOW_OCTAVES - m.octaves),
    "fast": lambda m: max(0.0, m.octaves - FAST_OCTAVES),
    "low_on": lambda m: m.onset[ON_BEAT, LOW],
    "low_half": lambda m: m.onset[OFF_BEAT, LOW],
    "low_alternation": lambda m: m.onset_alternation[ON_BEAT, LOW],
    "high_on": lambda m: m.onset[ON_BEAT, HIGH],
    "high_half": lambda m: m.onset[OFF_BEAT, HIGH],
    "high_alternation": lambda m: m.onset_alternation[ON_BEAT, HIGH],
    "downbeat_bar": lambda m: m.downbeat_bar,
    "low_onsets": lambda m: m.log_counts[LOW],
    "mid_onsets": lambda m: m.log_counts[MID],
    "high_onsets": lambda m: m.log_counts[HIGH],
    "beats": lambda m: m.log_counts[-1],
    "tempo": lambda m: m.tempo,
}
"""Features that choose a candidate's metrical level."""

PHASE_FEATURES: Mapping[str, Callable[[Measurements], float]] = {
    "on": lambda m: m.evidence[ON] - m.evidence[HALF],
    "pickup": lambda m: m.evidence[12 - QUARTER] - m.evidence[QUARTER],
    "swing": lambda m: m.evidence[8] - m.evidence[2],
    "alternation": lambda m: (m.contrast_2[ON_BEAT] - m.contrast_2[OFF_BEAT]) / m.n_beats,
    "low": lambda m: m.onset[ON_BEAT, LOW] - m.onset[OFF_BEAT, LOW],
    "mid": lambda m: m.onset[ON_BEAT, MID] - m.onset[OFF_BEAT, MID],
    "high": lambda m: m.onset[ON_BEAT, HIGH] - m.onset[OFF_BEAT, HIGH],
    "low_alternation": lambda m: (
        m.onset_alternation[ON_BEAT, LOW] - m.onset_alternation[OFF_BEAT, LOW]
    ),
    "high_alternation": lambda m: (
        m.onset_alternation[ON_BEAT, HIGH] - m.onset_alternation[OFF_BEAT, HIGH]
    ),
    "downbeat": lambda m: m.downbeat[ON_BEAT] - m.downbeat[OFF_BEAT],
}
"""Features that choose between a candidate's beats and its off-beats: for the grid half a beat
later each has the opposite sign."""

CONFIDENCE_FEATURES: Mapping[str, Callable[[Choice], float]] = {
    "joint_logit": lambda c: _logit(min(max(c.probability, MIN_PROBABILITY), 1 - MIN_PROBABILITY)),
    "log_contrast": lambda c: np.log(max(c.contrast, 1.0)),
    "log_residual_ms": lambda c: np.log(
        1000 * (LOOSE_RESIDUAL_S if c.residual_s is None else c.residual_s)
    ),
    "on": lambda c: c.evidence_on_beat,
    "slow": lambda c: max(0.0, SLOW_OCTAVES - c.octaves),
    "fast": lambda c: max(0.0, c.octaves - FAST_OCTAVES),
    "tempo": lambda c: c.tempo,
}
"""What tells that a chosen grid is right, and how clearly the track has a beat at all."""


def evaluated(table: Mapping[str, Callable[[T], float]], subject: T) -> dict[str, float]:
    """Evaluate all features of a table for one subject."""
    return {name: float(feature(subject)) for name, feature in table.items()}


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))
