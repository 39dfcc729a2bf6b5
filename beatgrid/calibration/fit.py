"""Fits the ranker (level, phase, confidence and bar models) to labelled activations.

Features are few and the models small, with an L2 penalty, so that a few hundred tracks are
enough; the confidence is fitted to choices made by models that did not see the track.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from beatgrid.calibration.bars import BarExample, cross_validated_bars, fit_bars, refit_bars
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
    refit_choice,
    refit_logistic,
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
        bars_right: Share with the right first beat of the bar, given the true beats, of tracks
            whose bars are known; None if these are too few to fit to.
        bars_plain: The same by the network's downbeats alone.
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
    bars_right: float | None
    bars_plain: float | None
    confidence_auroc: float | None
    tracks: tuple[TrackOutcome, ...]


def fit_ranker(
    examples: Iterable[Example | tuple[Activation, Grid, float]],
    search: GridSearch | None = None,
    *,
    penalty: float = 10.0,
    n_folds: int = 5,
    n_units: int | None = None,
    start: Ranker | None = None,
    pull: float = 10.0,
) -> tuple[Ranker, FitReport]:
    """Fit a ranker.

    Args:
        examples: Labelled activations; plain (activation, grid, weight) tuples will do.
        search: Search whose candidates are ranked; the default one if None.
        penalty: L2 penalty on weights of standardised features, in units of one track.
        n_folds: Folds of the cross-validation that the confidence is fitted to.
        n_units: Hidden units of the level model; 0 makes it linear. By default 16 from
            ``ENOUGH_FOR_UNITS`` tracks on, else 0.
        start: A ranker fitted to other tracks, to fit on from: ``pull`` counts then instead of
            ``penalty`` and ``n_units``.
        pull: L2 penalty on what each weight differs from that of ``start``, in units of one track.

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
    method: _Method
    if start is None:
        if n_units is None:
            n_units = DEFAULT_UNITS if len(tracks) >= ENOUGH_FOR_UNITS else 0
        method = _FromNothing(penalty, n_units)
    else:
        method = _OnFrom(start, pull)

    judged = _cross_validated(tracks, folds, search, method)
    confidence = _ConfidenceData.of(tracks, judged, method)
    found = iter(judged)
    outcomes = tuple(TrackOutcome() if t is None else next(found).outcome for t in described)
    bars = [t.bars for t in tracks]
    ranker = Ranker(
        *_fit_choice(tracks, method),
        confidence.fitted(),
        method.bars([example for example in bars if example is not None]),
    )
    bar_shares = cross_validated_bars(bars, folds, method.bars)
    return ranker, _report(tracks, judged, bar_shares, confidence.auroc(folds), outcomes)


class _Method(Protocol):
    """How the models are fitted to examples; see ``calibration.models``."""

    def level(
        self, features: Sequence[FloatArray], right: Sequence[int], weight: FloatArray
    ) -> LinearModel | NeuralModel: ...

    def phase(self, positive: FloatArray, weight: FloatArray) -> LinearModel: ...

    def confidence(
        self, features: FloatArray, right: NDArray[np.bool_], weight: FloatArray
    ) -> LinearModel: ...

    def bars(self, examples: Sequence[BarExample]) -> LinearModel | None: ...


@dataclass(frozen=True)
class _FromNothing:
    """Models fitted to the examples alone."""

    penalty: float
    n_units: int

    def level(
        self, features: Sequence[FloatArray], right: Sequence[int], weight: FloatArray
    ) -> LinearModel | NeuralModel:
        examples = (features, right, weight, tuple(LEVEL_FEATURES))
        if self.n_units:
            return fit_neural_choice(*examples, self.penalty, self.n_units)
        return fit_choice(*examples, self.penalty)

    def phase(self, positive: FloatArray, weight: FloatArray) -> LinearModel:
        return fit_sign(positive, weight, tuple(PHASE_FEATURES), self.penalty)

    def confidence(
        self, features: FloatArray, right: NDArray[np.bool_], weight: FloatArray
    ) -> LinearModel:
        return fit_probability(features, right, weight, tuple(CONFIDENCE_FEATURES))

    def bars(self, examples: Sequence[BarExample]) -> LinearModel | None:
        return fit_bars(examples, self.penalty)


