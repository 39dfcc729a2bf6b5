"""Train a beat network: ``python train.py [group=option] [key=value] [-m]``."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from omegaconf import DictConfig, OmegaConf

from beatgrid.commands import finetune
from beatgrid.commands.cli import checkpoint_of, entry
from beatgrid.commands.labelled import TRACK_PATHS
from beatgrid.commands.resume import limit_reached, refuse_complete, resumed_config
from beatgrid.data.datamodule import BeatDataModule
from beatgrid.errors import BeatgridError
from beatgrid.evaluation import HIGHER_IS_BETTER, summarise
from beatgrid.files import write_json
from beatgrid.finetuning.validation import SCORE
from beatgrid.networks import count_parameters
from beatgrid.networks.checkpoint import load_model, save_model
from beatgrid.predictor import find_checkpoint
from beatgrid.training.checkpoints import DurableCheckpointIO
from beatgrid.training.faults import reading_faults_named, writing_faults_named
from beatgrid.training.module import BeatModule
from beatgrid.training.progress import Progress, last_progress, read_progress
from beatgrid.training.runs import (
    RUNS,
    begin_run,
    discarded_unless_begun,
    find_run,
    keep_splits,
    log_file,
    requeued_run,
)
from beatgrid.training.signals import orderly_end

logger = logging.getLogger(__name__)

# Tells the processes that the first one starts (trainer.strategy=ddp) which folder is theirs.
FOLDER_VARIABLE = "BEATGRID_RUN_FOLDER"

# So many processes may share a small machine's cores, for a trial.
MIN_PROCESSES = 4


@entry(
    "train",
    paths=(
        *TRACK_PATHS,
        *("resume", "init_from", "output_dir", "finetune.rehearsal_dir"),
    ),
    sweeps=True,
    renamed={"ckpt_path": "now resume=RUN_FOLDER or resume=CHECKPOINT"},
)
def main(cfg: DictConfig) -> float:
    """Begin a run or go on with one; returns the monitored value for sweeps."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # no tips, no device list
    # Lightning's use of torch, not the user's: nothing to be done about it here.
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.")
    warnings.filterwarnings("ignore", message=".*exists and is not empty")  # a run that goes on
    warnings.filterwarnings("ignore", message=".*dataloader is not resumable")  # its sampler is
    warnings.filterwarnings("ignore", message="Total length of .* across ranks")  # no validation
    with orderly_end():
        return _begin_or_resume(cfg)


def _begin_or_resume(cfg: DictConfig) -> float:
    if HydraConfig.get().mode == RunMode.MULTIRUN and _n_devices(cfg.trainer) > 1:
        raise BeatgridError(
            f"trainer.devices={cfg.trainer.devices} trainer.num_nodes={cfg.trainer.num_nodes}: the "
            "runs of a sweep (-m) have one device each; add trainer.devices=1 trainer.num_nodes=1, "
            "or leave -m out"
        )
    resume = str(cfg.resume)
    requeued = requeued_run(cfg.output_dir)
    if requeued is not None:
        resume = cfg.resume = str(requeued)
    if resume.lower() == "false":
        if cfg.finetune is not None:
            finetune.follow_checkpoint(cfg)
        with _new_run(cfg) as folder:
            return _train(cfg, folder, None)
    hydra = HydraConfig.get()
    if hydra.mode == RunMode.MULTIRUN:
        raise BeatgridError(f"resume={resume}: goes on with one run; leave -m out")
    folder, checkpoint = find_run(
        _inherited_folder() or (None if resume.lower() == "true" else resume)
    )
    cfg = resumed_config(folder, cfg, hydra.overrides.task)
    progress = last_progress(folder) if checkpoint is None else read_progress(checkpoint)
    if progress is not None and not _awaits_verdict(cfg, folder):
        refuse_complete(cfg, progress)
    return _train(cfg, folder, progress)


def _n_devices(trainer: DictConfig) -> int:
    """Return how many devices a training asks for, on all its machines; each has a process."""
    devices = trainer.devices
    if isinstance(devices, str) and devices not in ("auto", "-1"):
        devices = int(devices) if devices.isdigit() else devices.split(",")
    if devices in ("auto", "-1", -1):
        is_gpu = trainer.accelerator in ("auto", "gpu", "cuda")
        devices = max(1, torch.cuda.device_count()) if is_gpu else 1
    count = devices if isinstance(devices, int) else len(devices)
    return count * trainer.num_nodes


@contextlib.contextmanager
def _new_run(cfg: DictConfig) -> Iterator[Path]:
    """Make the folder of a new run in the first process, and tell those that it starts."""
    hydra = HydraConfig.get()
    output_dir = cfg.output_dir
    if output_dir is None and hydra.mode == RunMode.MULTIRUN:
        output_dir = hydra.runtime.output_dir
    if not _is_first_process():
        # Only the first process writes; one that it has not started knows of no new folder.
        folder = _inherited_folder() or Path(output_dir or RUNS)
        cfg.output_dir = str(folder)
        yield folder
        return
    asked = OmegaConf.to_yaml(hydra.overrides.task)
    folder = begin_run(output_dir, config=OmegaConf.to_yaml(cfg), overrides=asked)
    cfg.output_dir = str(folder)
    with discarded_unless_begun(folder):
        yield folder


def _is_first_process() -> bool:
    """Tell whether this process writes the run's files; known before there is a trainer."""
    return getattr(rank_zero_only, "rank", 0) == 0


