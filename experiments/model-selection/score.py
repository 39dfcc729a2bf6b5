"""Scores the runs of the sweep: each with a ranker and temperatures of its own.

    python experiments/model-selection/score.py [SWEEP_DIR] [TEST_DIR] [--workers 2]

SWEEP_DIR (outputs/selection) holds a folder per question and in it a run per value; TEST_DIR
(data/rendered_test) the held-out rendered pieces. Where there is a TEST_DIR_QUESTION, that question
is judged by it: the same pieces as other features.
For each run, activations of the tracks it was not trained on (``val`` and ``test`` of its labels,
and the rendered pieces) are calibrated, and the ranker is fitted and judged by cross-validation,
so that every track counts for choosing without having been seen. Writes ``tracks.csv`` beside
this script, a line per run and track; runs already in it are not scored again.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# Of the rendered pieces one in three is scored: they are for the ranker more than for the verdict.
EVERY = 3
COLUMNS = (
    "run", "overrides", "parameters", "training_times_real_time", "times_real_time",
    "track", "kind", "genre", "bpm", "level_right", "worst_error_ms", "nats",
)  # fmt: skip


def score_run(run_dir: Path, test_dir: Path) -> list[dict[str, Any]]:
    """Return a row per track that the run was not trained on."""
    import torch
    from omegaconf import OmegaConf

    from beatgrid.audio.cache import FeatureCache
    from beatgrid.calibration.temperature import calibrated
    from beatgrid.data.discovery import discover
    from beatgrid.data.rendered import RenderedSource
    from beatgrid.data.track import open_track
    from beatgrid.networks import count_parameters
    from beatgrid.networks.checkpoint import load_model
    from beatgrid.search import GridSearch

    torch.set_num_threads(1)
    cfg = OmegaConf.load(run_dir / ".hydra" / "config.yaml")
    model = load_model(run_dir / "checkpoints" / "last.ckpt")
    spec = model.features
    cache = FeatureCache(cfg.data.cache_dir, spec)
    real = [
        open_track(track, cache)
        for track in discover(cfg.data.audio_dir, cfg.data.label_dir)
        if track.label.split in ("val", "test")
    ]
    real = [track for track in real if track.label.suspect != "octave"]
    rendered = [
        track
        for folder in sorted(p.parent for p in test_dir.glob("*/spec.json"))
        for track in list(RenderedSource(folder).tracks(spec))[::EVERY]
    ]
    tracks = real + rendered
    _, report = calibrated(model, tracks, GridSearch())
    overrides = OmegaConf.load(run_dir / ".hydra" / "overrides.yaml")
    training, network = speeds(model.network, cfg)
    return [
        {
            "run": f"{run_dir.parent.name}/{run_dir.name}",
            "overrides": " ".join(o for o in overrides if not o.startswith("data.audio_dir")),
            "training_times_real_time": training,
            "parameters": count_parameters(model.network),
            "times_real_time": network,
            "track": track.name,
            "kind": "real" if i < len(real) else "rendered",
            "genre": track.label.genre or "",
            "bpm": round(track.grid.bpm, 3),
            "level_right": int(outcome.level_right),
            "worst_error_ms": round(1000 * outcome.worst_error_s, 2),
            "nats": round(outcome.nats, 4),
        }
        for i, (track, outcome) in enumerate(zip(tracks, report.tracks, strict=True))
    ]


def test_dir_of(question: str, test_dir: Path) -> Path:
    """Return the folder of the rendered pieces that judge a question."""
    own = test_dir.with_name(f"{test_dir.name}_{question}")
    return own if own.is_dir() else test_dir


def speeds(network: Any, cfg: Any) -> tuple[int, int]:
    """Return how many times faster than real time one core trains, and runs the network."""
    import torch

    from beatgrid.audio.features import FeatureSpec

    spec = FeatureSpec.from_dict(cfg.features)
    n_frames = round(cfg.data.crop_s * spec.frame_rate)
    features = torch.full((cfg.data.batch_size, n_frames, spec.n_mels), -40.0)
    audio_s = cfg.data.batch_size * cfg.data.crop_s

    def train() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            loss = network.train()(features).square().mean()
        loss.backward()

    def run() -> None:
        with torch.inference_mode():
            network.eval()(features)

    found = []
    for step in (train, run):
        step()  # warms up
        start = time.process_time()
        step()
        step()
        found.append(round(2 * audio_s / (time.process_time() - start)))
    return found[0], found[1]


def main() -> None:
    """Score what is not scored yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep_dir", nargs="?", type=Path, default=Path("outputs/selection"))
    parser.add_argument("test_dir", nargs="?", type=Path, default=Path("data/rendered_test"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="*", help="pattern of questions")
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    path = HERE / "tracks.csv"
    done = set()
    if path.exists():
        with path.open(newline="") as file:
            done = {row["run"] for row in csv.DictReader(file)}
    runs = [
        metrics.parent
        for metrics in sorted(args.sweep_dir.glob(f"{args.only}/*/metrics.json"))
        if f"{metrics.parent.parent.name}/{metrics.parent.name}" not in done
    ]
    executor = ProcessPoolExecutor(args.workers, multiprocessing.get_context("spawn"))
    with path.open("a", newline="") as file, executor:
        writer = csv.DictWriter(file, COLUMNS)
        if not done:
            writer.writeheader()
        futures = [
            executor.submit(score_run, run, test_dir_of(run.parent.name, args.test_dir))
            for run in runs
        ]
        for future in as_completed(futures):
            rows = future.result()
            writer.writerows(rows)
            file.flush()
            kept = [row for row in rows if row["kind"] == "real"]
            right = [row["level_right"] and row["worst_error_ms"] <= 21.5 for row in kept]
            nats = [row["nats"] for row in kept]
            print(
                f"{rows[0]['run']:20} "
                f"grid {100 * sum(right) / len(kept):5.1f} %  "
                f"nats {sum(nats) / len(kept):.4f}  {rows[0]['overrides']}"
            )


if __name__ == "__main__":
    main()
