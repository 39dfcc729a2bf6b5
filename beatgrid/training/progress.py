"""How far a run has come: its checkpoints read, damaged ones passed over."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from beatgrid.errors import BeatgridError
from beatgrid.training.runs import INTERRUPTED, LAST, PREVIOUS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a checkpoint has come.

    Attributes:
        path: The file.
        steps: Steps of the optimiser.
        epochs: Whole epochs, validated.
        elapsed_s: Time spent in training, where the run has a limit.
        stopped_early: Its monitored value has not improved for long enough.
    """

    path: Path
    steps: int
    epochs: int
    elapsed_s: float
    stopped_early: bool


def read_progress(path: Path) -> Progress:
    """Read how far the checkpoint has come; every byte of it is checked.

    Raises:
        BeatgridError: It is damaged, or no checkpoint of a training.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(damaged)
        contents = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        epochs = contents["loops"]["fit_loop"]["epoch_progress"]["current"]
        states: Mapping[str, Mapping[str, Any]] = contents["callbacks"]
        timer = states.get("Timer", {}).get("time_elapsed", {})
        return Progress(
            path=path,
            steps=int(contents["global_step"]),
            epochs=int(epochs["processed"]),
            elapsed_s=float(timer.get("train", 0.0)),
            stopped_early=any(state.get("stopped_epoch", 0) > 0 for state in states.values()),
        )
    except Exception as error:  # on arbitrary bytes the safe unpickler fails in any way
        size = path.stat().st_size
        raise BeatgridError(f"{path}: damaged, or no checkpoint ({size} bytes)") from error


def last_progress(folder: Path) -> Progress | None:
    """Return the checkpoint of a run that has come furthest, or None where it has none yet.

    A damaged one is named in a warning and passed over.

    Raises:
        BeatgridError: All of them are damaged.
    """
    # Among equals the first counts: last.ckpt lies between two epochs.
    names = (LAST, INTERRUPTED, PREVIOUS)
    paths = [path for name in names if (path := folder / "checkpoints" / name).is_file()]
    paths += sorted(folder.glob("hpc_ckpt_*.ckpt"))  # Lightning's own, where Slurm requeues a job
    found, damaged = [], []
    for path in paths:
        try:
            found.append(read_progress(path))
        except BeatgridError as error:
            damaged.append(str(error))
    if paths and not found:
        raise BeatgridError("; ".join([*damaged, "nothing is left to go on from: begin a new run"]))
    best = max(found, key=lambda progress: progress.steps, default=None)
    if best is not None and damaged:
        logger.warning("%s; the run goes on from %s", "; ".join(damaged), best.path.name)
    return best
