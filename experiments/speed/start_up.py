"""How much processor time does one short file take, from command to result?

    python experiments/speed/start_up.py [--repeats 7] [--before OTHER_CHECKOUT]

``predict.py`` finds the grid of 15 seconds of clicks, each time in a fresh process of one thread:
nearly all of it is imports. User and system time, median and range, in turn, after a first round
that fills the caches. Writes ``start_up.md`` beside this script.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import soundfile

from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.rendering.generator import click_track

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WAYS = {
    "with its picture (the default)": [],
    "picture=false": ["picture=false"],
    "picture=false activation=flux": ["picture=false", "activation=flux"],
}


def main() -> None:
    """Time all ways and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    args = parser.parse_args()
    checkouts = {"here": ROOT} | ({"before": args.before.resolve()} if args.before else {})
    commands = {
        **{
            (where, way): [str(checkout / "predict.py"), "audio=clicks.wav", *options]
            for where, checkout in checkouts.items()
            for way, options in WAYS.items()
        },
        ("here", "import torch"): ["-c", "import torch"],
    }
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in commands}
    with tempfile.TemporaryDirectory() as folder:
        soundfile.write(Path(folder) / "clicks.wav", click_track(125.0, 0.2, 15.0), 44100)
        for repeat in range(args.repeats + 1):
            for (where, way), command in commands.items():
                taken = processor_s(
                    command, folder, f"{where}-{way[:14]}-{repeat}", checkouts[where]
                )
                if repeat:  # the first round warms up
                    seconds[where, way].append(taken)
    rows = [
        [way, *(shown(seconds.get((where, way), ())) for where in checkouts)]
        for way in (*WAYS, "import torch")
    ]
    text = "\n".join(markdown_table(["processor seconds", *checkouts], rows))
    print(text)
    write_text(HERE / "start_up.md", text + "\n")


def processor_s(command: Sequence[str], folder: str, out: str, checkout: Path) -> float:
    """Run a command in a process of its own; return its user and system time in seconds."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is compiled is kept, as it is for users
    is_script = command[0] != "-c"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *command, *([f"out={out}"] if is_script else [])],  # found anew each time
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def shown(values: Sequence[float]) -> str:
    """Return median and range."""
    if not values:
        return ""
    return f"{statistics.median(values):.2f} ({min(values):.2f} .. {max(values):.2f})"


if __name__ == "__main__":
    main()
