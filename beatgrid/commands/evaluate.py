"""Score grids against labels: ``python evaluate.py data.audio_dir=... data.label_dir=...``."""

from __future__ import annotations

import itertools
import math

import torch
from omegaconf import DictConfig

from beatgrid.commands.cli import (
    LabelledTracks,
    entry,
    exit_if_failed,
    load_predictor,
    output_folder,
)
from beatgrid.data.track import Track, score_track
from beatgrid.evaluation import TrackScore, bootstrap, reliability, summarise
from beatgrid.files import write_json
from beatgrid.output.tables import (
    print_groups,
    print_reliability,
    print_summary,
    print_tracks,
    write_tracks_csv,
)

BPM_EDGES = (90, 120, 150, 180, 210)


@entry("evaluate", paths=("data.audio_dir", "data.label_dir", "data.cache_dir", "ckpt", "out"))
def main(cfg: DictConfig) -> None:
    """Find every labelled track's grid, score it, and write tables."""
    torch.set_num_threads(cfg.num_threads)
    predictor = load_predictor(cfg)
    out = output_folder(cfg.out)
    named_scores = []
    group_names: list[str] = []
    tracks = LabelledTracks(cfg, predictor.features)
    for track in tracks:
        activation, estimate = predictor.find(track.cached.features, track.cached.duration_s)
        score = score_track(track, activation, estimate)
        named_scores.append((track.name, score))
        group_names.append(group_of(track, cfg.group_by))

    scores = [score for _, score in named_scores]
    summary = summarise(scores)
    intervals = {key: bootstrap(scores, key) for key in summary if key != "n_tracks"}
    write_json(out / "evaluation.json", summary)
    grouped = cfg.group_by is not None
    write_tracks_csv(out / "tracks.csv", named_scores, group_names if grouped else None)
    print_tracks(named_scores)
    print_summary(summary, intervals)
    if grouped:
        groups: dict[str, list[TrackScore]] = {}
        for name, score in zip(group_names, scores, strict=True):
            groups.setdefault(name, []).append(score)
        print_groups({name: summarise(group) for name, group in groups.items()}, cfg.group_by)
    print_reliability(reliability(scores))
    print(f"{predictor.model_id}: {out / 'evaluation.json'}, {out / 'tracks.csv'}")
    exit_if_failed(tracks.failed, tracks.total)


def group_of(track: Track, key: str | None) -> str:
    """The line of the table that a track counts in."""
    if key is None:
        return "all"
    if key != "bpm":
        return str(track.extra.get(key))
    edges = [0, *BPM_EDGES, math.inf]
    low, high = next(pair for pair in itertools.pairwise(edges) if track.grid.bpm < pair[1])
    return f"from {low}" if high == math.inf else f"{low} to {high}"
