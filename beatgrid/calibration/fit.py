"""Fits the ranker (level, phase and confidence models) to labelled activations.

Features are few and the models small, with an L2 penalty, so that a few hundred tracks are
enough; the confidence is fitted to choices made by models that did not see the track.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beatgrid.calibration.examples import (
    Example,
    Judged,
    LabelledCandidates,
    TrackOutcome,
    judge,
)
from beatgrid.calibration.models import (
    fit_choice,
    fit_neural_choice,
    fit_probability,
    fit_sign,
)
from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.search.features import CONFIDENCE_FEATURES, LEVEL_FEATURES, PHASE_FEATURES
from beatgrid.search.grid_search import GridSearch
from beatgrid.search.ranker import LinearModel, NeuralModel, Ranker

# With fewer tracks than this a hidden layer does not pay.
ENOUGH_FOR_UNITS = 150
DEFAULT_UNITS = 16


@dataclass(frozen=True)
class FitReport:
    """Cross-validated quality of what was fitted, on tracks each fold had not seen.

    Shares are None where there is no track to count.

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
    level_found: float | None
    level_right: float | None
    level_plain: float | None
    phase_right: float | None
    grid_right: float | None
    confidence_auroc: float | None
    tracks: tuple[TrackOutcome, ...]


def fit_ranker(
    examples: Iterable[Example | tuple[Activation, Grid, float]],
    search: GridSearch | None = None,
    *,
    penalty: float = 10.0,
    n_folds: int = 5,
    n_units: int | None = None,
) -> tuple[Ranker, FitReport]:
    """Fit a ranker.

    Args:
        examples: Labelled activations; plain (activation, grid, weight) tuples will do.
        search: Search whose candidates are ranked; the default one if None.
        penalty: L2 penalty on weights of standardised features, in units of one track.
        n_folds: Folds of the cross-validation that the confidence is fitted to.
        n_units: Hidden units of the level model; 0 makes it linear. By default 16 from
            ``ENOUGH_FOR_UNITS`` tracks on, else 0.

    Returns:
        (ranker, cross-validated report).

    Raises:
        ValueError: If there are fewer tracks with a grid than folds, or hardly any label's
            tempo is among its track's candidates.
    """
    search = GridSearch() if search is None else search
    weighed = (e for e in (Example(*e) for e in examples) if e.weight > 0)
    described = [LabelledCandidates.of(e, search) for e in weighed]
    tracks = [t for t in described if t is not None]
    folds = _folds([t.example.group or f"track {i}" for i, t in enumerate(tracks)], n_folds)
    if n_units is None:
        n_units = DEFAULT_UNITS if len(tracks) >= ENOUGH_FOR_UNITS else 0

    judged = _cross_validated(tracks, folds, search, penalty, n_units)
    confidence = _ConfidenceData.of(tracks, judged)
    found = iter(judged)
    outcomes = tuple(TrackOutcome() if t is None else next(found).outcome for t in described)
    ranker = Ranker(*_fit_choice(tracks, penalty, n_units), confidence.fitted())
    return ranker, _report(tracks, judged, confidence.auroc(folds), outcomes)


def _folds(groups: Sequence[str], n_folds: int) -> NDArray[np.int64]:
    """Fold of each track; a group is never split."""
    order = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    if len(order) < n_folds:
        raise ValueError(
            f"need at least {n_folds} labelled tracks (or groups of versions of one) with a "
            f"beat, got {len(order)}"
        )
    return np.array([order[group] % n_folds for group in groups], dtype=np.int64)


def _cross_validated(
    tracks: Sequence[LabelledCandidates],
    folds: NDArray[np.int64],
    search: GridSearch,
    penalty: float,
    n_units: int,
) -> list[Judged]:
    """Judge each track by models fitted to the other folds."""
    unfitted = LinearModel(tuple(CONFIDENCE_FEATURES), np.zeros(len(CONFIDENCE_FEATURES)))
    judged: dict[int, Judged] = {}
    for fold in np.unique(folds):
        seen = [t for t, f in zip(tracks, folds, strict=True) if f != fold]
        ranker = Ranker(*_fit_choice(seen, penalty, n_units), unfitted)
        for i in np.flatnonzero(folds == fold).tolist():
            judged[i] = judge(tracks[i].example, search, ranker)
    return [judged[i] for i in range(len(tracks))]


