"""Sums over tracks: rates, medians, quality of the confidence, bootstrap intervals."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from beatgrid.evaluation.track import TrackScore


def auroc(score: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Return the area under the ROC curve: how often a positive outranks a negative, ties half.

    Args:
        score: Any ordering of the items, (items,).
        positive: The class of each, (items,).

    Returns:
        A value in [0, 1], or None with fewer than two classes.
    """
    is_positive = np.asarray(positive, dtype=bool)
    n_positive = int(is_positive.sum())
    n_negative = len(is_positive) - n_positive
    if not (n_positive and n_negative):
        return None
    _, inverse, count = np.unique(
        np.asarray(score, dtype=float), return_inverse=True, return_counts=True
    )
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse]  # mean rank of tied items, from 1
    u = rank[is_positive].sum() - n_positive * (n_positive + 1) / 2
    return float(u / (n_positive * n_negative))


@dataclass(frozen=True)
class ReliabilityBin:
    """Tracks whose confidence lies in ``[low, high)``, the last bin including 1.

    Attributes:
        low: Lower edge.
        high: Upper edge.
        n_tracks: Tracks in the bin.
        confidence: Their mean confidence; None in an empty bin.
        accuracy: The share of them that are right; None in an empty bin.
    """

    low: float
    high: float
    n_tracks: int
    confidence: float | None
    accuracy: float | None


def reliability(
    scores: Sequence[TrackScore], n_bins: int = 10, right: str = "grid_ok_21"
) -> list[ReliabilityBin]:
    """Compare confidence and accuracy in bins of equal width: equal in each if it is calibrated.

    Args:
        scores: Tracks; those without a confidence are left out.
        n_bins: Number of bins over [0, 1].
        right: Name of the boolean field of ``TrackScore`` that says what right means.
    """
    judged = [s for s in scores if s.confidence is not None]
    return reliability_of(
        [s.confidence for s in judged if s.confidence is not None],
        [getattr(s, right) for s in judged],
        n_bins,
    )


def reliability_of(
    confidence: Sequence[float], is_right: Sequence[bool], n_bins: int = 10
) -> list[ReliabilityBin]:
    """Compare probabilities with what came true, in bins of equal width.

    Args:
        confidence: Probabilities in [0, 1], (items,).
        is_right: Whether each came true, (items,).
        n_bins: Number of bins over [0, 1].
    """
    says, right = np.asarray(confidence, dtype=float), np.asarray(is_right, dtype=bool)
    index = np.minimum((says * n_bins).astype(int), n_bins - 1)
    bins = []
    for i in range(n_bins):
        inside = index == i
        bins.append(
            ReliabilityBin(
                low=i / n_bins,
                high=(i + 1) / n_bins,
                n_tracks=int(inside.sum()),
                confidence=float(says[inside].mean()) if inside.any() else None,
                accuracy=float(right[inside].mean()) if inside.any() else None,
            )
        )
    return bins


Statistic = Callable[[Sequence[TrackScore]], float | None]


def _rate(name: str) -> Statistic:
    """Return the mean of a field over the tracks where it applies; None where it never does."""

    def rate(scores: Sequence[TrackScore]) -> float | None:
        values = [value for s in scores if (value := getattr(s, name)) is not None]
        return float(np.mean(values)) if values else None

    return rate


def _phases_ms(scores: Sequence[TrackScore]) -> list[float]:
    """Return signed phases of the tracks on the beat: elsewhere a phase is not a precision."""
    return [
        s.phase_ms for s in scores if s.level == "ok" and not s.offbeat and s.phase_ms is not None
    ]


def _bias_ms(scores: Sequence[TrackScore]) -> float | None:
    phases = _phases_ms(scores)
    return float(np.median(phases)) if phases else None


def _phase_percentile_ms(percentile: float) -> Statistic:
    def phase_percentile_ms(scores: Sequence[TrackScore]) -> float | None:
        phases = _phases_ms(scores)
        return float(np.percentile(np.abs(phases), percentile)) if phases else None

    return phase_percentile_ms


