"""Grid metrics for a Lightning module: ``beatgrid.evaluation`` over the tracks of all processes."""

from __future__ import annotations

import torch
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from beatgrid.evaluation import TrackScore, summarise
from beatgrid.evaluation.codec import FIELDS, from_numbers, to_numbers


class GridMetrics(Metric):
    """Collects the scores of tracks and sums them up when an epoch ends.

    Medians and the AUROC need every track, so the state is one list of rows rather than sums. It is
    kept flat, for a process that saw no track to contribute an empty tensor of the same rank.

    Example:
        In a LightningModule: ``metrics.update(evaluate_track(...), index)`` in
        ``validation_step``; ``log_dict(metrics.compute())`` and ``metrics.reset()`` in
        ``on_validation_epoch_end``.
    """

    full_state_update = False
    rows: list[torch.Tensor]

    def __init__(self, prefix: str = "") -> None:
        """Create an empty collection.

        Args:
            prefix: Put before each key of the result, e.g. "val/".
        """
        super().__init__()
        self.prefix = prefix
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    def update(self, score: TrackScore, index: int) -> None:
        """Add a track.

        Args:
            score: Its scores.
            index: Its place in the data set. A track that comes twice counts once.
        """
        self.rows.append(
            torch.tensor([index, *to_numbers(score)], dtype=self.dtype, device=self.device)
        )

    def scores(self) -> list[TrackScore]:
        """Return this process's scores by track index (all scores, inside ``sync_context``)."""
        if not len(self.rows):  # a list, or one tensor once processes are joined
            return []
        table = dim_zero_cat(self.rows).reshape(-1, 1 + len(FIELDS)).tolist()
        by_index = {int(row[0]): row[1:] for row in table}
        return [from_numbers(by_index[index]) for index in sorted(by_index)]

    def compute(self) -> dict[str, float]:
        """Summarise all tracks, without the keys that do not apply, which have no curve."""
        summary = summarise(self.scores())
        return {
            f"{self.prefix}{name}": float(value)
            for name, value in summary.items()
            if value is not None
        }
