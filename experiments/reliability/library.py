"""Speed, memory and start-up of library runs.

    python experiments/reliability/library.py speed     files per second with 0, 1, 2 workers
    python experiments/reliability/library.py memory    20,000 files, all links to short ones
    python experiments/reliability/library.py long      3 and 9 hours of audio
    python experiments/reliability/library.py start-up [--before CHECKOUT]   one short file

Each runs ``predict.py`` in a process of its own and prints a table: wall time, processor time of
it and its workers, and the most memory that one of its processes held. On a busy machine read the
processor times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.output.markdown import markdown_table
from beatgrid.rendering.generator import render

ROOT = Path(__file__).resolve().parents[2]
RATE = 44100

# Runs a command and tells what its processes took; one for each command, so that the peak of
# memory is that command's alone.
_MEASURE = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        wall_s: From start to end.
        processor_s: Of it and all processes that it waited for.
        peak_bytes: The most memory that one of them held.
    """

    wall_s: float
    processor_s: float
    peak_bytes: int


def predict(*arguments: str, checkout: Path = ROOT) -> Cost:
    """Run ``predict.py`` of a checkout and measure it."""
    command = [sys.executable, str(checkout / "predict.py"), *arguments]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command],
        env=os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    wall_s = time.perf_counter() - started
    status, processor_s, peak = done.stdout.split()
    if status != "0":
        raise RuntimeError(done.stderr)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall_s, float(processor_s), int(peak) * unit)


def make_pieces(folder: Path, n_files: int, duration_s: float) -> list[Path]:
    """Write house music: a few pieces, begun at different beats, so that no two are the same."""
    folder.mkdir()
    pieces = [render("house", seed, duration_s).samples for seed in range(min(n_files, 4))]
    paths = [folder / f"{i:04d}.flac" for i in range(n_files)]
    for i, path in enumerate(paths):
        samples = np.roll(pieces[i % len(pieces)], i * RATE // 3, axis=0)
        soundfile.write(path, samples, RATE)
    return paths


def speed(folder: Path, n_files: int = 40) -> list[str]:
    """Measure tracks of three minutes with 0, 1 and 2 workers."""
    make_pieces(folder / "music", n_files, 180.0)
    rows = []
    for num_workers in (0, 1, 2):
        cost = predict(
            *(f"audio={folder}/music", f"out={folder}/out{num_workers}"),
            *(f"num_workers={num_workers}", "picture=false"),
        )
        files_per_s, processor_s = n_files / cost.wall_s, cost.processor_s / n_files
        rows.append((num_workers, f"{files_per_s:.2f}", f"{processor_s:.2f}"))
    return markdown_table(["workers", "files/s", "processor s a file"], rows)


def memory(folder: Path, sizes: tuple[int, ...] = (2_000, 20_000)) -> list[str]:
    """Measure libraries of links to forty short files: names and results, not analysis."""
    sounds = make_pieces(folder / "short", 40, 8.0)
    rows = []
    for n_files in sizes:
        music = folder / f"music{n_files}"
        for i in range(n_files):
            link = music / f"{i // 100:03d}" / f"{i:05d}.flac"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(sounds[i % len(sounds)])
        cost = predict(
            *(f"audio={music}", f"out={folder}/out{n_files}"),
            *("activation=flux", "num_workers=0", "picture=false"),
        )
        rows.append((n_files, f"{cost.peak_bytes / 1e9:.3f}", f"{cost.wall_s:.0f}"))
    return markdown_table(["files", "GB at most", "seconds"], rows)


def long(folder: Path, lengths_h: tuple[float, ...] = (3, 9)) -> list[str]:
    """Measure hours of one piece over and over."""
    samples = render("house", 0, 300.0).samples
    rows = []
    for hours in lengths_h:
        path = folder / f"{hours}.flac"
        channels = 1 if np.ndim(samples) == 1 else np.shape(samples)[1]
        with soundfile.SoundFile(path, "w", RATE, channels, subtype="PCM_16") as file:
            for _ in range(round(hours * 12)):
                file.write(samples)
        cost = predict(f"audio={path}", f"out={folder}/out", "num_workers=0", "picture=false")
        rows.append((hours, f"{cost.peak_bytes / 1e9:.2f}", f"{cost.processor_s:.0f}"))
    return markdown_table(["hours", "GB at most", "processor s"], rows)


def start_up(folder: Path, before: Path | None, n_repeats: int = 7) -> list[str]:
    """Measure from command to result of ten seconds of music, checkouts in turn."""
    (audio,) = make_pieces(folder / "music", 1, 10.0)
    checkouts = ({"before": before} if before else {}) | {"now": ROOT}
    costs: dict[str, list[float]] = {name: [] for name in checkouts}
    for i in range(n_repeats):
        for name, checkout in checkouts.items():
            arguments = (f"audio={audio}", f"out={folder}/{name}{i}", "picture=false")
            costs[name].append(predict(*arguments, checkout=checkout).processor_s)
    rows = [
        (name, f"{statistics.median(found):.2f}", f"{min(found):.2f} .. {max(found):.2f}")
        for name, found in costs.items()
    ]
    return markdown_table(["", "processor s (median)", "range"], rows)


def main() -> None:
    """Measure one of them and print its table."""
    measurements: dict[str, Callable[[Path], list[str]]] = {
        "speed": speed,
        "memory": memory,
        "long": long,
        "start-up": lambda folder: start_up(folder, asked.before),
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=measurements)
    parser.add_argument("--before", type=Path, help="checkout of a former state, for start-up")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print("\n".join(measurements[asked.what](Path(name))))


if __name__ == "__main__":
    main()
