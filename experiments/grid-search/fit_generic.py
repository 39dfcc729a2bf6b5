"""Fits the ranker shipped for activations of unknown origin.

python experiments/grid-search/fit_generic.py [n_tracks] writes beatgrid/search/generic.json.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from random_tracks import varied_track

import beatgrid.search
from beatgrid.search.fit import Example, fit

if __name__ == "__main__":
    n_tracks = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    tracks = (varied_track(seed) for seed in range(n_tracks))
    coefficients, report = fit(Example(activation, grid) for grid, activation in tracks)
    print(json.dumps(asdict(report), indent=1))
    target = Path(beatgrid.search.__file__).parent / "generic.json"
    target.write_text(json.dumps(coefficients.to_dict(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {target}")
