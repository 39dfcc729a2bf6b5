"""The Lightning module: CRNN, loss, optimiser, and what a checkpoint carries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import lightning as L
import torch
from torch import Tensor

from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import CheckpointError
from beatgrid.networks import checkpoint
from beatgrid.networks.crnn import CRNN
from beatgrid.networks.losses import masked_bce, trim_to_shortest


class BeatModule(L.LightningModule):
    """Trains a CRNN on beat (and downbeat) targets.

    All arguments are plain values, so that a checkpoint loads with ``weights_only=True``.

    Args:
        features: Fields of a FeatureSpec; travels in the checkpoint.
        optimizer: ``adamw`` or ``adam``.
        lr: Peak learning rate.
        weight_decay: Decay of matrices and kernels (AdamW only); biases and norms have none.
        schedule: ``cosine`` to zero over the whole training, or ``constant``.
        warmup: Share of all steps in which the rate rises from zero; 0 for none.
        pos_weight: Weight of positive frames in the loss.
        downbeat_weight: Weight of the downbeat channel's loss beside the beat's 1.
        focal_gamma: Exponent of the focal loss; 0 for plain cross-entropy.
        **network: Arguments of CRNN but for ``n_mels``.
    """

    def __init__(
        self,
        features: Mapping[str, Any],
        optimizer: str = "adamw",
        lr: float = 1e-3,
        weight_decay: float = 0.01,
        schedule: str = "cosine",
        warmup: float = 0.0,
        pos_weight: float = 1.0,
        downbeat_weight: float = 0.5,
        focal_gamma: float = 0.0,
        **network: Any,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        for name, value, known in (
            ("optimizer", optimizer, ("adamw", "adam")),
            ("schedule", schedule, ("cosine", "constant")),
        ):
            if value not in known:
                raise ValueError(f"model.{name}={value!r}: must be one of {', '.join(known)}")
        self.spec = FeatureSpec.from_dict(features)
        self.network_args = {"n_mels": self.spec.n_mels, **network}
        self.network = CRNN(**self.network_args)
        # Set by the training script: hours, tracks and licence of the data, for the checkpoint.
        self.training_data: dict[str, Any] = {}

    def begin_with(self, model: checkpoint.LoadedModel) -> None:
        """Take over the weights of a trained network, to train them further.

        Args:
            model: Named in the checkpoints of this training, with the data it has learnt from.

        Raises:
            CheckpointError: It is a network of other sizes, or hears other features.
        """
        for name, theirs, ours in (
            ("model", model.network_args, self.network_args),
            ("features", model.features.to_dict(), self.spec.to_dict()),
        ):
            other = [
                f"{name}.{key}={value}".replace(" ", "")
                for key, value in sorted(theirs.items())
                if key != "dropout" and value != ours.get(key)
            ]
            if other:
                raise CheckpointError(
                    f"init_from={model.model_id}: trained with {' '.join(other)}; "
                    "train with that too"
                )
        self.network.load_state_dict(model.network.state_dict())
        self.training_data["init_from"] = {"model": model.model_id, **model.training_data}

    def forward(self, features: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Logits (batch, frames, outputs) of log-mel features (batch, frames, mels)."""
        return self.network(features, n_frames)

    def _step(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        logits = self(batch["features"], batch["n_frames"])
        logits, target, mask = trim_to_shortest(logits, batch["target"], batch["mask"])
        hp = self.hparams
        weights = (1.0, hp["downbeat_weight"])
        loss = masked_bce(logits, target, mask, hp["pos_weight"], weights, hp["focal_gamma"])
        return loss, logits

    def training_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of a batch of crops; its epoch mean weighs batches by their valid frames."""
        loss, _ = self._step(batch)
        valid = int(batch["mask"][..., 0].sum())
        self.log("train/loss", loss, prog_bar=True, on_step=True, on_epoch=True, batch_size=valid)
        return loss

    def validation_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """Loss and logits of whole tracks; callbacks turn the logits into grids."""
        return self._evaluate(batch, "val")

    def test_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """As ``validation_step``, on the test split."""
        return self._evaluate(batch, "test")

    def _evaluate(self, batch: Mapping[str, Tensor], stage: str) -> dict[str, Tensor]:
        loss, logits = self._step(batch)
        # Weighted by tracks: a long one counts as much as a short one.
        self.log(
            f"{stage}/loss", loss, prog_bar=True, batch_size=len(batch["n_frames"]), sync_dist=True
        )
        return {"loss": loss, "logits": logits}

    def configure_optimizers(self) -> Any:
        """Adam or AdamW, stepped with linear warm-up and cosine decay over the whole training."""
        hp = self.hparams
        parameters = list(self.network.parameters())
        if hp["optimizer"] == "adam":
            optimizer: torch.optim.Optimizer = torch.optim.Adam(parameters, lr=hp["lr"])
        else:
            groups = [
                {
                    "params": [p for p in parameters if p.ndim >= 2],
                    "weight_decay": hp["weight_decay"],
                },
                {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
            ]
            optimizer = torch.optim.AdamW(groups, lr=hp["lr"])
        total = self.trainer.estimated_stepping_batches
        warmup_steps = int(hp["warmup"] * total) if math.isfinite(total) else 0

        def factor(step: int) -> float:
            if step < warmup_steps:
                return (step + 1) / (warmup_steps + 1)
            if hp["schedule"] == "constant" or not math.isfinite(total):
                return 1.0
            progress = (step - warmup_steps) / max(1, total - warmup_steps)
            return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step", "name": "lr"},
        }

    def on_load_checkpoint(self, checkpoint_dict: dict[str, Any]) -> None:
        """A training that goes on began with what it was begun with."""
        before = checkpoint_dict[checkpoint.KEY]["training_data"].get("init_from")
        if before is not None:
            self.training_data["init_from"] = before

    def on_save_checkpoint(self, checkpoint_dict: dict[str, Any]) -> None:
        """Add all that prediction needs: network arguments, feature spec, data, licence."""
        checkpoint_dict[checkpoint.KEY] = checkpoint.describe(
            network=self.network_args,
            features=self.spec.to_dict(),
            training_data=self.training_data,
        )
