"""Fit what turns a network's output into grids: ``python calibrate.py ckpt=... data....``."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from beatgrid.activation import network_logits, track_activation
from beatgrid.calibration import fit_temperature
from beatgrid.checkpoint import load_model, save_model
from beatgrid.cli import LabelledTracks, entry, exit_if_failed, find_checkpoint
from beatgrid.dataset import TargetSpec, frame_targets, whole_track
from beatgrid.errors import BeatgridError
from beatgrid.search.fit import Example, fit


@entry("calibrate", paths=("data.audio_dir", "data.label_dir", "data.cache_dir", "ckpt", "out"))
def main(cfg: DictConfig) -> None:
    """Fit temperatures, ranker and confidence on labelled tracks; write a checkpoint with them."""
    torch.set_num_threads(cfg.num_threads)
    ckpt_path = find_checkpoint(cfg.ckpt)
    model = load_model(ckpt_path)
    spec = model.features
    target = TargetSpec(**model.training_data.get("target", {}))
    labelled = LabelledTracks(cfg, spec)
    # A tempo that is a guess would teach the ranker to guess.
    tracks = [track for track in labelled if track.suspect != "octave"]
    if not tracks:
        raise BeatgridError("no track to fit on: the tempo of every label is suspect")
    logits = [network_logits(model.network, t.cached.features, spec.frame_rate) for t in tracks]

    framed = [frame_targets(t, whole_track(t), spec.frame_rate, target) for t in tracks]
    temperatures = [
        fit_temperature(
            (z[mask[:, channel] > 0, channel], target[mask[:, channel] > 0, channel])
            for z, (target, mask) in zip(logits, framed, strict=True)
        )
        for channel in range(logits[0].shape[1])
    ]
    examples = (
        Example(
            track_activation(z, t.cached.features, spec, t.duration_s, temperatures),
            t.grid,
            weight=t.weight,
            group=t.group or t.name,
            phase_reliable=t.suspect != "beat phase",
        )
        for t, z in zip(tracks, logits, strict=True)
    )
    try:
        coefficients, report = fit(examples, instantiate(cfg.grid))
    except ValueError as error:  # too few tracks
        raise BeatgridError(f"data.label_dir={cfg.data.label_dir}: {error}") from error
    out = Path(cfg.out) if cfg.out else ckpt_path.with_name(f"{ckpt_path.stem}.calibrated.ckpt")
    calibration = {"temperatures": temperatures, "ranker": coefficients.to_dict()}
    save_model(out, replace(model, calibration=calibration))
    print("temperatures: " + ", ".join(f"{t:.3f}" for t in temperatures))
    print("cross-validated over these tracks, each judged by models that had not seen it:")
    for name, value in asdict(report).items():
        if name != "tracks":
            print(f"  {name:18} {value if value is None else round(value, 4)}")
    print(f"wrote {out}: use it with ckpt='{out}'")
    exit_if_failed(labelled.failed, labelled.total)


if __name__ == "__main__":
    main()
