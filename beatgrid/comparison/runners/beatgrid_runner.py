"""beatgrid itself, by the interpreter that compares, under the same conditions as its peers."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any

from serving import serve

import beatgrid


def load(options: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file.

    Args:
        options: Of ``beatgrid.load``.
    """
    predictor = beatgrid.load(num_threads=1, **options)

    def analyse(path: str) -> dict[str, Any]:
        found = predictor(path)
        if found.grid is None:
            return {"beats_s": []}
        return {
            "bpm": found.grid.bpm,
            "offset_s": found.grid.offset_s,
            "beats_per_bar": found.beats_per_bar if found.downbeat_known else None,
            "beats_s": found.beat_times(),
            "confidence": found.confidence,
        }

    return analyse


if __name__ == "__main__":
    serve(f"beatgrid {beatgrid.__version__}", functools.partial(load, json.loads(sys.argv[1])))
