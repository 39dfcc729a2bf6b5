"""The Lightning module: network, loss, optimiser, and what a checkpoint carries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import lightning as L
import torch
from torch import Tensor

from beatgrid.audio.features import FeatureSpec
from beatgrid.checks import Interval, Name, NotNegative, check, hints_of
from beatgrid.errors import BeatgridError, CheckpointError
from beatgrid.networks.arguments import arguments_of
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.networks.description import KEY, describe
from beatgrid.networks.grow import differences, take_over
from beatgrid.networks.losses import LOSSES, build_loss, trim_to_shortest
from beatgrid.networks.network import NetworkOutput
from beatgrid.networks.table import NETWORKS, build_network
from beatgrid.networks.tempo import tempo_loss

OPTIMIZERS: dict[str, type[torch.optim.Adam]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


class BeatModule(L.LightningModule):
    """Trains a network on beat (and downbeat) targets.

    All arguments are plain values, so that a checkpoint loads with ``weights_only=True``. Their
    defaults are in ``conf/model`` and ``conf/loss``.

    Args:
        features: Fields of a FeatureSpec; travels in the checkpoint.
        network: A key of ``networks.table.NETWORKS``.
        loss: A key of ``networks.losses.LOSSES``.
        optimizer: ``adamw`` or ``adam``.
        lr: Peak learning rate.
        weight_decay: Decay of matrices and kernels; biases and norms have none.
        schedule: ``cosine`` to zero over the whole training, or ``constant``.
        warmup: Share of all steps in which the rate rises from zero; 0 for none.
        tempo_weight: Weight of the tempo head's cross-entropy in nats beside the loss of the
            frames.
        **arguments: Those of the network (but for ``n_mels``, which features say) and of the
            loss, side by side.

    Raises:
        BeatgridError: An argument that neither network nor loss has, or a value that cannot be.
    """

    def __init__(
        self,
        *,
        features: Mapping[str, Any],
        network: Name,
        loss: Name,
        optimizer: Literal["adamw", "adam"],
        lr: Annotated[float, Interval(0, 1000)],
        weight_decay: Annotated[float, Interval(0, 1000)],
        schedule: Literal["cosine", "constant"],
        warmup: Annotated[float, Interval(0, 1, below=True)],
        tempo_weight: NotNegative,
        **arguments: Any,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        check(self.hparams, hints_of(BeatModule), "model.")
        self.spec = FeatureSpec.from_dict(features)
        of_network = arguments_of("network", NETWORKS, network).keys() - {"n_mels"}
        of_loss = arguments_of("loss", LOSSES, loss).keys()
        for name, value in arguments.items():
            if name not in of_network | of_loss:
                raise BeatgridError(
                    f"model.{name}={value}: neither network {network!r} nor loss {loss!r} has such "
                    f"an argument; they take {', '.join(sorted(of_network | of_loss))}"
                )
        self.network_args = {
            "name": network,
            "n_mels": self.spec.n_mels,
            **{name: value for name, value in arguments.items() if name in of_network},
        }
        self.network = build_network(**self.network_args)
        self.loss = build_loss(
            loss, **{name: value for name, value in arguments.items() if name in of_loss}
        )
        # Set by the training script: hours, tracks and licence of the data, for the checkpoint.
        self.training_data: dict[str, Any] = {}
        # What turns the answers of the network into grids, in validation and in the checkpoints;
        # empty where a training begins from nothing.
        self.calibration: dict[str, Any] = {}

    def begin_with(self, model: LoadedModel, keep_calibration: bool = False) -> None:
        """Take over the weights of a trained network, to train them further.

        A network without LSTM or tempo head may become one with it.

        Args:
            model: Named in the checkpoints of this training, with the data it has learnt from.
            keep_calibration: Take over its temperatures and ranker as well: a training that
                changes little leaves them of use.

        Raises:
            CheckpointError: It is another network, of other sizes, or takes other features.
        """
        differing = differences(model.network_args, self.network_args) + [
            f"features.{key}={value}"
            for key, value in sorted(model.features.to_dict().items())
            if value != self.spec.to_dict()[key]
        ]
        if differing:
            raise CheckpointError(
                f"init_from={model.model_id}: trained with "
                f"{' '.join(d.replace(' ', '') for d in differing)}; train with that too"
            )
        take_over(self.network, model.network)
        self.training_data["init_from"] = {"model": model.model_id, **model.training_data}
        if keep_calibration:
            self.calibration = model.calibration

    def forward(self, features: Tensor, n_frames: Tensor | None = None) -> NetworkOutput:
        """Return the network's answer to log-mel features (batch, frames, mels)."""
        return self.network(features, n_frames)

    def _step(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, NetworkOutput]:
        out = self(batch["features"], batch["n_frames"])
        logits, target, mask = trim_to_shortest(out.logits, batch["target"], batch["mask"])
        shared = self.training and _n_processes() > 1
        # Each process has other crops: the mean of the losses is that of all only with one divisor.
        divisor = {"n_valid": _mean_over_processes(mask.sum((0, 1)))} if shared else {}
        loss = self.loss(logits, target, mask, **divisor)
        if out.tempo is not None:
            n_known = _mean_over_processes(batch["tempo"].sum()) if shared else None
            of_tempo = tempo_loss(out.tempo, batch["tempo"], n_known)
            stage = "train" if self.training else "val"
            self.log(
                f"{stage}/tempo_loss",
                of_tempo,
                on_step=False,
                on_epoch=True,
                batch_size=_weight(batch["counts"].sum()),
                sync_dist=True,
            )
            loss = loss + self.hparams["tempo_weight"] * of_tempo
        return loss, NetworkOutput(logits, out.tempo)

    def training_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> Tensor:
        """Return the loss of a batch of crops; its epoch mean weighs batches by valid frames."""
        loss, _ = self._step(batch)
        valid = _mean_over_processes(batch["mask"][..., 0].sum())
        self.log(
            "train/loss",
            loss,
            prog_bar=True,
            on_step=True,
            on_epoch=True,
            batch_size=_weight(valid),
            sync_dist=True,
        )
        return loss

    def validation_step(
        self, batch: Mapping[str, Tensor], batch_idx: int
    ) -> dict[str, Tensor | None]:
        """Return loss and logits of whole tracks; callbacks turn the logits into grids."""
        return self._evaluate(batch, "val")

    def test_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> dict[str, Tensor | None]:
        """Do as ``validation_step``, on the test split."""
        return self._evaluate(batch, "test")

    def _evaluate(self, batch: Mapping[str, Tensor], stage: str) -> dict[str, Tensor | None]:
        loss, out = self._step(batch)
        # Weighted by tracks: a long one counts as much as a short one.
        weight = _weight(batch["counts"].sum())
        self.log(f"{stage}/loss", loss, prog_bar=True, batch_size=weight, sync_dist=True)
        return {"loss": loss, "logits": out.logits, "tempo": out.tempo}

    def configure_optimizers(self) -> Any:
        """Build Adam or AdamW with linear warm-up and cosine decay over the whole training."""
        hp = self.hparams
        parameters = list(self.network.parameters())
        groups = [
            {
                "params": [p for p in parameters if p.ndim >= 2],
                "weight_decay": hp["weight_decay"],
            },
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = OPTIMIZERS[hp["optimizer"]](groups, lr=hp["lr"])
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
        """Keep what the training began with when it is resumed."""
        self.calibration = checkpoint_dict[KEY].get("calibration", {})
        before = checkpoint_dict[KEY]["training_data"].get("init_from")
        if before is not None:
            self.training_data["init_from"] = before

    def on_save_checkpoint(self, checkpoint_dict: dict[str, Any]) -> None:
        """Add all that prediction needs: network arguments, feature spec, data, licence."""
        checkpoint_dict[KEY] = describe(
            network=self.network_args,
            features=self.spec.to_dict(),
            training_data=self.training_data,
            calibration=self.calibration,
        )


def _n_processes() -> int:
    """Return how many processes train together."""
    distributed = torch.distributed
    is_shared = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if is_shared else 1


def _mean_over_processes(count: Tensor) -> Tensor:
    """Return the mean of a count over the processes that train together, 1 at least."""
    if _n_processes() > 1:
        torch.distributed.all_reduce(count)
        count = count / _n_processes()
    return count.clamp(min=1)


def _weight(count: Tensor) -> int:
    """Return a weight as Lightning's log takes it.

    It takes the mean of the processes' weights as an integer: of 2 tracks and 1 that would be 1.
    """
    return int(count) * _n_processes()
