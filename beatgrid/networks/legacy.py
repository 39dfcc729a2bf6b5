"""Descriptions of networks in files of before: the notebook's, and checkpoints of format 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from beatgrid.networks.arguments import arguments_of
from beatgrid.networks.table import NETWORKS

# The notebook's BeatCRNN, whose file says nothing about itself; also what an argument was that a
# description of format 1 leaves out. ``conf/model/crnn.yaml`` says the same (a test).
NOTEBOOK: dict[str, Any] = {
    "name": "crnn",
    "n_mels": 128,
    "channels": [32, 64],
    "kernel_size": [3, 3],
    "frequency_strides": [1, 1],
    "frequency_pools": [2, 2],
    "projection_size": 0,
    "hidden_size": 128,
    "num_layers": 2,
    "dropout": 0.0,
    "n_outputs": 1,
    "tempo_size": 0,
    "input_mean_db": 0.0,
    "input_scale_db": 1.0,
}
_NOTEBOOK_KEYS = {"cnn.0.weight", "cnn.4.weight", "rnn.weight_ih_l0", "output.weight"}


def is_notebook(contents: Mapping[str, Any]) -> bool:
    """Tell whether a file's contents are the bare state_dict of the notebook's BeatCRNN."""
    return contents.keys() >= _NOTEBOOK_KEYS


def notebook_description(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Describe the notebook's network by the shapes of its weights."""
    cnn_channels = state["cnn.4.weight"].shape[0]
    return NOTEBOOK | {
        "n_mels": state["rnn.weight_ih_l0"].shape[1] // cnn_channels * 4,  # pooled twice
        "hidden_size": state["output.weight"].shape[1] // 2,
        "num_layers": sum(k.startswith("rnn.weight_ih_l") and "reverse" not in k for k in state),
    }


def completed(description: Mapping[str, Any]) -> dict[str, Any]:
    """Add the arguments that came after format 2 with the values that change nothing."""
    if "tempo_size" not in arguments_of("network", NETWORKS, description.get("name", "")):
        return dict(description)
    return {"tempo_size": 0} | dict(description)


def from_format_1(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Name the network of a format 1 description, which had one class with switches.

    Arguments that the named network lacks had no effect and are dropped.
    """
    given = NOTEBOOK | {"tcn_layers": 0, "tcn_kernel_size": 5} | dict(arguments)
    with_tcn = "tcn_lstm" if given["num_layers"] else "tcn"
    name = with_tcn if given["tcn_layers"] else "crnn"
    takes = arguments_of("network", NETWORKS, name)
    known = NOTEBOOK.keys() | {"tcn_layers", "tcn_kernel_size"}
    return {"name": name} | {k: v for k, v in given.items() if k in takes or k not in known}
