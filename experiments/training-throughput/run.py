"""Seconds of audio trained per second: the notebook's loop against this project's.

    python experiments/training-throughput/run.py AUDIO_DIR LABEL_DIR [--tracks 16] [--repeats 3]

All variants run in this process, in turn, on the same tracks, with one torch thread. The
notebook's loop decodes and transforms each track anew at each access (librosa), and trains its
BeatCRNN on whole tracks with batch size 1. Writes ``results.md`` beside this script.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import librosa
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from beatgrid.audio.features import FeatureSpec
from beatgrid.commands.configs import CONF
from beatgrid.commands.signatures import register
from beatgrid.data.discovery import discover
from beatgrid.data.split import split_tracks
from beatgrid.data.targets import beat_target
from beatgrid.data.track import Track
from beatgrid.files import write_text
from beatgrid.networks import build_network
from beatgrid.networks.legacy import NOTEBOOK
from beatgrid.output.markdown import markdown_table

HERE = Path(__file__).resolve().parent
WAYS = {
    "crnn_small": ("model=crnn_small",),
    "tcn in bfloat16": ("model=tcn", "trainer.precision=bf16-mixed"),
}


def notebook_epoch(tracks: list[Track]) -> float:
    """Train one epoch as the notebook does; return its seconds."""
    spec = FeatureSpec()
    network = build_network(**NOTEBOOK)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    criterion = torch.nn.BCEWithLogitsLoss()
    start = time.perf_counter()
    for track in tracks:
        samples, rate = librosa.load(track.audio_path, sr=spec.sample_rate, mono=True)
        power = librosa.feature.melspectrogram(
            y=samples, sr=rate, n_fft=spec.n_fft, hop_length=spec.hop_length, n_mels=spec.n_mels
        )
        log_mel = librosa.power_to_db(power, ref=np.max).T
        times_s = track.label.grid.beat_times(len(samples) / rate)
        target = beat_target(times_s, len(log_mel), spec.frame_rate, "box", 0.03)
        optimizer.zero_grad()
        logits = network(torch.from_numpy(log_mel).float()[None]).logits[..., 0]
        loss = criterion(logits, torch.from_numpy(target)[None])
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def our_epoch(folder: Path, cache_dir: Path, *overrides: str) -> float:
    """Train one epoch of ``train.py``'s parts, features cached if they are; return its seconds."""
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        places = [f"data.audio_dir='{folder}/audio'", f"data.label_dir='{folder}/labels'"]
        run = ["data.val_count=0", "trainer=cpu", "trainer.max_epochs=1", "output_dir=''"]
        cfg = compose("train", [*places, f"data.cache_dir='{cache_dir}'", *run, *overrides])
    start = time.perf_counter()
    data, module = instantiate(cfg.data), instantiate(cfg.model)
    quiet = {"enable_progress_bar": False, "enable_checkpointing": False, "logger": False}
    instantiate(cfg.trainer, **quiet).fit(module, data)
    return time.perf_counter() - start


def main() -> None:
    """Time all variants in turn and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("audio_dir", type=Path)
    parser.add_argument("label_dir", type=Path)
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")  # its advice on workers, validation
    tracks = split_tracks(discover(args.audio_dir, args.label_dir), 0)["train"][: args.tracks]

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("audio", "labels"):
            (folder / name).mkdir()
        for track in tracks:
            shutil.copy(track.audio_path, folder / "audio")
            shutil.copy(track.label.path, folder / "labels")
        audio_s = sum(librosa.get_duration(path=track.audio_path) for track in tracks)
        rows: dict[str, list[float]] = {}

        def add(name: str, seconds: float) -> None:
            rows.setdefault(name, []).append(audio_s / seconds)
            print(f"{name}: {audio_s / seconds:.1f} s of audio per second", flush=True)

        for repeat in range(args.repeats):
            add("notebook's loop", notebook_epoch(tracks))
            for name, overrides in WAYS.items():
                cache = folder / f"cache{repeat}-{name}"
                add(f"{name}, first epoch, empty cache", our_epoch(folder, cache, *overrides))
                add(f"{name}, cached", our_epoch(folder, cache, *overrides))
                shutil.rmtree(cache)
    baseline = statistics.median(rows["notebook's loop"])
    lines = [
        f"{len(tracks)} tracks, {audio_s / 60:.1f} minutes of audio, {args.repeats} runs in turn, "
        "one torch thread; seconds of audio trained per second.",
        "",
    ]
    table = []
    for name, rates in rows.items():
        median = statistics.median(rates)
        spread = f"{min(rates):.1f} .. {max(rates):.1f}"
        table.append((name, f"{median:.1f}", spread, f"{median / baseline:.1f}"))
    lines += markdown_table(("", "median", "min .. max", "ratio"), table)
    write_text(HERE / "results.md", "\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
