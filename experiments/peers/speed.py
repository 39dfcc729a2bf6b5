"""How long from file to grid, beside other beat trackers, on one core?

    python experiments/peers/speed.py [--peers-dir outputs/peers] [--minutes 1 5 20 120]

Synthesised house as WAV (stereo, 16 bits, 44.1 kHz), every system pinned to one core, in turn, in
alternating order. *Warm*: the process has started and has analysed a short file; median of the
repeats. *Cold*: from the start of the process to the answer for one minute of audio. What would
take a system longer than ``--cap`` seconds is left out. Writes ``speed.md`` beside this script.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.comparison.contenders import Contender, find_contenders
from beatgrid.comparison.runner_process import RunnerProcess
from beatgrid.comparison.systems import BEATGRID, chosen_systems
from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.processes import Failure
from beatgrid.rendering.generator import render

HERE = Path(__file__).resolve().parent
SAMPLE_RATE = 44100
LONG_S = 10.0
"""What takes longer is measured once."""

Seconds = list[tuple[float, float]]
"""Wall and processor seconds of each repeat."""


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers-dir", type=Path, default=Path("outputs/peers"))
    parser.add_argument("--minutes", type=int, nargs="*", default=[1, 5, 20, 120])
    parser.add_argument("--systems", nargs="*")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cap", type=float, default=40.0)
    args = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # processes started here inherit it
    contenders, missing = find_contenders(chosen_systems(args.systems), args.peers_dir)
    for name, why in missing.items():
        print(f"{name} is left out: {why}")
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        files = {minutes: write_track(Path(folder), minutes) for minutes in args.minutes}
        cold = measure_cold(contenders, files[min(files)], args.repeats - 1)
        warm = measure_warm(contenders, files, args.repeats, args.cap)
    text = "\n".join(tables(contenders, warm, cold, min(files), load_before))
    print(text)
    write_text(HERE / "speed.md", text + "\n")


def write_track(folder: Path, minutes: int) -> Path:
    """Write a minute of music as often as it takes."""
    piece = render("house", 1, 60.0).samples
    path = folder / f"{minutes}.wav"
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2, subtype="PCM_16") as file:
        for _ in range(minutes):
            file.write(np.column_stack([piece, piece]))
    return path


def measure_cold(contenders: Sequence[Contender], file: Path, repeats: int) -> dict[str, Seconds]:
    """Time new processes from their start to their answer."""
    found: dict[str, Seconds] = {}
    for repeat in range(repeats):
        for contender in in_turn(contenders, repeat):
            variables = {**contender.variables, "BEATGRID_COLD": "1"}
            began = time.perf_counter()
            with RunnerProcess(contender.command, variables) as runner:
                answer = runner.analyse(file, 600.0)
                wall_s = time.perf_counter() - began
            if isinstance(answer, Failure):
                print(f"{contender.name}: {answer.reason}")
                continue
            found.setdefault(contender.name, []).append((wall_s, answer["process_cpu_s"]))
    return found


def measure_warm(
    contenders: Sequence[Contender], files: dict[int, Path], repeats: int, cap_s: float
) -> dict[int, dict[str, Seconds]]:
    """Time the analysis alone, the shortest file first: it tells what a longer one will take."""
    found: dict[int, dict[str, Seconds]] = {minutes: {} for minutes in files}
    rate: dict[str, float] = {}
    running = {c.name: RunnerProcess(c.command, dict(c.variables)) for c in contenders}
    try:
        for minutes, file in sorted(files.items()):
            for repeat in range(repeats):
                for contender in in_turn(contenders, repeat):
                    expected_s = rate.get(contender.name, 0.0) * minutes
                    if expected_s > cap_s or (repeat and expected_s > LONG_S):
                        continue
                    answer = running[contender.name].analyse(file, 600.0)
                    if isinstance(answer, Failure):
                        print(f"{contender.name}, {minutes} min: {answer.reason}")
                        rate[contender.name] = float("inf")
                        continue
                    taken = answer["wall_s"], answer["cpu_s"]
                    found[minutes].setdefault(contender.name, []).append(taken)
                    rate[contender.name] = answer["wall_s"] / minutes
    finally:
        for runner in running.values():
            runner.close()
    return found


def in_turn(contenders: Sequence[Contender], repeat: int) -> Sequence[Contender]:
    """Return the systems, every second time from the last to the first."""
    return contenders if repeat % 2 == 0 else contenders[::-1]


def tables(
    contenders: Sequence[Contender],
    warm: dict[int, dict[str, Seconds]],
    cold: dict[str, Seconds],
    shortest: int,
    load: float,
) -> list[str]:
    """Return the tables in Markdown: seconds, and as multiples of beatgrid's."""
    columns = [f"{minutes} min" for minutes in warm]
    lines = ["# From file to grid on one core", ""]
    lines += [
        f"Load of the machine before: {load:.2f}. Ratios are to beatgrid in the same run.",
        "",
    ]
    for title, part in (("Wall", 0), ("Processor", 1)):
        lines += [f"## {title} seconds, started already", ""]
        rows = [
            [c.name, *(shown(taken, c.name, part) for taken in warm.values())] for c in contenders
        ]
        lines += [*markdown_table(["", *columns], rows), ""]
    lines += [f"## {shortest} min, from the start of the process", ""]
    rows = [[c.name, shown(cold, c.name, 0), shown(cold, c.name, 1)] for c in contenders]
    lines += [*markdown_table(["", "wall s", "processor s"], rows), ""]
    return lines


def shown(taken: dict[str, Seconds], name: str, part: int) -> str:
    """Return the median in seconds, and how many times beatgrid's it is."""
    if name not in taken:
        return "-"
    seconds = statistics.median(one[part] for one in taken[name])
    if BEATGRID not in taken or name == BEATGRID:
        return f"{seconds:.2f}"
    own = statistics.median(one[part] for one in taken[BEATGRID])
    return f"{seconds:.2f} ({seconds / own:.2f} x)"


if __name__ == "__main__":
    main()
