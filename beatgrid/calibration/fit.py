"""Fits the ranker, the off-beat decision and the confidence to labelled activations.

Features are few and the models small, with an L2 penalty, so that a few hundred tracks are
enough; the confidence is fitted to choices made by models that did not see the track.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from beatgrid.calibration.models import (
    fit_neural_softmax,
    fit_probability,
    fit_sign,
    fit_softmax,
)
from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.search.candidates import LEVEL_FEATURES, PHASE_FEATURES
from beatgrid.search.decision import Decision, confidence_features
from beatgrid.search.grid_search import GridSearch
from beatgrid.search.ranker import (
    CONFIDENCE_FEATURES,
    Coefficients,
    LinearModel,
    NeuralModel,
    sigmoid,
)
from beatgrid.search.refine import Line

# A tempo this close to the true one is the true one before refinement.
SAME_TEMPO = 0.005
# "Grid-OK@21.5": level right and every beat within this of its truth.
TOLERANCE_S = 0.0215
# A truth that is not among the candidates costs no more than this.
MAX_NATS = 7.0
# Fewer tracks than this cannot teach a hidden layer anything.
ENOUGH_FOR_UNITS = 150


class Example(NamedTuple):
    """One labelled track to fit to.

    Attributes:
        activation: What the search will see.
        grid: The truth.
        weight: How much the track counts; 0 leaves it out.
        group: Tracks of one group (versions of a tune) stay on one side of a split; by
            default every track is its own.
        phase_reliable: False where the label may sit on the off-beat.
    """

    activation: Activation
    grid: Grid
    weight: float = 1.0
    group: str = ""
    phase_reliable: bool = True


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


@dataclass(frozen=True)
class FitReport:
    """Cross-validated quality of what was fitted, on tracks each fold had not seen.

    Attributes:
        n_tracks: Tracks used.
        level_found: Share of tracks with the right tempo among the candidates.
        level_right: Share with the right tempo chosen.
        level_plain: The same by likelihood and prior alone.
        phase_right: Share of reliable tracks on the beat, given the right tempo.
        grid_right: Share with every beat within 21.5 ms.
        confidence_auroc: How well the confidence separates right grids from wrong ones,
            itself cross-validated; None if all are right or all wrong.
        tracks: What became of each example of positive weight, in their order.
    """

    n_tracks: int
    level_found: float
    level_right: float
    level_plain: float
    phase_right: float
    grid_right: float
    confidence_auroc: float | None
    tracks: tuple[TrackOutcome, ...]


@dataclass(frozen=True, eq=False)
class _Track:
    """Candidates of one example: features in both phases, and which is right."""

    example: Example
    level: FloatArray  # (candidates, 2, features): as found, half a beat later
    phase: FloatArray  # (candidates, features): for the phase as found
    right: int | None  # index of the candidate with the true tempo
    on_beat: bool  # whether that one's phase as found is the true one
    plain: int  # the likelihood's choice


def fit(
    examples: Iterable[Example | tuple[Activation, Grid, float]],
    search: GridSearch | None = None,
    *,
    penalty: float = 10.0,
    n_folds: int = 5,
    n_units: int | None = None,
) -> tuple[Coefficients, FitReport]:
    """Fit all models of the search.

    Args:
        examples: Labelled activations; plain (activation, grid, weight) tuples will do.
        search: Search whose candidates are ranked; the default one if None.
        penalty: L2 penalty on weights of standardised features, in units of one track.
        n_folds: Folds of the cross-validation that the confidence is fitted to.
        n_units: Hidden units of the level model; 0 makes it linear. By default 16 from
            ``ENOUGH_FOR_UNITS`` tracks on, else 0.

    Returns:
        (coefficients, cross-validated report).

    Raises:
        ValueError: If there are fewer tracks with a grid than folds, or hardly any label's
            tempo is among its track's candidates.
    """
    search = GridSearch() if search is None else search
    weighed = (e for e in (Example(*e) for e in examples) if e.weight > 0)
    described = [_track(e, search) for e in weighed]
    tracks = [t for t in described if t is not None]
    groups = [t.example.group or f"track {i}" for i, t in enumerate(tracks)]
    n_groups = len(set(groups))
    if n_groups < n_folds:
        raise ValueError(
            f"need at least {n_folds} labelled tracks (or groups of versions of one) with a "
            f"beat, got {n_groups}"
        )
    folds = _folds(groups, n_folds)
    if n_units is None:
        n_units = 16 if len(tracks) >= ENOUGH_FOR_UNITS else 0

    outcome = [_Outcome.nothing()] * len(tracks)
    for fold in range(n_folds):
        unseen = np.flatnonzero(folds == fold)
        seen = [t for t, f in zip(tracks, folds, strict=True) if f != fold]
        models = _fit_choice(seen, penalty, n_units)
        for i in unseen:
            outcome[i] = _outcome(tracks[i], search, models)

    features = np.stack([o.features for o in outcome])
    right = np.array([o.grid_right for o in outcome])
    weight = np.array([t.example.weight * t.example.phase_reliable for t in tracks])
    report = _report(tracks, outcome, _auroc(features, right, weight, folds, n_folds))
    found = iter(outcome)
    report = replace(
        report,
        tracks=tuple(TrackOutcome() if t is None else _public(next(found)) for t in described),
    )
    coefficients = replace(
        _fit_choice(tracks, penalty, n_units),
        confidence=fit_probability(features, right, weight, CONFIDENCE_FEATURES),
    )
    return coefficients, report


def _track(example: Example, search: GridSearch) -> _Track | None:
    decision = search.decide(example.activation, None)
    if isinstance(decision, str):
        return None
    level, phase, right, on_beat = [], [], None, False
    for i, candidate in enumerate(decision.candidates):
        line = candidate.line
        later = decision.describer(replace(line, time_s=line.time_s + line.period_s / 2))
        level.append((candidate.level_features, later.level_features))
        phase.append(candidate.phase_features)
        if abs(line.period_s / example.grid.period_s - 1) < SAME_TEMPO and right is None:
            right = i
            distance = (line.time_s - example.grid.offset_s) / example.grid.period_s
            on_beat = abs(distance - round(distance)) < 0.25
    return _Track(example, np.array(level), np.stack(phase), right, on_beat, decision.best)


def _fit_choice(tracks: Sequence[_Track], penalty: float, n_units: int) -> Coefficients:
    """Level and phase models; the confidence is a placeholder."""
    known = [t for t in tracks if t.right is not None]
    reliable = [t for t in known if t.example.phase_reliable]
    if not reliable:
        raise ValueError(
            f"none of the labelled tempi of {len(tracks)} tracks is among the search's "
            "candidates: check the labels, and the search's bpm_min and bpm_max"
        )
    sign = [1.0 if t.on_beat else -1.0 for t in reliable]
    phase = fit_sign(
        np.stack([s * t.phase[t.right] for s, t in zip(sign, reliable, strict=True)]),
        np.array([t.example.weight for t in reliable]),
        PHASE_FEATURES,
        penalty,
    )
    chosen = []
    for t in known:
        later = (phase(t.phase) < 0).astype(np.int64)
        chosen.append(t.level[np.arange(len(later)), later])
    right = [int(t.right) for t in known if t.right is not None]
    weight = np.array([t.example.weight for t in known])
    level: LinearModel | NeuralModel
    if n_units:
        level = fit_neural_softmax(chosen, right, weight, LEVEL_FEATURES, penalty, n_units)
    else:
        level = fit_softmax(chosen, right, weight, LEVEL_FEATURES, penalty)
    nothing = LinearModel(CONFIDENCE_FEATURES, np.zeros(len(CONFIDENCE_FEATURES)))
    return Coefficients(level, phase, nothing)


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What the search with given models makes of one track."""

    features: FloatArray
    level_right: bool
    phase_right: bool
    worst_error_s: float
    nats: float

    @classmethod
    def nothing(cls) -> _Outcome:
        return cls(np.zeros(len(CONFIDENCE_FEATURES)), False, False, math.inf, MAX_NATS)

    @property
    def grid_right(self) -> bool:
        return self.level_right and self.worst_error_s <= TOLERANCE_S


