"""Train a beat network: ``python train.py [group=option] [key=value] [-m]``."""

from __future__ import annotations

import logging
import math
import warnings
from pathlib import Path
from typing import Any, cast

import torch
from hydra.utils import instantiate
from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig, OmegaConf

from beatgrid.commands.cli import entry
from beatgrid.data.datamodule import BeatDataModule
from beatgrid.errors import BeatgridError
from beatgrid.files import write_json
from beatgrid.networks.checkpoint import load_model
from beatgrid.networks.crnn import count_parameters
from beatgrid.predictor import find_checkpoint
from beatgrid.training.module import BeatModule
from beatgrid.training.runs import last_checkpoint

logger = logging.getLogger(__name__)


@entry(
    "train", paths=("data.audio_dir", "data.label_dir", "data.cache_dir", "ckpt_path", "init_from")
)
def main(cfg: DictConfig) -> float:
    """Compose, fit, and leave a run folder; returns the monitored value for sweeps."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # no tips, no device list
    # Lightning's use of torch, not the user's: nothing to be done about it here.
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.")
    seed_everything(cfg.seed, workers=True, verbose=False)
    torch.set_num_threads(cfg.num_threads)
    ckpt_path = cfg.ckpt_path
    if cfg.resume:
        ckpt_path = last_checkpoint(Path("outputs/train"))
        cfg.output_dir = str(ckpt_path.parent.parent)  # the same run goes on, curves and all
    elif ckpt_path is not None and not Path(ckpt_path).is_file():
        raise BeatgridError(
            f"ckpt_path={ckpt_path}: no such file; give a last.ckpt, or resume=true"
        )

    data: BeatDataModule = instantiate(cfg.data)
    data.prepare_data()
    data.setup()
    if not data.splits["val"]:
        logger.warning("no validation tracks: checkpoints and early stopping go by train/loss")
        cfg.monitor = "train/loss"
    model: BeatModule = instantiate(cfg.model)
    model.training_data = data.summary()
    if cfg.init_from is not None and ckpt_path is None:
        model.begin_with(load_model(find_checkpoint(cfg.init_from)))
    callbacks = [c for c in instantiate(cfg.callbacks).values() if c is not None]
    trainer: Trainer = instantiate(
        cfg.trainer,
        callbacks=callbacks,
        logger=instantiate(cfg.logger),
        # Lightning would draw one of its own where the configuration has none.
        enable_progress_bar=any(isinstance(callback, ProgressBar) for callback in callbacks),
    )
    output_dir = Path(cfg.output_dir)
    write_json(output_dir / "splits.json", data.split_names())
    for name, split in model.training_data["splits"].items():
        logger.info("%s: %d tracks, %.2f h", name, split["tracks"], split["hours"])
    logger.info("%d parameters; run folder %s", count_parameters(model), output_dir)

    trainer.fit(model, data, ckpt_path=ckpt_path, weights_only=True)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    if cfg.test and data.splits["test"]:
        trainer.test(model, data, ckpt_path="best", weights_only=True)
        metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    metrics = {name: value for name, value in metrics.items() if math.isfinite(value)}
    write_json(output_dir / "metrics.json", metrics)
    _log_hyperparameters(trainer, cfg, metrics)
    return metrics.get(cfg.monitor, math.nan)


def _log_hyperparameters(trainer: Trainer, cfg: DictConfig, metrics: dict[str, float]) -> None:
    """Put the run into TensorBoard's table of hyperparameters, with its final metrics."""
    if not isinstance(trainer.logger, TensorBoardLogger):
        return
    plain = cast(dict[str, dict[str, Any]], OmegaConf.to_container(cfg, resolve=True))
    chosen = {
        group: {key: value for key, value in plain[group].items() if key[0] != "_"}
        for group in ("features", "data", "model")
    }
    # Under names of their own: the curves of the same metrics go on over steps.
    final = {f"final/{k.replace('/', '_')}": v for k, v in metrics.items() if k[:4] == "val/"}
    final["hp_metric"] = metrics.get(cfg.monitor, math.nan)
    trainer.logger.log_hyperparams(chosen, final)
