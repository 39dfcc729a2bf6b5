"""DeepRhythm's global tempo, from weights that the user names."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import serve


def load(weights: str) -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file.

    Args:
        weights: File that the package would fetch from its repository: ``deeprhythm-0.7.pth``.
    """
    import torch
    from deeprhythm.model import predictor

    torch.set_num_threads(1)
    predictor.get_weights = lambda quiet=True: weights
    tempo = predictor.DeepRhythmPredictor(device="cpu", quiet=True)

    def analyse(path: str) -> dict[str, Any]:
        return {"bpm": tempo.predict(path)}

    return analyse


if __name__ == "__main__":
    serve(f"deeprhythm {version('deeprhythm')}", functools.partial(load, sys.argv[1]))
