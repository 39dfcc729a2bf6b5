"""Labelled activations to fit to, and what the search makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from beatgrid.calibration.bars import BarExample
from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.search.decision import Decision
from beatgrid.search.estimate import NoGridError
from beatgrid.search.features import CONFIDENCE_FEATURES, LEVEL_FEATURES, PHASE_FEATURES
from beatgrid.search.grid_search import GridSearch
from beatgrid.search.line import Line
from beatgrid.search.odds import sigmoid
from beatgrid.search.ranker import Ranker, feature_matrix

# A tempo that differs from the true one by less than this share is the true one: candidates are
# at least 0.6 % apart.
SAME_TEMPO_SHARE = 0.005
# Beats nearer to the true ones than this share of a period are not off-beats.
ON_BEAT_SHARE = 0.25
# "Grid-OK@21.5": level right and every beat within this of its truth.
TOLERANCE_S = 0.0215
# A truth that is not among the candidates costs no more than this.
MAX_NATS = 7.0


class Example(NamedTuple):
    """One labelled track to fit to.

    Attributes:
        activation: The search's input.
        grid: The truth.
        weight: How much the track counts; 0 leaves it out.
        group: Tracks of one group (versions of a tune) stay on one side of a split; by
            default every track is its own.
        phase_reliable: False where the label may sit on the off-beat.
        bars_trust: How much its downbeats count where bars are fitted; 0 where they are unknown.
    """

    activation: Activation
    grid: Grid
    weight: float = 1.0
    group: str = ""
    phase_reliable: bool = True
    bars_trust: float = 0.0


@dataclass(frozen=True, eq=False)
class LabelledCandidates:
    """Candidates of one example: features in both phases, and which is right.

    Attributes:
        example: Where they come from, without the spectrum, which ``bars`` stands for.
        level: ``LEVEL_FEATURES`` as found and half a beat later, (candidates, 2, features).
        phase: ``PHASE_FEATURES`` of the phase as found, (candidates, features).
        right: Index of the candidate with the true tempo; None if there is none.
        on_beat: Whether the phase as found of that candidate is the true one.
        plain: The choice of likelihood and prior.
        bars: The beats of its bars; None where these are not known.
    """

    example: Example
    level: FloatArray
    phase: FloatArray
    right: int | None
    on_beat: bool
    plain: int
    bars: BarExample | None = None

    @classmethod
    def of(cls, example: Example, search: GridSearch) -> LabelledCandidates | None:
        """Describe the candidates of an example; None if the search finds no tempo in it."""
        try:
            decision = search.decide(example.activation, None)
        except NoGridError:
            return None
        lines = [candidate.line for candidate in decision.candidates]
        later = [decision.extractor(line.half_beat_later()) for line in lines]
        level = [
            feature_matrix([c.level_features for c in candidates], list(LEVEL_FEATURES))
            for candidates in (decision.candidates, later)
        ]
        phase = [c.phase_features for c in decision.candidates]
        right = next((i for i, line in enumerate(lines) if same_tempo(line, example.grid)), None)
        activation, truth = example.activation, example.grid
        bars = BarExample.of(
            decision.extractor,
            truth,
            activation.duration_s,
            example.weight * example.bars_trust * example.phase_reliable,
        )
        return cls(
            example._replace(activation=replace(activation, spectrum_db=None)),
            np.stack(level, axis=1),
            feature_matrix(phase, list(PHASE_FEATURES)),
            right,
            right is not None and on_beat(lines[right], example.grid),
            decision.best,
            bars,
        )

    def in_phase(self, later: NDArray[np.bool_]) -> FloatArray:
        """Return the level features with each candidate in its phase, (candidates, features).

        Args:
            later: Which candidates are moved by half a beat, (candidates,).
        """
        return self.level[np.arange(len(later)), later.astype(np.int64)]


@dataclass(frozen=True)
class TrackOutcome:
    """What became of one track, by models that had not seen it.

    Attributes:
        level_right: The tempo is right.
        worst_error_s: Largest distance from a true beat to the nearest one found.
        nats: Cost of the truth: minus the logarithm of the probability given to the right tempo
            and the right half of the beat, at most ``MAX_NATS``.
    """

    level_right: bool = False
    worst_error_s: float = math.inf
    nats: float = MAX_NATS

    @property
    def grid_right(self) -> bool:
        """The level is right and every beat within ``TOLERANCE_S``."""
        return self.level_right and self.worst_error_s <= TOLERANCE_S


@dataclass(frozen=True, eq=False)
class Judged:
    """A track as judged by given models.

    Attributes:
        outcome: How right they are.
        phase_right: Level right, and not on the off-beat.
        features: Of the confidence, in the order of ``CONFIDENCE_FEATURES``, (features,).
    """

    outcome: TrackOutcome
    phase_right: bool
    features: FloatArray


def judge(example: Example, search: GridSearch, ranker: Ranker) -> Judged:
    """Search an example with a ranker and compare with the truth.

    Args:
        example: One with a grid (``LabelledCandidates.of`` is not None).
        search: Finds the candidates.
        ranker: Chooses among them.
    """
    activation, truth = example.activation, example.grid
    decision = search.decide(activation, ranker)
    line = search.refined(activation, decision)
    level_right = same_tempo(line, truth)
    outcome = TrackOutcome(
        level_right, worst_error_s(line, truth, activation.duration_s), _nats(decision, truth)
    )
    features = decision.confidence_features(line)
    return Judged(
        outcome,
        level_right and on_beat(line, truth),
        feature_matrix([features], list(CONFIDENCE_FEATURES))[0],
    )


def same_tempo(line: Line, truth: Grid) -> bool:
    """Tell whether a line has the true tempo, before refinement."""
    return abs(line.period_s / truth.period_s - 1) < SAME_TEMPO_SHARE


def on_beat(line: Line, truth: Grid) -> bool:
    """Tell whether a line's beat at mid-track is one of the true beats, not an off-beat."""
    beats = (line.time_s - truth.offset_s) / truth.period_s
    return abs(beats - round(beats)) < ON_BEAT_SHARE


def worst_error_s(line: Line, truth: Grid, duration_s: float) -> float:
    """Return the largest distance from a true beat to the nearest beat of the line."""
    return float(np.max(line.distance_s(truth.beat_times(duration_s)), initial=0.0))


def _nats(decision: Decision, truth: Grid) -> float:
    probability = float(np.exp(-MAX_NATS))
    level = decision.probability
    for i, candidate in enumerate(decision.candidates):
        if same_tempo(candidate.line, truth):
            logit = float(decision.phase_logit[i])
            probability += level[i] * sigmoid(logit if on_beat(candidate.line, truth) else -logit)
    return float(min(MAX_NATS, -np.log(probability)))
