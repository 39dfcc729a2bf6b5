"""Measures the grid search; see README.md beside this file.

PYTHONPATH=. python experiments/grid-search/run.py [part=1..12] [data_dir=FOLDER]
    [generated_dir=FOLDER] [rendered_dir=FOLDER]

Without ``part`` all parts run. Part 7 needs ``data_dir``, a folder with ``audio`` and ``labels``;
part 8 ``generated_dir``, such a folder of music with exact grids; part 12 ``rendered_dir``, whose
sub-folders are sources of rendered music.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from compound_part import compound
from corpus_part import corpus
from half_beat_part import half_beats
from percussion_part import percussion
from ranges_part import ranges
from segmentation_part import segmentation
from synthetic_parts import ambiguity, calibration, cost, snapping, versus_notebook
from tempo_changes_part import tempo_changes


def main(arguments: list[str]) -> None:
    """Run the parts asked for."""
    options = dict(argument.split("=", 1) for argument in arguments)
    unknown = set(options) - {"part", "data_dir", "generated_dir", "rendered_dir"}
    if unknown:
        sys.exit(
            f"unknown option {sorted(unknown)[0]}=; there are part=, data_dir=, "
            "generated_dir=, rendered_dir="
        )
    parts = {
        "1": versus_notebook,
        "2": cost,
        "3": ambiguity,
        "4": snapping,
        "5": segmentation,
        "6": calibration,
        "9": percussion,
        "10": compound,
        "11": ranges,
    }
    if "data_dir" in options:
        parts["7"] = partial(corpus, Path(options["data_dir"]))
    if "generated_dir" in options:
        parts["8"] = partial(tempo_changes, Path(options["generated_dir"]))
    if "rendered_dir" in options:
        parts["12"] = partial(half_beats, Path(options["rendered_dir"]))
    wanted = [options["part"]] if "part" in options else list(parts)
    for part in wanted:
        if part not in parts:
            sys.exit(
                f"part={part}: there are {', '.join(parts)}; 7 needs data_dir=, "
                "8 generated_dir=, 12 rendered_dir="
            )
        start_s = time.perf_counter()
        parts[part]()
        print(f"part {part}: {time.perf_counter() - start_s:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
