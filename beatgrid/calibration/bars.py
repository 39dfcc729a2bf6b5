"""Fits what chooses the first beat of the bar, on tracks whose bars are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beatgrid.calibration.models import fit_choice, refit_choice
from beatgrid.grid import FloatArray, Grid
from beatgrid.search.bar_features import BAR_FEATURES, BEATS_PER_BAR, bar_features
from beatgrid.search.downbeat import bar_phase
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.line import Line
from beatgrid.search.ranker import LinearModel, feature_matrix

# With fewer tracks than this the network's downbeats alone choose.
ENOUGH_FOR_BARS = 60


@dataclass(frozen=True, eq=False)
class BarExample:
    """The beats of a bar of four along a track's true grid, and which of them is the first.

    Attributes:
        features: ``BAR_FEATURES`` of each beat of the bar, (4, features).
        right: The first one.
        plain: What the network's downbeats alone choose.
        weight: How much the track counts.
    """

    features: FloatArray
    right: int
    plain: int
    weight: float

    @classmethod
    def of(
        cls, extractor: FeatureExtractor, truth: Grid, duration_s: float, weight: float
    ) -> BarExample | None:
        """Describe a track.

        Args:
            extractor: Holds the channels.
            truth: The true grid.
            duration_s: Length of the track.
            weight: How much it counts.

        Returns:
            None where the track does not count, has other bars, or lacks a channel.
        """
        if weight <= 0 or truth.beats_per_bar != BEATS_PER_BAR or extractor.downbeat is None:
            return None
        line = Line.through(truth.offset_s, truth.period_s, 0.0, duration_s)
        features = bar_features(extractor, line.times_s, line.first)
        if features is None:
            return None
        at_beats = extractor.sample(extractor.downbeat, line.times_s)
        return cls(
            feature_matrix(features, BAR_FEATURES),
            round((truth.offset_s - line.time_s) / line.period_s) % BEATS_PER_BAR,
            bar_phase(at_beats, line.first, (BEATS_PER_BAR,)).phase,
            weight,
        )


def fit_bars(examples: Sequence[BarExample], penalty: float) -> LinearModel | None:
    """Fit the weights that make the true first beats the most probable ones.

    Args:
        examples: Tracks whose bars are known.
        penalty: L2 penalty on weights of standardised features, in units of one track.

    Returns:
        The model; None if there are too few tracks.
    """
    if len(examples) < ENOUGH_FOR_BARS:
        return None
    features, right, weight = _stacked(examples)
    return fit_choice(features, right, weight, BAR_FEATURES, penalty)


def refit_bars(start: LinearModel, examples: Sequence[BarExample], pull: float) -> LinearModel:
    """Fit on from a model fitted to other tracks, held near to it; see ``refit_choice``."""
    if not examples:
        return start
    features, right, weight = _stacked(examples)
    columns = [BAR_FEATURES.index(name) for name in start.names]
    moved = refit_choice(start, [f[:, columns] for f in features], right, weight, pull)
    assert isinstance(moved, LinearModel)  # as what it starts from
    return moved


def _stacked(examples: Sequence[BarExample]) -> tuple[list[FloatArray], list[int], FloatArray]:
    weight = np.array([e.weight for e in examples])
    return [e.features for e in examples], [e.right for e in examples], weight


def cross_validated_bars(
    examples: Sequence[BarExample | None],
    folds: NDArray[np.int64],
    fit: Callable[[Sequence[BarExample]], LinearModel | None],
) -> tuple[float | None, float | None]:
    """Judge each track's bars by a model fitted to the other folds.

    Args:
        examples: Of each track; None where its bars are not known.
        folds: Of each track, (tracks,).
        fit: Fits a model; None where there are too few tracks for one.

    Returns:
        Share of tracks whose first beat is right by the model, and by the network's downbeats
        alone, given the true beats. None where there is no such track, or no model.
    """
    known = [(e, int(fold)) for e, fold in zip(examples, folds, strict=True) if e is not None]
    if not known:
        return None, None
    total = sum(e.weight for e, _ in known)
    plain = sum(e.weight * (e.plain == e.right) for e, _ in known) / total
    right = 0.0
    for fold in {fold for _, fold in known}:
        model = fit([e for e, other in known if other != fold])
        if model is None:
            return None, plain
        columns = [BAR_FEATURES.index(name) for name in model.names]
        for e in (e for e, own in known if own == fold):
            chosen = int(np.argmax(e.features[:, columns] @ model.weights))
            right += e.weight * (chosen == e.right)
    return right / total, plain
