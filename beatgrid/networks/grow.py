"""The weights of a trained network in a larger one, which at first answers as the trained one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from beatgrid.networks.network import Network

# Which networks hold which, with the same names for the same layers.
_LARGER = {("tcn", "tcn_lstm")}
# What may differ: dropout has no weights, and a tempo head may be added.
_FREE = ("dropout", "n_mels")


def differences(trained: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Say what keeps a network from beginning with the weights of a trained one.

    Args:
        trained: ``name`` and arguments of the network whose weights are there.
        wanted: Those of the network to begin with them.

    Returns:
        Overrides that would make it fit, as ``model.KEY=VALUE``; none if it fits.
    """
    allowed = {
        *_FREE,
        *(["name"] if (trained["name"], wanted["name"]) in _LARGER else []),
        *(["tempo_size"] if not trained.get("tempo_size") else []),
    }
    return [
        f"{'model.network' if key == 'name' else f'model.{key}'}={value}"
        for key, value in sorted(trained.items())
        if key not in allowed and value != wanted.get(key)
    ]


@torch.no_grad()
def take_over(network: Network, trained: Network) -> None:
    """Copy the weights of a trained network into one that has all of its layers.

    Layers that are new keep the weights they have. Where the output receives more features than
    it did, new ones have the weight 0.

    Args:
        network: Changed in place; ``differences`` found none.
        trained: Where the weights come from.
    """
    state = network.state_dict()
    for name, tensor in trained.state_dict().items():
        if state[name].shape == tensor.shape:
            state[name].copy_(tensor)
        else:
            state[name].zero_()
            state[name][:, : tensor.shape[1]].copy_(tensor)
