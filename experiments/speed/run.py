"""How fast is each step from audio to grid, on one thread?

    python experiments/speed/run.py [--minutes 5] [--repeats 5] [--ckpt shipped]

One synthesised track; each step is timed in processor seconds, in turn, several times; the median
and the range are given in seconds and as times real time, beside librosa's beat tracker in the
same run. Writes ``results.md`` beside this script.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import torch

from beatgrid.activation import network_logits, track_activation
from beatgrid.audio.features import log_mel
from beatgrid.files import write_text
from beatgrid.networks import build_network, count_parameters, load_model
from beatgrid.networks.legacy import NOTEBOOK
from beatgrid.output.markdown import markdown_table
from beatgrid.predictor import find_checkpoint
from beatgrid.rendering.generator import render
from beatgrid.search import GridSearch

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Time all steps and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--ckpt", default="shipped")
    args = parser.parse_args()
    torch.set_num_threads(1)
    duration_s = 60 * args.minutes
    samples = render("house", 1, duration_s).samples
    model = load_model(find_checkpoint(args.ckpt))
    spec, ranker = model.features, model.calibration.get("ranker")
    features = log_mel(samples, spec)
    logits = network_logits(model.network, features)
    activation = track_activation(logits, features, spec, duration_s)
    search, notebook = GridSearch(), build_network(**NOTEBOOK).eval()

    def to_activation() -> Any:
        mel = log_mel(samples, spec)
        z = network_logits(model.network, mel)
        return track_activation(z, mel, spec, duration_s)

    steps: dict[str, Callable[[], Any]] = {
        "log-mel": lambda: log_mel(samples, spec),
        f"network ({count_parameters(model.network):,} parameters)": lambda: network_logits(
            model.network, features
        ),
        "audio to activation": to_activation,
        "grid search": lambda: search(activation, ranker),
        "the notebook's network (2,644,801 parameters)": lambda: network_logits(notebook, features),
        "librosa.beat.beat_track, from audio": lambda: librosa.beat.beat_track(
            y=samples, sr=spec.sample_rate
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(args.repeats + 1):
        for name, step in steps.items():
            start = time.process_time()
            step()
            if repeat:  # the first round warms up
                seconds[name].append(time.process_time() - start)
    baseline = statistics.median(seconds["librosa.beat.beat_track, from audio"])
    rows = []
    for name, values in seconds.items():
        median = statistics.median(values)
        spread = f"{median:.3f} ({min(values):.3f} .. {max(values):.3f})"
        rows.append((name, spread, f"{duration_s / median:.0f}", f"{baseline / median:.1f}"))
    what = f"{args.minutes:g} minutes of audio, one thread"
    columns = (what, "processor seconds (range)", "x real time", "x librosa")
    text = "\n".join(markdown_table(columns, rows))
    print(text)
    write_text(HERE / "results.md", text + "\n")


if __name__ == "__main__":
    main()
