"""Lightning callbacks: grids in validation, pictures and clicks in TensorBoard, chance by step."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from beatgrid.activation.chunks import TrackLogits
from beatgrid.activation.evidence import Calibration, track_activation
from beatgrid.audio.reader import load_audio
from beatgrid.checks import Count, Name, Positive, Seed, Whole
from beatgrid.data.dataset import CropDataset
from beatgrid.data.track import Track, score_track
from beatgrid.errors import AudioError
from beatgrid.evaluation import TrackScore
from beatgrid.grid import Activation
from beatgrid.output.figures import excerpt_figure
from beatgrid.output.sonify import mix_clicks
from beatgrid.training.metrics import GridMetrics
from beatgrid.training.module import BeatModule

if TYPE_CHECKING:
    from beatgrid.search import Ranker, Search

logger = logging.getLogger(__name__)


def _stage(trainer: L.Trainer) -> str:
    return "test" if trainer.testing else "val"


def _track_and_activation(
    trainer: L.Trainer,
    module: L.LightningModule,
    batch: Mapping[str, Tensor],
    outputs: Mapping[str, Any],
) -> tuple[Track, Activation, Ranker | None]:
    """Return the track of a whole-track batch (of one), its activation, and the ranker for it."""
    assert isinstance(module, BeatModule)
    calibration = Calibration.from_dict(module.calibration, "this training's")
    loader: Any = trainer.test_dataloaders if trainer.testing else trainer.val_dataloaders
    dataset: CropDataset = loader.dataset
    track = dataset.tracks[int(batch["track"][0])]
    activation = track_activation(
        TrackLogits(
            outputs["logits"][0].float().cpu().numpy(),
            None if outputs["tempo"] is None else outputs["tempo"][0].float().cpu().numpy(),
        ),
        batch["features"][0].float().cpu().numpy(),
        module.spec,
        track.duration_s,
        calibration.temperatures,
    )
    return track, activation, calibration.ranker


class GridValidation(L.Callback):
    """Runs every validation track through the grid search and logs how right its grid is.

    The loss says how well frames are told apart; these say what a user gets.

    Args:
        search: Turns an Activation into a GridEstimate.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.metrics = GridMetrics()

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget the last epoch."""
        self.metrics = GridMetrics(prefix=f"{_stage(trainer)}/").to(pl_module.device)

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Find and score one track's grid."""
        if not batch["counts"][0]:
            return
        track, activation, ranker = _track_and_activation(trainer, pl_module, batch, outputs)
        score = score_track(track, activation, self.search(activation, ranker))
        self.add(track, score, outputs, int(batch["track"][0]))

    def add(self, track: Track, score: TrackScore, outputs: Mapping[str, Any], index: int) -> None:
        """Count a track's score; ``index`` is its place in the data set."""
        self.metrics.update(score, index)

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the metrics over all tracks of all processes."""
        # Equal in all processes, each of which may look at one of them to stop early.
        pl_module.log_dict(self.metrics.compute(), sync_dist=True)

    on_test_epoch_start = on_validation_epoch_start
    on_test_batch_end = on_validation_batch_end
    on_test_epoch_end = on_validation_epoch_end


class TrackPictures(L.Callback):
    """Shows the first validation tracks in TensorBoard: a picture of the grid, and its clicks.

    Does nothing with another logger.

    Args:
        search: Turns an Activation into a GridEstimate.
        n_tracks: How many tracks, the first ones by name, the same in every epoch.
        excerpt_s: Length of picture and sound, from the middle of the track.
        every_n_epochs: How often; sounds are written once a picture is.
    """

    def __init__(
        self, search: Search, n_tracks: Whole, excerpt_s: Positive, every_n_epochs: Count
    ) -> None:
        self.search = search
        self.n_tracks, self.excerpt_s, self.every_n_epochs = n_tracks, excerpt_s, every_n_epochs

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw one of the first tracks."""
        if (
            batch_idx >= self.n_tracks
            or not isinstance(trainer.logger, TensorBoardLogger)
            or not trainer.is_global_zero
            or trainer.current_epoch % self.every_n_epochs
        ):
            return
        assert isinstance(pl_module, BeatModule)
        track, activation, ranker = _track_and_activation(trainer, pl_module, batch, outputs)
        estimate = self.search(activation, ranker)
        start_s = max(0.0, track.duration_s / 2 - self.excerpt_s / 2)
        stop_s = min(track.duration_s, start_s + self.excerpt_s)
        figure = excerpt_figure(
            batch["features"][0].float().cpu().numpy(),
            activation,
            estimate,
            reference=track.grid,
            start_s=start_s,
            end_s=stop_s,
            title=track.name,
        )
        board = trainer.logger.experiment
        board.add_figure(f"tracks/{track.name}", figure, trainer.global_step, close=False)
        if track.audio_path is not None and estimate.grid is not None:
            rate = pl_module.spec.sample_rate
            try:
                samples = load_audio(track.audio_path, rate).samples
            except AudioError as error:  # gone or changed since its features were computed
                logger.warning("no sound of %s in TensorBoard: %s", track.name, error)
                return
            excerpt = samples[int(start_s * rate) : int(stop_s * rate)]
            clicks = mix_clicks(
                excerpt,
                rate,
                estimate.grid,
                start_s=start_s,
                mark_downbeats=estimate.downbeat_known,
            )
            board.add_audio(
                f"tracks/{track.name}", clicks[np.newaxis], trainer.global_step, sample_rate=rate
            )


class EpochLines(L.Callback):
    """One line per epoch in the log: what a progress bar shows, where there is no terminal.

    Args:
        metrics: Which values, where they exist.
    """

    def __init__(self, metrics: Sequence[Name]) -> None:
        self.metrics = list(metrics)
        self.started_s = 0.0
        self.validated = False

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self.started_s = time.monotonic()
        self.validated = False

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note that from here on the validation's values are this epoch's."""
        self.validated = True

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the line; validation is part of the epoch."""
        values = trainer.callback_metrics
        names = [n for n in self.metrics if n in values and (self.validated or n[:4] != "val/")]
        shown = [f"{name} {float(values[name]):.4g}" for name in names]
        seconds = time.monotonic() - self.started_s
        epochs = f"{trainer.current_epoch + 1}/{trainer.max_epochs}"
        if trainer.is_global_zero:
            logger.info("epoch %s: %s (%.0f s)", epochs, ", ".join(shown), seconds)


class Reproducible(L.Callback):
    """Makes a training step deterministic given the seed and the step's number.

    Dropout draws from torch's generator, whose state no checkpoint keeps; seeded anew at each
    step, a run cut off and resumed from ``last.ckpt`` ends with the weights of an unbroken one.

    Args:
        seed: The run's seed.
    """

    def __init__(self, seed: Seed) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed the step, differently in each process of a distributed run."""
        sequence = np.random.SeedSequence((self.seed, trainer.global_step, trainer.global_rank))
        torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0]))
