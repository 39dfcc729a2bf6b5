"""Two methods on the same tracks: who is right where, and whether that is more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beatgrid.evaluation.summary import STATISTICS
from beatgrid.evaluation.track import TrackScore

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Pairing:
    """Two methods' verdicts on the same tracks.

    Attributes:
        n_both: Tracks that both have right.
        n_first_only: Tracks that only the first has right.
        n_second_only: Tracks that only the second has right.
        n_neither: Tracks that neither has right.
        difference: Share of right tracks, the first's less the second's.
        interval: Percentile bootstrap interval of the difference, 95 %; None without tracks.
        p_value: Of McNemar's exact test: ``mcnemar_exact``.
    """

    n_both: int
    n_first_only: int
    n_second_only: int
    n_neither: int
    difference: float
    interval: tuple[float, float] | None
    p_value: float

    @property
    def is_better(self) -> bool:
        """The first has more right, beyond chance."""
        return self.n_first_only > self.n_second_only and self.p_value < SIGNIFICANCE

    @property
    def is_worse(self) -> bool:
        """The first has fewer right, beyond chance."""
        return self.n_first_only < self.n_second_only and self.p_value < SIGNIFICANCE


def compare_pairs(
    first: Sequence[bool], second: Sequence[bool], n: int = 1000, seed: int = 0
) -> Pairing:
    """Compare two methods track by track.

    Args:
        first: Whether the first method is right, (tracks,).
        second: The same of the second, for the same tracks.
        n: Draws of the bootstrap.
        seed: Of the draws.

    Raises:
        ValueError: The sequences differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} tracks of the first, {len(second)} of the second")
    one, two = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    difference = one.astype(float) - two.astype(float)
    interval = None
    if len(one):
        # Tracks are drawn, with both verdicts: what is hard for one is often hard for the other.
        draws = np.random.default_rng(seed).integers(len(one), size=(n, len(one)))
        low, high = np.quantile(difference[draws].mean(axis=1), [0.025, 0.975])
        interval = float(low), float(high)
    n_first_only, n_second_only = int((one & ~two).sum()), int((two & ~one).sum())
    return Pairing(
        n_both=int((one & two).sum()),
        n_first_only=n_first_only,
        n_second_only=n_second_only,
        n_neither=int((~one & ~two).sum()),
        difference=float(difference.mean()) if len(one) else 0.0,
        interval=interval,
        p_value=mcnemar_exact(n_first_only, n_second_only),
    )


def bootstrap_difference(
    first: Sequence[TrackScore],
    second: Sequence[TrackScore],
    key: str,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval of a summary's difference, the first's less.

    Args:
        first: Scores of the first method.
        second: Those of the second, of the same tracks in the same order.
        key: A key of ``STATISTICS``.
        n: Number of draws; tracks are drawn with both scores.
        seed: Seed of the draws.
        level: Share of the draws inside the interval.

    Returns:
        The interval's (low, high), or None where the statistic does not apply.

    Raises:
        ValueError: If the key is unknown or the sequences differ in length.
    """
    if key not in STATISTICS:
        raise ValueError(f"unknown statistic {key!r}; there are {', '.join(STATISTICS)}")
    if len(first) != len(second):
        raise ValueError(f"{len(first)} tracks of the first, {len(second)} of the second")
    statistic = STATISTICS[key]
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(n if first else 0):
        drawn = rng.integers(len(first), size=len(first))
        one, two = (statistic([scores[i] for i in drawn]) for scores in (first, second))
        if one is not None and two is not None:
            values.append(one - two)
    if not values:
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mcnemar_exact(n_first_only: int, n_second_only: int) -> float:
    """Return the two-sided p-value of McNemar's exact test.

    If both methods were equally good, each track that only one of them has right would be either's
    with probability one half.

    Args:
        n_first_only: Tracks that only the first method has right.
        n_second_only: Tracks that only the second has right.

    Returns:
        The probability of a split at least as uneven; 1 where no track tells them apart.
    """
    n, fewer = n_first_only + n_second_only, min(n_first_only, n_second_only)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / 2**n)
