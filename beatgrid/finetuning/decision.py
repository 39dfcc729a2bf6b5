"""Whether a fine-tuned model is taken, by tracks that it did not learn from.

The verdict is spoken on other tracks again (``verdict``): what was chosen by a measure looks
better by it than it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from beatgrid.calibration.examples import TrackOutcome
from beatgrid.evaluation.paired import compare_pairs
from beatgrid.finetuning.refit import Outcomes

# So many rendered pieces more may be lost than won, as a share: about a standard error of what
# fifty pieces tell.
MAX_NET_LOSS = 0.04
# Fewer nats than this on the truth are no progress, where as many grids are right.
MIN_PROGRESS_NATS = 0.02


@dataclass(frozen=True)
class Decision:
    """What was decided.

    Attributes:
        candidate: The best of the fine-tuned models, by name.
        is_taken: Whether it takes the place of the model before, in as far as these tracks say.
        reason: Why, in a clause.
        won: Tracks of the user's among them that are right only after.
        lost: Those that are right only before.
    """

    candidate: str
    is_taken: bool
    reason: str
    won: int
    lost: int


def decide(before: Outcomes, candidates: Mapping[str, Outcomes]) -> Decision:
    """Choose among fine-tuned models, and say whether the best of them is taken.

    It is taken if it has more of the user's grids right, or as many at a lower cost of the truth,
    and loses next to nothing on rendered music. Without evidence the model before is kept.

    Args:
        before: What the model before makes of the tracks.
        candidates: The same of each fine-tuned model, by name.
    """
    name = max(candidates, key=lambda n: _merit(candidates[n]))
    after = candidates[name]
    was, now = (_right(side) for side in (before.own, after.own))
    progress = _nats(before.own) - _nats(after.own)
    own = compare_pairs(now, was)
    exchange = (own.n_first_only, own.n_second_only)
    pairing = compare_pairs(_right(after.rendered), _right(before.rendered))
    won, lost = pairing.n_first_only, pairing.n_second_only
    counts = f"{sum(was)} -> {sum(now)} of {len(now)} of your tracks set aside to choose by"
    if lost - won > MAX_NET_LOSS * len(before.rendered) or pairing.is_worse:
        n_pieces = len(before.rendered)
        reason = f"of {n_pieces} rendered pieces to choose by it loses {lost} and wins {won}"
        return Decision(name, False, reason, *exchange)
    if sum(now) < sum(was):
        return Decision(name, False, f"it has fewer grids right: {counts}", *exchange)
    if sum(now) == sum(was) and progress < MIN_PROGRESS_NATS:
        return Decision(
            name, False, f"it has no more grids right, nor is it surer: {counts}", *exchange
        )
    how = "more grids are right" if sum(now) > sum(was) else "as many grids are right, more surely"
    return Decision(name, True, f"{how}: {counts}", *exchange)


def _right(side: Sequence[TrackOutcome]) -> list[bool]:
    return [outcome.grid_right for outcome in side]


def _nats(side: Sequence[TrackOutcome]) -> float:
    return float(np.mean([outcome.nats for outcome in side])) if side else 0.0


def _merit(after: Outcomes) -> tuple[float, float]:
    """Order models: by right grids, then by the cost of the truth, both sides alike."""
    sides = [side for side in (after.own, after.rendered) if side]
    right = float(np.mean([np.mean(_right(side)) for side in sides]))
    return right, -float(np.mean([_nats(side) for side in sides]))
