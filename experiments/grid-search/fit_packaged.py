"""Fits the coefficients shipped with the package, beatgrid/search/*.json.

python experiments/grid-search/fit_packaged.py generic            synthetic activations
python experiments/grid-search/fit_packaged.py flux DATA_DIR      split ``train`` of a folder
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from flux_tracks import flux_tracks
from random_tracks import BPM_RANGE, varied_track

import beatgrid.search
from beatgrid.calibration import Example, fit_ranker
from beatgrid.search import GridSearch

N_GENERIC = 1000


def generic_examples() -> Iterator[Example]:
    """Synthetic activations of every kind of imperfection."""
    for seed in range(N_GENERIC):
        grid, activation = varied_track(seed)
        yield Example(activation, grid)


def flux_examples(data_dir: Path) -> Iterator[Example]:
    """Training tracks whose level is not a guess."""
    for track, activation in flux_tracks(data_dir, "train"):
        suspect = track.label.suspect
        if suspect != "octave":
            yield Example(
                activation,
                track.label.grid,
                group=track.label.group or track.name,
                phase_reliable=suspect != "beat phase",
            )


if __name__ == "__main__":
    kind = sys.argv[1]
    examples = flux_examples(Path(sys.argv[2])) if kind == "flux" else generic_examples()
    # Linear: coefficients for any source of activations should do nothing unforeseen.
    ranker, report = fit_ranker(examples, GridSearch(*BPM_RANGE), n_units=0)
    print(json.dumps({k: v for k, v in asdict(report).items() if k != "tracks"}, indent=1))
    target = Path(beatgrid.search.__file__).parent / f"{kind}.json"
    target.write_text(json.dumps(ranker.to_dict(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {target}")