def _public(outcome: _Outcome) -> TrackOutcome:
    return TrackOutcome(outcome.level_right, outcome.worst_error_s, outcome.nats)


def _outcome(track: _Track, search: GridSearch, models: Coefficients) -> _Outcome:
    activation, truth = track.example.activation, track.example.grid
    decision = search.decide(activation, models)
    if isinstance(decision, str):
        return _Outcome.nothing()
    line = search.refined(activation, decision, decision.candidates[decision.best].line)
    level_right = abs(line.period_s / truth.period_s - 1) < SAME_TEMPO
    return _Outcome(
        features=confidence_features(decision, line),
        level_right=level_right,
        phase_right=level_right and _middle_error_s(line, truth) < truth.period_s / 4,
        worst_error_s=worst_error_s(line, truth, activation.duration_s),
        nats=_nats(decision, truth),
    )


def _nats(decision: Decision, truth: Grid) -> float:
    probability = np.exp(-MAX_NATS)
    for i, candidate in enumerate(decision.candidates):
        line = candidate.line
        if abs(line.period_s / truth.period_s - 1) < SAME_TEMPO:
            on_beat = _middle_error_s(line, truth) < truth.period_s / 4
            logit = float(decision.phase_logit[i])
            probability += decision.probability[i] * sigmoid(logit if on_beat else -logit)
    return float(min(MAX_NATS, -np.log(probability)))


