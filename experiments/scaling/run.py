"""How much more do two processes do than one, in prediction and in training?

    python experiments/scaling/run.py [--tracks 16] [--minutes 2] [--repeats 3]

Synthesised pieces. ``predict`` with one and two workers, and with two shards side by side;
``train`` with ``trainer=ddp`` on the CPU with one and two processes of the same batch in all. All
ways in turn, wall time without what a run of nothing costs, ratios within a round: other programs
on the machine slow all of them. Writes ``results.md`` beside this script.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import soundfile

from beatgrid.data.labels import write_label
from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.rendering.generator import GENRES, render

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def seconds(folder: Path, *commands: list[str]) -> float:
    """Run commands side by side; return the seconds until the last has ended."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    running = [
        subprocess.Popen(
            [sys.executable, str(ROOT / command[0]), *command[1:]],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    for process in running:
        if process.wait() != 0:
            raise SystemExit(f"failed: {process.args}")
    return time.perf_counter() - start


def make_tracks(folder: Path, n_tracks: int, minutes: float) -> None:
    """Write pieces and their labels."""
    (folder / "audio").mkdir()
    for i in range(n_tracks):
        piece = render(sorted(GENRES)[i % len(GENRES)], i, 60 * minutes)
        soundfile.write(folder / "audio" / f"{i}.flac", piece.samples, 44100)
        label = folder / "labels" / f"{i}.labels.json"
        write_label(label, piece.grid, 60 * minutes, f"{i}.flac")


def main() -> None:
    """Time all ways in turn and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    predict = ["predict.py", "audio=audio", "out=out", "picture=false"]
    nothing = ["predict.py", "audio=audio/0.flac", "out=out", "picture=false"]
    train = ["train.py", "data.audio_dir=audio", "data.label_dir=labels", "data.cache_dir=cache"]
    train += ["model=tcn", "data.val_count=0", "data.num_workers=0", "trainer=ddp", "logger=csv"]
    train += ["trainer.accelerator=cpu", "callbacks.progress=null"]
    ways = {
        "predict, 1 worker": [[*predict, "num_workers=1"]],
        "predict, 2 workers": [[*predict, "num_workers=2"]],
        "predict, 2 shards": [[*predict, "num_workers=1", f"shard={i}/2"] for i in (1, 2)],
        "train, 1 process": [[*train, "trainer.devices=1", "data.batch_size=16"]],
        "train, 2 processes": [[*train, "trainer.devices=2", "data.batch_size=8"]],
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    loads = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_tracks(folder, args.tracks, args.minutes)
        audio_s = 60 * args.minutes * args.tracks
        seconds(folder, [*ways["train, 1 process"][0], "trainer.max_epochs=1"])  # fills the cache
        for _ in range(args.repeats):
            loads.append(os.getloadavg()[0])
            for name, commands in ways.items():
                shutil.rmtree(folder / "out", ignore_errors=True)
                if name.startswith("predict"):
                    idle = seconds(folder, nothing)
                    shutil.rmtree(folder / "out")
                    took, amount = seconds(folder, *commands), audio_s
                else:
                    short, long = 1, 4
                    (command,) = commands
                    idle = seconds(folder, [*command, f"trainer.max_epochs={short}"])
                    took = seconds(folder, [*command, f"trainer.max_epochs={long}"])
                    amount = (long - short) * audio_s
                rates[name].append(amount / (took - idle))
                print(f"{name}: {rates[name][-1]:.0f} s of audio per second", flush=True)
    rows = []
    for name, values in rates.items():
        of_one = rates[f"{name.split(',')[0]}, 1 {'worker' if 'pred' in name else 'process'}"]
        ratios = [value / one for value, one in zip(values, of_one, strict=True)]
        spread = f"{min(ratios):.2f} .. {max(ratios):.2f}"
        rows.append(
            (name, f"{statistics.median(values):.0f}", f"{statistics.median(ratios):.2f}", spread)
        )
    columns = ("", "seconds of audio per second", "times one", "range")
    load = f"{min(loads):.1f} to {max(loads):.1f}"
    text = "\n".join(
        [
            f"{args.tracks} pieces of {args.minutes:g} minutes, {args.repeats} rounds, "
            f"{os.cpu_count()} cores, load average {load} when a round began.",
            "",
            *markdown_table(columns, rows),
        ]
    )
    print(text)
    write_text(HERE / "results.md", text + "\n")


if __name__ == "__main__":
    main()
