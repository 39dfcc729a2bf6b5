"""Tracks weighed so that tempi come as often as they are wanted, whatever the data hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beatgrid.checks import Interval, NotNegative
from beatgrid.data.track import Track
from beatgrid.errors import BeatgridError

TempoShares = Sequence[tuple[Annotated[float, Interval(0, 10_000)], NotNegative]]
"""Pairs of a tempo and the share of what lies from there to the next pair's tempo."""

# A few tracks do not stand for a whole range: none counts more than so many times its weight.
MAX_FACTOR = 4.0


def shared(
    tracks: Sequence[Track], shares: TempoShares, lengths: Sequence[float] | None = None
) -> list[Track]:
    """Return tracks with weights that give tempo ranges their shares.

    Args:
        tracks: With weights of their own, and features where ``lengths`` is given.
        shares: See ``shared_weights``.
        lengths: How much each track counts beside its weight; all alike if None.

    Raises:
        BeatgridError: The shares are no division of tempi.
    """
    weight = np.array([track.weight for track in tracks])
    amount = weight if lengths is None else weight * np.asarray(lengths, dtype=np.float64)
    factor = shared_weights([track.grid.bpm for track in tracks], amount, shares)
    return [
        replace(track, weight=float(w)) for track, w in zip(tracks, weight * factor, strict=True)
    ]


def shared_weights(bpm: ArrayLike, amount: ArrayLike, shares: TempoShares) -> NDArray[np.float64]:
    """Return the factor of each track that makes tempo ranges have their shares.

    Ranges without a track are left out, and none grows by more than ``MAX_FACTOR`` times.

    Args:
        bpm: Tempo of each track.
        amount: How much it counts without the factor: its weight, in training times its length.
        shares: Such as ``[(0, 0.25), (90, 0.5), (150, 0.25)]``: a quarter below 90 BPM. They need
            not sum to 1.

    Returns:
        Factors, (tracks,); the sum of amounts stays as it is where no bound is met.

    Raises:
        BeatgridError: The tempi do not begin at 0 and rise, or no share is above 0.
    """
    edges = np.array([edge for edge, _ in shares], dtype=np.float64)
    wanted = np.array([share for _, share in shares], dtype=np.float64)
    if not len(edges) or edges[0] != 0 or np.any(np.diff(edges) <= 0) or not wanted.any():
        raise BeatgridError(
            f"data.tempo_shares={[list(pair) for pair in shares]}: give [BPM, share] from 0 BPM "
            "on, rising, for instance [[0,0.25],[90,0.5],[150,0.25]]"
        )
    amounts = np.asarray(amount, dtype=np.float64)
    part = np.searchsorted(edges, np.asarray(bpm, dtype=np.float64), side="right") - 1
    held = np.bincount(part, weights=amounts, minlength=len(edges))
    wanted = np.where(held > 0, wanted, 0.0)
    target = wanted / max(wanted.sum(), np.finfo(float).tiny) * amounts.sum()
    factor = np.divide(target, held, out=np.zeros(len(edges)), where=held > 0)
    return np.minimum(factor, MAX_FACTOR)[part]