def worst_error_s(line: Line, truth: Grid, duration_s: float) -> float:
    """Largest distance from a true beat to the nearest beat of the line."""
    beats = (truth.beat_times(duration_s) - line.time_s) / line.period_s
    return float(np.max(np.abs(beats - np.round(beats)), initial=0.0)) * line.period_s


def _middle_error_s(line: Line, truth: Grid) -> float:
    beats = (line.time_s - truth.offset_s) / truth.period_s
    return abs(beats - round(beats)) * truth.period_s


def _folds(groups: Sequence[str], n_folds: int) -> NDArray[np.int64]:
    """Fold of each track; a group is never split."""
    order = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    return np.array([order[group] % n_folds for group in groups], dtype=np.int64)


def _auroc(
    features: FloatArray,
    right: NDArray[np.bool_],
    weight: FloatArray,
    folds: NDArray[np.int64],
    n_folds: int,
) -> float | None:
    from sklearn.metrics import roc_auc_score

    score = np.zeros(len(right))
    for fold in range(n_folds):
        seen = folds != fold
        score[~seen] = fit_probability(
            features[seen], right[seen], weight[seen], CONFIDENCE_FEATURES
        )(features[~seen])
    used = weight > 0
    if len(np.unique(right[used])) < 2:
        return None
    return float(roc_auc_score(right[used], score[used]))


def _report(
    tracks: Sequence[_Track], outcome: Sequence[_Outcome], auroc: float | None
) -> FitReport:
    weight = np.array([t.example.weight for t in tracks])
    level_right = np.array([o.level_right for o in outcome])
    reliable = np.array([t.example.phase_reliable for t in tracks])

    def share(hit: Iterable[bool], among: NDArray[np.bool_] | None = None) -> float:
        among = np.ones(len(tracks), dtype=bool) if among is None else among
        hits = np.array(list(hit), dtype=np.float64)
        total = float(weight[among].sum())
        return float((weight * hits)[among].sum() / total) if total > 0 else float("nan")

    return FitReport(
        n_tracks=len(tracks),
        level_found=share(t.right is not None for t in tracks),
        level_right=share(level_right),
        level_plain=share(t.right == t.plain and t.right is not None for t in tracks),
        phase_right=share((o.phase_right for o in outcome), reliable & level_right),
        grid_right=share((o.grid_right for o in outcome), reliable),
        confidence_auroc=auroc,
        tracks=(),
    )