def _inherited_folder() -> Path | None:
    """Return the run folder of the process that started this one to share its work, if one did."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) if folder and not _is_first_process() else None


def _train(cfg: DictConfig, folder: Path, progress: Progress | None) -> float:
    """Train in ``folder``, on from the checkpoint that ``progress`` describes if there is one."""
    os.environ[FOLDER_VARIABLE] = str(folder.absolute())
    with contextlib.ExitStack() as stack:
        stack.enter_context(writing_faults_named(folder))
        stack.enter_context(reading_faults_named(folder))
        if _is_first_process():
            stack.enter_context(log_file(folder / "train.log"))
        if cfg.resume:
            logger.info("%s", _position(folder, progress))
        data, model, trainer = _assemble(cfg, folder, begins=progress is None)
        if _is_first_process():
            keep_splits(folder, data.split_names())
        for name, split in model.training_data["splits"].items():
            logger.info("%s: %d tracks, %.2f h", name, split["tracks"], split["hours"])
        if cfg.get("finetune"):
            logger.info("%s", finetune.divided(data))
        logger.info("%d parameters; run folder %s", count_parameters(model), folder)

        if progress is not None and limit_reached(cfg, progress) is not None:
            finetune.finish(cfg, folder, data)  # all that was left to do
            return math.nan
        checkpoint = None if progress is None else progress.path
        trainer.fit(model, data, ckpt_path=checkpoint, weights_only=True)
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if cfg.test and data.splits["test"]:
            trainer.test(model, data, ckpt_path="best", weights_only=True)
            metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
        metrics = {name: value for name, value in metrics.items() if math.isfinite(value)}
        if trainer.is_global_zero:
            write_json(folder / "metrics.json", metrics)
        _log_hyperparameters(trainer, cfg, metrics)
        if cfg.get("finetune") and not cfg.trainer.get("fast_dev_run"):
            finetune.finish(cfg, folder, data)
        return metrics.get(cfg.monitor, math.nan)


def _assemble(
    cfg: DictConfig, folder: Path, begins: bool
) -> tuple[BeatDataModule, BeatModule, Trainer]:
    """Build the parts that ``cfg`` names, the data ready; a new run may begin from weights."""
    _check(cfg)
    seed_everything(cfg.seed, workers=True, verbose=False)
    torch.set_num_threads(cfg.num_threads)
    model: BeatModule = instantiate(cfg.model)  # before what may take an hour
    start = None
    if cfg.init_from is not None and begins:
        with checkpoint_of("init_from"):
            start = load_model(find_checkpoint(cfg.init_from))
    data: BeatDataModule = instantiate(cfg.data)
    is_finetuning = bool(cfg.get("finetune"))
    if is_finetuning:
        finetune.render_rehearsal(cfg, data)
    data.prepare_data()
    data.setup()
    if not data.splits["val"] or cfg.trainer.limit_val_batches == 0:
        logger.warning("no validation: checkpoints and early stopping go by train/loss")
        cfg.monitor = "train/loss"
    _direct(cfg)
    if cfg.compile:
        model.network.compile()
    model.training_data = data.summary()
    if start is not None:
        model.begin_with(start, keep_calibration=is_finetuning)
        if is_finetuning:
            save_model(folder / "checkpoints" / finetune.BEFORE, start)
    callbacks = [c for c in instantiate(cfg.callbacks).values() if c is not None]
    trainer: Trainer = instantiate(
        cfg.trainer,
        callbacks=callbacks,
        logger=instantiate(cfg.logger),
        # Lightning would draw one of its own where the configuration has none.
        enable_progress_bar=any(isinstance(callback, ProgressBar) for callback in callbacks),
        plugins=[DurableCheckpointIO()],
    )
    return data, model, trainer


def _check(cfg: DictConfig) -> None:
    """Refuse what would only fail in the middle of the work, or with a stack trace."""
    known = ["train/loss", "val/loss", *(f"val/{name}" for name in summarise([]))]
    known += [SCORE] if cfg.get("finetune") else []
    if cfg.monitor not in known:
        raise BeatgridError(f"monitor={cfg.monitor}: must be one of {', '.join(known)}")
    devices, cores = cfg.trainer.devices, os.cpu_count() or 1
    on_cpu = cfg.trainer.accelerator == "cpu" or not torch.cuda.is_available()
    if isinstance(devices, int) and on_cpu and devices > max(cores, MIN_PROCESSES):
        raise BeatgridError(
            f"trainer.devices={devices}: as many processes as the {cores} cores here at most"
        )


def _direct(cfg: DictConfig) -> None:
    """Let what looks at the monitored value know whether the lowest or the highest is best."""
    name = cfg.monitor.removeprefix("val/")
    mode = "max" if cfg.monitor == SCORE or name in HIGHER_IS_BETTER else "min"
    for callback in cfg.callbacks.values():
        if callback is not None and callback.get("monitor") == cfg.monitor:
            callback.mode = mode


def _awaits_verdict(cfg: DictConfig, folder: Path) -> bool:
    """Tell whether a fine-tuning was cut off before its end, after its training perhaps."""
    return bool(cfg.get("finetune")) and not (folder / finetune.VERDICT).exists()


def _position(folder: Path, progress: Progress | None) -> str:
    """Say where a run goes on."""
    if progress is None:
        return f"{folder} has no checkpoint yet: it starts again from its beginning"
    return f"{folder} goes on after step {progress.steps} ({progress.path.name})"


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
    trainer.logger.finalize("success")  # else the end of the process writes it
