"""Checkpoints that survive: written whole, the one before kept, never of weights gone wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities.exceptions import SIGTERMException

from beatgrid.data.workers import worker_fault
from beatgrid.errors import BeatgridError
from beatgrid.files import replacing
from beatgrid.training.runs import LAST, PREVIOUS


class DurableCheckpointIO(TorchCheckpointIO):
    """Write each checkpoint beside its place, flush it to the disk, and rename it.

    Lightning writes to TMPDIR first and moves that: across file systems a move is a copy, which
    a crash or a full disk leaves half done, in place of a checkpoint that was whole.

    ``last.ckpt`` leaves its predecessor behind as ``previous.ckpt``.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint.

        Raises:
            BeatgridError: It cannot be written: a full disk, for instance. What was there stays.
        """
        path = Path(path)
        try:
            with replacing(path) as temporary:
                torch.save(checkpoint, temporary)
                if path.name == LAST and path.exists():
                    os.replace(path, path.with_name(PREVIOUS))
        except (OSError, RuntimeError) as error:
            if worker_fault(error) is not None:  # torch raises it in any code
                raise
            # torch.save tells of a full disk by a RuntimeError on positions in its archive.
            reason = error.strerror if isinstance(error, OSError) else "the disk is full or failing"
            raise BeatgridError(
                f"{path}: cannot be written ({reason}); earlier checkpoints are as they were: "
                f"make room, then resume={path.parent.parent}"
            ) from error


class SaveOnInterrupt(L.Callback):
    """Keep what was learnt since the last epoch when Ctrl-C or SIGTERM ends the training.

    Lightning ends it between two steps, or two validation tracks; a run resumed from there ends
    with the weights of an unbroken one.

    Args:
        path: Checkpoint to write.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Save where the training was asked to end; any other exception is a failure.

        A KeyboardInterrupt may come in the middle of a step: nothing is saved of that.
        """
        if not isinstance(exception, SIGTERMException) or trainer.global_step == 0:
            return
        if trainer.validating or trainer.state.stage == "validate":
            _validate_again(trainer)
        trainer.save_checkpoint(self.path)
        if trainer.is_global_zero:
            print(f"\ninterrupted; the weights so far are in {self.path}")


def _validate_again(trainer: L.Trainer) -> None:
    """Have a resumed training run the validation that is cut off from its first track.

    Lightning would take it for complete, or go on in its middle without the tracks before.
    """
    progress: Any = trainer.fit_loop.epoch_loop.val_loop.batch_progress
    progress.reset()
    progress.total.ready = progress.total.started = 1  # how Lightning tells a cut-off validation


class StopWhereDiverged(L.Callback):
    """End the training where the loss or a weight is infinite or no number.

    No checkpoint is written of such weights: the last good one stays.
    """

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Check the step's loss."""
        loss = float(outputs["loss"] if isinstance(outputs, dict) else outputs)
        if loss != loss or abs(loss) == float("inf"):
            self._stop(trainer, pl_module, f"train/loss is {loss}")

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Check the weights, before checkpoints are written."""
        for name, parameter in pl_module.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                self._stop(trainer, pl_module, f"{name} is not finite")

    @staticmethod
    def _stop(trainer: L.Trainer, pl_module: L.LightningModule, what: str) -> None:
        raise BeatgridError(
            f"training diverged: {what} at step {trainer.global_step}; checkpoints of earlier "
            f"epochs are kept; lower model.lr (now {pl_module.hparams.get('lr')})"
        )
