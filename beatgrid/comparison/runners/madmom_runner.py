"""madmom's recurrent networks and their dynamic Bayesian network, in its offline defaults."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import serve

_FRAMES_PER_SECOND = 100


def load() -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file."""
    from madmom.features.beats import DBNBeatTrackingProcessor, RNNBeatProcessor

    network = RNNBeatProcessor()
    decode = DBNBeatTrackingProcessor(fps=_FRAMES_PER_SECOND)

    def analyse(path: str) -> dict[str, Any]:
        return {"beats_s": decode(network(path))}

    return analyse


if __name__ == "__main__":
    serve(f"madmom {version('madmom')}", load)
