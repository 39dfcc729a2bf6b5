"""BeatNet's recurrent network and madmom's dynamic Bayesian network: its offline mode."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import serve


def load() -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file.

    The network's state goes on from one file to the next: it is cleared before each.
    """
    import torch
    from BeatNet.BeatNet import BeatNet

    torch.set_num_threads(1)
    tracker = BeatNet(1, mode="offline", inference_model="DBN", plot=[], thread=False)

    def analyse(path: str) -> dict[str, Any]:
        tracker.model.hidden.zero_()
        tracker.model.cell.zero_()
        found = tracker.process(path)
        is_downbeat = found[:, 1] == 1
        return {"beats_s": found[:, 0], "downbeats_s": found[is_downbeat, 0]}

    return analyse


if __name__ == "__main__":
    serve(f"BeatNet {version('BeatNet')}", load)