def _confidence_auroc(scores: Sequence[TrackScore]) -> float | None:
    judged = [(s.confidence, s.grid_ok_21) for s in scores if s.confidence is not None]
    return auroc([c for c, _ in judged], [right for _, right in judged])


STATISTICS: MappingProxyType[str, Statistic] = MappingProxyType(
    {
        "level_ok": lambda scores: (
            float(np.mean([s.level == "ok" for s in scores])) if scores else None
        ),
        "grid_ok_10": _rate("grid_ok_10"),
        "grid_ok_21": _rate("grid_ok_21"),
        "grid_ok_10_multi": _rate("grid_ok_10_multi"),
        "grid_ok_21_multi": _rate("grid_ok_21_multi"),
        "drift_ok_multi": _rate("drift_ok_multi"),
        "offbeat": _rate("offbeat"),
        "bias_ms": _bias_ms,
        "phase_median_ms": _phase_percentile_ms(50),
        "phase_p95_ms": _phase_percentile_ms(95),
        "f_measure": _rate("f_measure"),
        "cmlt": _rate("cmlt"),
        "amlt": _rate("amlt"),
        "acc1": _rate("acc1"),
        "acc2": _rate("acc2"),
        "downbeat_accuracy": _rate("downbeat_ok"),
        "confidence_auroc": _confidence_auroc,
    }
)
"""Each summary over tracks by its name."""


HIGHER_IS_BETTER = frozenset(STATISTICS) - {"offbeat", "bias_ms", "phase_median_ms", "phase_p95_ms"}
"""Those that count what is right; the others measure errors."""


def summarise(scores: Sequence[TrackScore]) -> dict[str, float | None]:
    """Sum up a set of tracks: ``n_tracks`` and every entry of ``STATISTICS``.

    Rates are shares in [0, 1] of all tracks, ``offbeat`` too: it is not hidden by wrong levels,
    nor made worse by them. Where a score is None (``f_measure``, ``downbeat_accuracy``) the
    rate is that of the other tracks. ``bias_ms`` (signed median), ``phase_median_ms`` and
    ``phase_p95_ms`` (of the absolute phase) describe the tracks whose level is ok and that are
    on the beat. ``confidence_auroc`` is the confidence's for Grid-OK@21.5. A value is None
    where no track allows it, such as the AUROC when every track is right.
    """
    return {
        "n_tracks": len(scores),
        **{name: statistic(scores) for name, statistic in STATISTICS.items()},
    }


TEMPO_EDGES_BPM = (90, 120, 150, 180, 210)
"""Where the ranges of true tempo meet, by which tables group tracks."""


def tempo_range(bpm: float) -> str:
    """Return the name of the range that a tempo lies in: "90 to 120 BPM", "from 210 BPM"."""
    for low, high in itertools.pairwise((0, *TEMPO_EDGES_BPM)):
        if bpm < high:
            return f"{low} to {high} BPM"
    return f"from {TEMPO_EDGES_BPM[-1]} BPM"


def bootstrap(
    scores: Sequence[TrackScore], key: str, n: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval of a summary over tracks.

    Args:
        scores: Tracks, drawn again with replacement.
        key: A key of ``STATISTICS``.
        n: Number of draws.
        seed: Seed of the draws.
        level: Share of the draws inside the interval.

    Returns:
        The interval's (low, high), or None where the statistic does not apply.

    Raises:
        ValueError: If the key is unknown.
    """
    if key not in STATISTICS:
        raise ValueError(f"unknown statistic {key!r}; there are {', '.join(STATISTICS)}")
    statistic = STATISTICS[key]
    rng = np.random.default_rng(seed)
    draws = (
        statistic([scores[i] for i in rng.integers(len(scores), size=len(scores))])
        for _ in range(n if scores else 0)
    )
    # A draw can lack a class (AUROC) or every judged track; it then says nothing.
    values = [value for value in draws if value is not None]
    if not values:
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
