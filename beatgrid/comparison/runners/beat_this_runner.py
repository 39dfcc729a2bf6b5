"""Beat This! with its minimal post-processing, from a checkpoint that the user names."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import serve


def load(checkpoint: str) -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file.

    Args:
        checkpoint: Such as ``final0.ckpt``, which the package would fetch.
    """
    import torch
    from beat_this.inference import File2Beats

    torch.set_num_threads(1)
    beats = File2Beats(checkpoint_path=checkpoint, device="cpu", dbn=False)

    def analyse(path: str) -> dict[str, Any]:
        beats_s, downbeats_s = beats(path)
        return {"beats_s": beats_s, "downbeats_s": downbeats_s}

    return analyse


if __name__ == "__main__":
    serve(f"beat-this {version('beat-this')}", functools.partial(load, sys.argv[1]))
