"""Losses of networks on tracks that they have not heard, before any ranker.

    python experiments/model-selection/losses.py AUDIO_DIR LABEL_DIR CKPT... [--fold 0]

Of each checkpoint: binary cross-entropy of beat and downbeat, cross-entropy of the tempo head in
nats, and how often its most probable class is the tempo's, by sets: ``val``, part ``--fold`` of
three of the real training tracks (``data.fold``), and every fourth of the pieces in the rendered
folders. Tracks whose label is marked suspect are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from beatgrid.activation import network_logits
from beatgrid.audio.cache import FeatureCache
from beatgrid.data.dataset import TargetSpec, frame_targets, whole_track
from beatgrid.data.discovery import discover
from beatgrid.data.rendered import RenderedSource
from beatgrid.data.split import fold_of
from beatgrid.data.track import Track, open_track
from beatgrid.networks.checkpoint import LoadedModel, load_model
from beatgrid.tempo_classes import class_position, class_target

FOLDS = 3
EVERY = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audio_dir", type=Path)
    parser.add_argument("label_dir", type=Path)
    parser.add_argument("ckpt", type=Path, nargs="+")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--rendered", type=Path, nargs="+", default=[Path("data/rendered_fit")])
    parser.add_argument("--cache-dir", type=Path, default=Path("data/cache"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'':24} {'set':8} {'n':>4} {'beat':>7} {'down':>7} {'tempo':>6} {'hit %':>6}")
    for path in args.ckpt:
        model = load_model(path)
        real = [
            track
            for track in discover(args.audio_dir, args.label_dir)
            if track.label.suspect is None
        ]
        sets = {
            "val": (t for t in real if t.label.split == "val"),
            "fold": (
                t for t in real if t.label.split == "train" and fold_of(t, FOLDS) == args.fold
            ),
        }
        cache = FeatureCache(args.cache_dir, model.features)
        opened = {name: [open_track(t, cache) for t in tracks] for name, tracks in sets.items()}
        opened["rendered"] = list(_rendered(args.rendered, model))
        for name, tracks in opened.items():
            beat, down, tempo, hit = np.nanmean(list(_losses(model, tracks)), axis=0)
            print(
                f"{path.parent.parent.name or path.stem:24} {name:8} {len(tracks):4} {beat:7.4f} "
                f"{down:7.4f} {tempo:6.3f} {100 * hit:6.1f}",
                flush=True,
            )


def _rendered(folders: Iterable[Path], model: LoadedModel) -> Iterator[Track]:
    for spec in sorted(spec for folder in folders for spec in folder.glob("*/spec.json")):
        yield from list(RenderedSource(spec.parent).tracks(model.features))[::EVERY]


def _losses(
    model: LoadedModel, tracks: Iterable[Track]
) -> Iterator[tuple[float, float, float, float]]:
    for track in tracks:
        target, mask = frame_targets(
            track, whole_track(track), model.features.frame_rate, TargetSpec()
        )
        logits = network_logits(model.network, track.load_features())
        loss = binary_cross_entropy_with_logits(
            torch.from_numpy(logits.frames), torch.from_numpy(target), reduction="none"
        ).numpy()
        known = mask.sum(axis=0)
        beat, down = (loss * mask).sum(axis=0) / np.where(known > 0, known, np.nan)
        tempo = torch.log_softmax(torch.from_numpy(logits.tempo), dim=-1).numpy()
        best = abs(float(np.argmax(tempo) - class_position(track.grid.bpm)))
        yield beat, down, -float(class_target(track.grid.bpm) @ tempo), float(best < 1.5)


if __name__ == "__main__":
    main()
