"""What does a file of 1, 5, 20 and 120 minutes cost, step by step?

    python experiments/speed/lengths.py [--minutes 1 5 20 120] [--repeats 3]

An MP3 in stereo of a synthesised piece, repeated without a seam; each step of ``predict`` with the
shipped weights under ONNX Runtime on one thread, in processor seconds, so that a busy machine
matters little. Writes ``lengths.md`` beside this script.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

import beatgrid
from beatgrid.audio.extract import file_features
from beatgrid.audio.reader import open_audio
from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.output.result import write_result
from beatgrid.rendering.generator import render

HERE = Path(__file__).resolve().parent
RATE = 44100
STEPS = ("decode", "features", "network", "search", "result")


def write_audio(path: Path, minutes: float) -> None:
    """Write an MP3 of 120 BPM: 32 bars, again and again."""
    bars = render("house", 1, 64.0, bpm=120.0).samples[: 64 * RATE]
    stereo = np.stack([bars, 0.9 * bars], axis=-1)
    left = round(60 * minutes * RATE)
    with soundfile.SoundFile(path, "w", RATE, 2, format="MP3") as file:
        while left > 0:
            file.write(stereo[:left])
            left -= len(stereo)


def measure(path: Path, folder: Path) -> dict[str, float]:
    """Return the processor seconds of each step for one file, and the peak of memory in MB."""
    predictor = beatgrid.load("shipped")
    predictor(np.random.default_rng(0).normal(0, 0.1, 10 * RATE), sample_rate=RATE)  # warms up
    clock = time.process_time
    times = [clock()]
    reader = open_audio(path, predictor.features.sample_rate)
    reader.consume(lambda blocks: sum(len(block) for block in blocks))
    times.append(clock())
    features, info = file_features(path, predictor.features)
    times.append(clock())
    activation = predictor.source(features, info.duration_s)
    times.append(clock())
    estimate = predictor.search(activation, predictor.source.ranker)
    times.append(clock())
    found = beatgrid.Prediction(info, activation, estimate, features, predictor.model_id, None)
    write_result(folder / "result.json", found.to_dict({}))
    times.append(clock())
    steps = dict(zip(STEPS, np.diff(times).tolist(), strict=True))
    steps["features"] -= steps["decode"]  # which it does as well
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return steps | {"peak": peak, "bpm": float(estimate.bpm or 0.0)}


def main() -> None:
    """Measure each length in a process of its own, in turn, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 5, 20, 120])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", type=Path)
    args = parser.parse_args()
    if args.measure is not None:
        print(json.dumps(measure(args.measure, args.measure.parent)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for minutes in args.minutes:
            path = Path(temporary) / f"{minutes:g}.mp3"
            write_audio(path, minutes)
            command = [sys.executable, __file__, "--measure", str(path)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            runs = []
            for _ in range(args.repeats):
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=True
                )
                runs.append(json.loads(done.stdout))
            median = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            assert abs(median["bpm"] - 120) < 0.01, median
            total = sum(median[step] for step in STEPS)
            cells = [f"{median[step]:.3f}" for step in STEPS]
            speed = f"{60 * minutes / total:.0f}"
            rows.append([f"{minutes:g}", *cells, f"{total:.2f}", speed, f"{median['peak']:.0f}"])
            print(rows[-1], flush=True)
    columns = ("minutes", *STEPS, "all, s", "x real time", "peak, MB")
    text = "\n".join(markdown_table(columns, rows))
    print(text)
    write_text(HERE / "lengths.md", text + "\n")


if __name__ == "__main__":
    main()
