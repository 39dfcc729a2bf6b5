"""Fit what turns a network's output into grids: ``python calibrate.py ckpt=... data....``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from beatgrid.audio.cache import FeatureCache
from beatgrid.calibration.temperature import by_fold, calibrated
from beatgrid.commands.cli import checkpoint_of, entry, exit_if_failed
from beatgrid.commands.labelled import NO_GROUP, TRACK_PATHS, labelled_tracks, usable
from beatgrid.data.tempo_shares import shared
from beatgrid.errors import BeatgridError
from beatgrid.files import check_writable
from beatgrid.networks.checkpoint import load_model, save_model
from beatgrid.predictor import find_checkpoint
from beatgrid.search import GridSearch


@entry("calibrate", paths=(*TRACK_PATHS, "ckpt", "out"), renamed=NO_GROUP)
def main(cfg: DictConfig) -> None:
    """Fit temperatures, ranker, bars and confidence on labelled tracks; write a checkpoint."""
    torch.set_num_threads(cfg.num_threads)
    search = instantiate(cfg.grid)
    if not isinstance(search, GridSearch):
        raise BeatgridError(
            f"grid={type(search).__name__}: has nothing to fit; take grid=default or grid=wide"
        )
    ckpt_path = find_checkpoint(cfg.ckpt)
    model = load_model(ckpt_path)
    out = Path(cfg.out) if cfg.out else ckpt_path.with_name(f"{ckpt_path.stem}.calibrated.ckpt")
    check_writable(out.parent)
    with checkpoint_of("folds"):
        folds = by_fold([load_model(find_checkpoint(path)) for path in cfg.folds], model)
    labelled = labelled_tracks(cfg, model.features, cfg.data.weight)
    cache, failed = FeatureCache(cfg.data.cache_dir, model.features), list[str]()
    # A tempo that is a guess would teach the ranker to guess.
    tracks = [t for t in usable(labelled, cache, failed) if t.label.suspect != "octave"]
    if not tracks:
        raise BeatgridError("no track to fit on: the tempo of every label is suspect")
    if cfg.data.tempo_shares is not None:
        tracks = shared(tracks, cfg.data.tempo_shares)
    try:
        model, report = calibrated(model, tracks, search, folds)
    except ValueError as error:  # too few tracks
        key = "label_dir" if cfg.data.dataset is None else "dataset"
        raise BeatgridError(f"data.{key}={cfg.data[key]}: {error}") from error
    print("temperatures: " + ", ".join(f"{t:.3f}" for t in model.calibration["temperatures"]))
    print("cross-validated over these tracks, each judged by models that had not seen it:")
    for name, value in asdict(report).items():
        if name != "tracks":
            print(f"  {name:18} {value if value is None else round(value, 4)}")
    try:
        save_model(out, model)
    except (OSError, RuntimeError) as error:  # torch's of a full disk
        reason = error.strerror if isinstance(error, OSError) else "the disk is full or failing"
        raise BeatgridError(f"out={out}: cannot be written ({reason}); make room") from error
    print(f"wrote {out}: use it with ckpt='{out}'")
    exit_if_failed(len(failed), len(labelled))