def _fit_choice(
    tracks: Sequence[LabelledCandidates], penalty: float, n_units: int
) -> tuple[LinearModel | NeuralModel, LinearModel]:
    """Fit the level and the phase model."""
    phase = _fit_phase(tracks, penalty)
    known = [(t, t.right) for t in tracks if t.right is not None]
    examples = (
        [t.in_phase(t.phase @ phase.weights < 0) for t, _ in known],
        [right for _, right in known],
        np.array([t.example.weight for t, _ in known]),
        tuple(LEVEL_FEATURES),
    )
    if n_units:
        return fit_neural_choice(*examples, penalty, n_units), phase
    return fit_choice(*examples, penalty), phase


def _fit_phase(tracks: Sequence[LabelledCandidates], penalty: float) -> LinearModel:
    reliable = [
        (t, t.phase[t.right]) for t in tracks if t.right is not None and t.example.phase_reliable
    ]
    if not reliable:
        raise ValueError(
            f"none of the labelled tempi of {len(tracks)} tracks is among the search's "
            "candidates: check the labels, and the search's bpm_min and bpm_max"
        )
    return fit_sign(
        np.stack([features if t.on_beat else -features for t, features in reliable]),
        np.array([t.example.weight for t, _ in reliable]),
        tuple(PHASE_FEATURES),
        penalty,
    )


@dataclass(frozen=True, eq=False)
class _ConfidenceData:
    """What the confidence is fitted to: features (tracks, features), truth and weight (tracks,)."""

    features: FloatArray
    right: NDArray[np.bool_]
    weight: FloatArray

    @classmethod
    def of(cls, tracks: Sequence[LabelledCandidates], judged: Sequence[Judged]) -> _ConfidenceData:
        return cls(
            np.stack([j.features for j in judged]),
            np.array([j.outcome.grid_right for j in judged]),
            np.array([t.example.weight * t.example.phase_reliable for t in tracks]),
        )

    def part(self, chosen: NDArray[np.bool_]) -> _ConfidenceData:
        return _ConfidenceData(self.features[chosen], self.right[chosen], self.weight[chosen])

    def fitted(self) -> LinearModel:
        return fit_probability(self.features, self.right, self.weight, tuple(CONFIDENCE_FEATURES))

    def auroc(self, folds: NDArray[np.int64]) -> float | None:
        """Return the cross-validated AUROC; None if all are right or all wrong."""
        from sklearn.metrics import roc_auc_score

        used = self.weight > 0
        if len(np.unique(self.right[used])) < 2:
            return None
        log_odds = np.zeros(len(self.right))
        for fold in np.unique(folds):
            model = self.part(folds != fold).fitted()
            unseen = folds == fold
            log_odds[unseen] = self.features[unseen] @ model.weights + model.bias
        return float(roc_auc_score(self.right[used], log_odds[used]))


def _report(
    tracks: Sequence[LabelledCandidates],
    judged: Sequence[Judged],
    auroc: float | None,
    outcomes: tuple[TrackOutcome, ...],
) -> FitReport:
    weight = np.array([t.example.weight for t in tracks])
    level_right = np.array([j.outcome.level_right for j in judged])
    reliable = np.array([t.example.phase_reliable for t in tracks])
    every = np.ones(len(tracks), dtype=bool)

    def share(hit: Iterable[bool], among: NDArray[np.bool_] = every) -> float | None:
        hits = np.array(list(hit), dtype=np.float64)
        total = float(weight[among].sum())
        return float((weight * hits)[among].sum() / total) if total > 0 else None

    return FitReport(
        n_tracks=len(tracks),
        level_found=share(t.right is not None for t in tracks),
        level_right=share(level_right),
        level_plain=share(t.right == t.plain for t in tracks),
        phase_right=share((j.phase_right for j in judged), reliable & level_right),
        grid_right=share((j.outcome.grid_right for j in judged), reliable),
        confidence_auroc=auroc,
        tracks=outcomes,
    )
