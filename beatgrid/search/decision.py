"""The candidates of one track, what the models say about them, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.candidates import LEVEL_FEATURES, Candidate, Describer
from beatgrid.search.evidence import Evidence
from beatgrid.search.ranker import sigmoid
from beatgrid.search.refine import Line

# Stands in for the spread of peaks around the line where too few peaks were found.
UNKNOWN_RESIDUAL_S = 0.020


@dataclass(frozen=True, eq=False)
class Decision:
    """All candidates of a track and what each model says about them.

    Attributes:
        evidence: Curve of the beat channel.
        describer: What computed the features.
        candidates: One grid per tempo, its phase decided.
        score: By which the tempo is chosen, (candidates,).
        probability: The softmax of the score, (candidates,).
        phase_logit: Log-odds of beat against off-beat, (candidates,).
        contrast: How far the best tempo stands out of the scan, in standard deviations.
    """

    evidence: Evidence
    describer: Describer
    candidates: tuple[Candidate, ...]
    score: FloatArray
    probability: FloatArray
    phase_logit: FloatArray
    contrast: float

    @property
    def best(self) -> int:
        """Index of the chosen candidate."""
        return int(np.argmax(self.score))


def confidence_features(decision: Decision, line: Line) -> FloatArray:
    """What the confidence is computed from, in the order of ``CONFIDENCE_FEATURES``.

    The first is the log-odds of tempo and phase both being right, as the models see it; the
    others tell how clearly the track has a beat at all.
    """
    best = decision.best
    p = float(decision.probability[best]) * sigmoid(float(decision.phase_logit[best]))
    p = min(max(p, 1e-4), 1 - 1e-4)
    residual_s = line.residual_s if np.isfinite(line.residual_s) else UNKNOWN_RESIDUAL_S
    return np.array(
        [
            np.log(p / (1 - p)),
            np.log(max(decision.contrast, 1.0)),
            np.log(1000 * residual_s),
            decision.candidates[best].level_features[LEVEL_FEATURES.index("on")],
        ]
    )
