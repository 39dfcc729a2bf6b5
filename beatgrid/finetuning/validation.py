"""What the epoch is chosen by: right grids on the user's tracks and on rendered ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import lightning as L
import numpy as np

from beatgrid.data.track import Track
from beatgrid.evaluation import TrackScore
from beatgrid.training.callbacks import GridValidation
from beatgrid.training.metrics import GridMetrics

if TYPE_CHECKING:
    from beatgrid.search import Search

SCORE = "val/score"
SIDES = ("own", "rendered")
LOGGED = ("n_tracks", "level_ok", "grid_ok_10", "grid_ok_21", "offbeat")
# Of a nat of the loss in the score: it decides between epochs whose grids are equally right.
LOSS_WEIGHT = 1e-3


class TwoSidedValidation(GridValidation):
    """Logs the metrics of grids apart for the user's tracks and for rendered ones, and a score.

    ``val/score`` is the mean over both sides of the shares of right levels and of right grids
    (Grid-OK@21.5), half each: five tracks of the user's count as much as fifty rendered ones.
    Higher is better. The loss decides between equal ones.

    Args:
        search: Turns an Activation into a GridEstimate.
    """

    def __init__(self, search: Search) -> None:
        super().__init__(search)
        self.sides = {side: GridMetrics() for side in SIDES}
        self.losses: dict[str, list[float]] = {side: [] for side in SIDES}

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget the last epoch."""
        super().on_validation_epoch_start(trainer, pl_module)
        self.sides = {side: GridMetrics(f"val/{side}_").to(pl_module.device) for side in SIDES}
        self.losses = {side: [] for side in SIDES}

    def add(self, track: Track, score: TrackScore, outputs: Mapping[str, Any], index: int) -> None:
        """Count a track on its side."""
        super().add(track, score, outputs, index)
        side = "rendered" if track.audio_path is None else "own"
        self.sides[side].update(score, index)
        self.losses[side].append(float(outputs["loss"]))

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the metrics of both sides, and the score."""
        super().on_validation_epoch_end(trainer, pl_module)
        scores = []
        for side in SIDES:
            if self.losses[side]:
                found = self.sides[side].compute()
                rates = [found[f"val/{side}_{name}"] for name in ("level_ok", "grid_ok_21")]
                pl_module.log_dict(
                    {f"val/{side}_{name}": found[f"val/{side}_{name}"] for name in LOGGED}
                )
                scores.append(float(np.mean(rates) - LOSS_WEIGHT * np.mean(self.losses[side])))
        pl_module.log(SCORE, float(np.mean(scores)), prog_bar=True)
