"""Score grids against labels: ``python evaluate.py data.audio_dir=... data.label_dir=...``."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from omegaconf import DictConfig

from beatgrid.cache import FeatureCache
from beatgrid.cli import entry, load_predictor, progress
from beatgrid.discovery import discover
from beatgrid.errors import BeatgridError
from beatgrid.evaluation import bootstrap, evaluate_track, reliability, summarise
from beatgrid.files import write_json
from beatgrid.report import print_reliability, print_summary, print_tracks, write_tracks_csv


@entry("evaluate", paths=("data.audio_dir", "data.label_dir", "data.cache_dir", "ckpt", "out"))
def main(cfg: DictConfig) -> None:
    """Find every labelled track's grid, score it, and write tables."""
    torch.set_num_threads(cfg.num_threads)
    predictor = load_predictor(cfg)
    pairs = discover(cfg.data.audio_dir, cfg.data.label_dir)
    if cfg.data.split is not None:
        pairs = [pair for pair in pairs if pair.label.split == cfg.data.split]
        if not pairs:
            raise BeatgridError(
                f"data.split={cfg.data.split}: no label in {cfg.data.label_dir} has it; "
                "leave data.split out to score all"
            )
    cache = FeatureCache(cfg.data.cache_dir, predictor.features)
    scores = []
    errors = 0
    for pair in progress(pairs, "finding grids"):
        try:
            cached = cache.get(pair.audio_path)
            duration_s = pair.label.duration_within(cached.duration_s)
            activation, estimate = predictor.find(cached.features, cached.duration_s)
            score = evaluate_track(
                pair.label.grid,
                estimate.grid,
                duration_s,
                confidence=estimate.confidence,
                downbeat_reliable=pair.label.downbeat == "reliable",
                estimate_downbeat_known=activation.downbeat is not None,
            )
        except BeatgridError as error:
            errors += 1
            print(f"error: {error}", file=sys.stderr)
            continue
        scores.append((pair.name, score))
    if not scores:
        raise BeatgridError(f"none of the {len(pairs)} tracks could be scored")

    summary = summarise([score for _, score in scores])
    intervals = {
        key: bootstrap([score for _, score in scores], key) for key in summary if key != "n_tracks"
    }
    out = Path(cfg.out)
    write_json(out / "evaluation.json", summary)
    write_tracks_csv(out / "tracks.csv", scores)
    print_tracks(scores)
    print_summary(summary, intervals)
    print_reliability(reliability([score for _, score in scores]))
    print(f"{predictor.model_id}: {out / 'evaluation.json'}, {out / 'tracks.csv'}")
    if errors:
        print(f"error: {errors} of {len(pairs)} tracks could not be scored", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