@dataclass(frozen=True)
class _OnFrom:
    """Models of a ranker moved towards the examples, no further than they are evidence for."""

    start: Ranker
    pull: float

    def level(
        self, features: Sequence[FloatArray], right: Sequence[int], weight: FloatArray
    ) -> LinearModel | NeuralModel:
        columns = _columns(self.start.level.names, LEVEL_FEATURES)
        return refit_choice(
            self.start.level, [f[:, columns] for f in features], right, weight, self.pull
        )

    def phase(self, positive: FloatArray, weight: FloatArray) -> LinearModel:
        columns = _columns(self.start.phase.names, PHASE_FEATURES)
        right = np.ones(len(positive), dtype=bool)
        return refit_logistic(
            self.start.phase, positive[:, columns], right, weight, self.pull, with_bias=False
        )

    def confidence(
        self, features: FloatArray, right: NDArray[np.bool_], weight: FloatArray
    ) -> LinearModel:
        columns = _columns(self.start.confidence.names, CONFIDENCE_FEATURES)
        return refit_logistic(self.start.confidence, features[:, columns], right, weight, self.pull)

    def bars(self, examples: Sequence[BarExample]) -> LinearModel | None:
        # What had no model before keeps its rule: a few tracks are none to fit one to.
        start = self.start.bars
        return None if start is None else refit_bars(start, examples, self.pull)


def _columns(names: Sequence[str], table: Iterable[str]) -> list[int]:
    """Return where a model's features are among all that are computed."""
    known = list(table)
    return [known.index(name) for name in names]


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
    method: _Method,
) -> list[Judged]:
    """Judge each track by models fitted to the other folds."""
    unfitted = LinearModel(tuple(CONFIDENCE_FEATURES), np.zeros(len(CONFIDENCE_FEATURES)))
    judged: dict[int, Judged] = {}
    for fold in np.unique(folds):
        seen = [t for t, f in zip(tracks, folds, strict=True) if f != fold]
        ranker = Ranker(*_fit_choice(seen, method), unfitted)
        for i in np.flatnonzero(folds == fold).tolist():
            judged[i] = judge(tracks[i].example, search, ranker)
    return [judged[i] for i in range(len(tracks))]


def _fit_choice(
    tracks: Sequence[LabelledCandidates], method: _Method
) -> tuple[LinearModel | NeuralModel, LinearModel]:
    """Fit the level and the phase model."""
    phase = _fit_phase(tracks, method)
    columns = _columns(phase.names, PHASE_FEATURES)
    known = [(t, t.right) for t in tracks if t.right is not None]
    level = method.level(
        [t.in_phase(t.phase[:, columns] @ phase.weights < 0) for t, _ in known],
        [right for _, right in known],
        np.array([t.example.weight for t, _ in known]),
    )
    return level, phase


def _fit_phase(tracks: Sequence[LabelledCandidates], method: _Method) -> LinearModel:
    reliable = [
        (t, t.phase[t.right]) for t in tracks if t.right is not None and t.example.phase_reliable
    ]
    if not reliable:
        raise ValueError(
            f"none of the labelled tempi of {len(tracks)} tracks is among the search's "
            "candidates: check the labels, and the search's bpm_min and bpm_max"
        )
    return method.phase(
        np.stack([features if t.on_beat else -features for t, features in reliable]),
        np.array([t.example.weight for t, _ in reliable]),
    )


@dataclass(frozen=True, eq=False)
class _ConfidenceData:
    """What the confidence is fitted to: features (tracks, features), truth and weight (tracks,)."""

    features: FloatArray
    right: NDArray[np.bool_]
    weight: FloatArray
    method: _Method

    @classmethod
    def of(
        cls, tracks: Sequence[LabelledCandidates], judged: Sequence[Judged], method: _Method
    ) -> _ConfidenceData:
        return cls(
            np.stack([j.features for j in judged]),
            np.array([j.outcome.grid_right for j in judged]),
            np.array([t.example.weight * t.example.phase_reliable for t in tracks]),
            method,
        )

    def part(self, chosen: NDArray[np.bool_]) -> _ConfidenceData:
        return _ConfidenceData(
            self.features[chosen], self.right[chosen], self.weight[chosen], self.method
        )

    def fitted(self) -> LinearModel:
        return self.method.confidence(self.features, self.right, self.weight)

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
            columns = _columns(model.names, CONFIDENCE_FEATURES)
            log_odds[unseen] = self.features[unseen][:, columns] @ model.weights + model.bias
        return float(roc_auc_score(self.right[used], log_odds[used]))


def _report(
    tracks: Sequence[LabelledCandidates],
    judged: Sequence[Judged],
    bar_shares: tuple[float | None, float | None],
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
        bars_right=bar_shares[0],
        bars_plain=bar_shares[1],
        confidence_auroc=auroc,
        tracks=outcomes,
    )
