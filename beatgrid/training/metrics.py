"""Grid metrics for a Lightning module: ``beatgrid.evaluation`` over the tracks of all processes."""

from __future__ import annotations

import dataclasses
import math

import torch
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from beatgrid.evaluation import LEVELS, TrackScore, summarise

_FIELDS = [field.name for field in dataclasses.fields(TrackScore)]
# With postponed annotations a field's type is its source text.
_FLAGS = {field.name for field in dataclasses.fields(TrackScore) if "bool" in str(field.type)}
_LEVEL_NAMES = [*LEVELS, "other", "none"]


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
        """Creates an empty collection.

        Args:
            prefix: Put before each key of the result, e.g. "val/".
        """
        super().__init__()
        self.prefix = prefix
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    def update(self, score: TrackScore, index: int) -> None:
        """Adds a track.

        Args:
            score: Its scores.
            index: Its place in the data set. A track seen twice counts once: distributed samplers
                repeat tracks until every process has as many as the others.
        """
        self.rows.append(
            torch.tensor([index, *_encode(score)], dtype=self.dtype, device=self.device)
        )

    def scores(self) -> list[TrackScore]:
        """Scores of the tracks of this process (of all, inside ``sync_context``), by index."""
        if not len(self.rows):  # a list, or one tensor once processes are joined
            return []
        table = dim_zero_cat(self.rows).reshape(-1, 1 + len(_FIELDS)).tolist()
        by_index = {int(row[0]): row[1:] for row in table}
        return [_decode(by_index[index]) for index in sorted(by_index)]

    def compute(self) -> dict[str, float]:
        """``summarise`` of all tracks without the keys that do not apply, which have no curve."""
        summary = summarise(self.scores())
        return {
            f"{self.prefix}{name}": float(value)
            for name, value in summary.items()
            if value is not None
        }


def _encode(score: TrackScore) -> list[float]:
    """A row of numbers: the level by its place in the list, NaN for None."""
    row = []
    for name in _FIELDS:
        value = getattr(score, name)
        if name == "level":
            value = _LEVEL_NAMES.index(value)
        row.append(math.nan if value is None else float(value))
    return row


def _decode(row: list[float]) -> TrackScore:
    values: dict[str, object] = {}
    for name, value in zip(_FIELDS, row, strict=True):
        if name == "level":
            values[name] = _LEVEL_NAMES[int(value)]
        elif math.isnan(value):
            values[name] = None
        else:
            values[name] = bool(value) if name in _FLAGS else value
    return TrackScore(**values)  # type: ignore[arg-type]
