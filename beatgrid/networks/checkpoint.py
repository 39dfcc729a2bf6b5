"""Checkpoint files: what they say about themselves, and loading them safely."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import CheckpointError
from beatgrid.files import content_hash, printable, replacing
from beatgrid.networks.description import (
    FORMAT,
    KEY,
    LICENCE,
    describe,
    described_features,
    model_id,
)
from beatgrid.networks.legacy import completed, from_format_1, is_notebook, notebook_description
from beatgrid.networks.network import Network
from beatgrid.networks.table import build_network

_PREFIX = "network."  # of the network's weights in the Lightning module's state_dict
# What reading entries of the wrong type, shape or size raises.
_DAMAGE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A network ready for prediction, and where it comes from.

    Attributes:
        network: In evaluation mode, on the CPU.
        features: What its input must be.
        network_args: Its ``name`` and what it was built with.
        model_id: Run and file name.
        training_data: Summary of the data it was trained on.
        licence: Licence of the weights.
        calibration: What was fitted after training: ``temperatures``, one per output, and
            ``ranker``, the grid search's ranker. Empty if nothing was.
        weights_hash: ``content_hash`` of the file; empty for a network that is in none.
    """

    network: Network
    features: FeatureSpec
    network_args: dict[str, Any]
    model_id: str
    training_data: dict[str, Any] = field(default_factory=dict)
    licence: str = LICENCE
    calibration: dict[str, Any] = field(default_factory=dict)
    weights_hash: str = ""


def load_model(path: str | Path) -> LoadedModel:
    """Load a checkpoint of this project, or the notebook's bare ``beat_crnn_mvp.pth``.

    Nothing larger than the file is allocated, whatever it says about itself.

    Raises:
        CheckpointError: The file is missing, no checkpoint, of another format, or damaged.
    """
    path = Path(path)
    contents = _read(path)
    if is_notebook(contents):
        return _load_notebook(path, contents)
    about = contents.get(KEY)
    if not isinstance(about, dict) or not isinstance(contents.get("state_dict"), dict):
        raise CheckpointError(
            f"ckpt={path}: no checkpoint of beatgrid; "
            "give a file from outputs/train/*/checkpoints, or ckpt=latest"
        )
    if about.get("format") not in (1, FORMAT):
        raise CheckpointError(
            f"ckpt={path}: checkpoint format {about.get('format')!r}, this version reads "
            f"{FORMAT}; it was written by beatgrid {about.get('version', '?')}: "
            "install that version, or train anew"
        )
    try:
        features = described_features(about)
        description = dict(about["network"])
        if about["format"] == 1:
            description = from_format_1(description)
        description = completed(description)
        if description.get("n_mels") != features.n_mels:
            raise ValueError(
                f"n_mels {description.get('n_mels')} of the network, {features.n_mels} of features"
            )
        state = {str(k).removeprefix(_PREFIX): v for k, v in contents["state_dict"].items()}
        network = _with_weights(description, state, path.stat().st_size)
        training_data = dict(about.get("training_data", {}))
        calibration = dict(about.get("calibration", {}))
    except _DAMAGE as error:
        raise CheckpointError(
            f"ckpt={path}: its weights and its description disagree "
            f"({_first_line(error)}); train anew"
        ) from error
    return LoadedModel(
        network=network,
        features=features,
        network_args=description,
        model_id=model_id(path),
        weights_hash=content_hash(path),
        training_data=training_data,
        licence=str(about.get("licence", LICENCE)),
        calibration=calibration,
    )


def save_model(path: str | Path, model: LoadedModel) -> None:
    """Write what prediction needs and nothing else: no optimiser, no paths; atomically."""
    contents = {
        KEY: describe(
            network=model.network_args,
            features=model.features.to_dict(),
            training_data=model.training_data,
            calibration=model.calibration,
            licence=model.licence,
        ),
        "state_dict": {f"{_PREFIX}{k}": v for k, v in model.network.state_dict().items()},
    }
    with replacing(path) as temporary:
        torch.save(contents, temporary)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"ckpt={path}: no such file; train one (train.py) or fix the path")
    if path.suffix == ".onnx":
        raise CheckpointError(
            f"ckpt={path}: an ONNX file predicts and no more; give the checkpoint it was made of"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how it was written
            contents = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on arbitrary bytes the safe unpickler fails in any way
        raise CheckpointError(
            f"ckpt={path}: cannot be read as a checkpoint "
            f"({path.stat().st_size} bytes); it is damaged or another kind of file"
        ) from error
    if not isinstance(contents, dict):
        raise CheckpointError(
            f"ckpt={path}: holds a {type(contents).__name__}, not a checkpoint of beatgrid"
        )
    return contents


def _load_notebook(path: Path, state: Mapping[str, Tensor]) -> LoadedModel:
    try:
        description = notebook_description(state)
        features = FeatureSpec(n_mels=description["n_mels"])
        network = _with_weights(description, state, path.stat().st_size)
    except _DAMAGE as error:
        raise CheckpointError(
            f"ckpt={path}: looks like the notebook's BeatCRNN, but its weights do not fit "
            f"({_first_line(error)})"
        ) from error
    return LoadedModel(
        network, features, description, model_id=path.name, weights_hash=content_hash(path)
    )


def _with_weights(
    description: Mapping[str, Any], state: Mapping[str, Any], file_bytes: int
) -> Network:
    """Build the described network with these weights, in evaluation mode.

    Raises:
        ValueError: The description does not fit the weights; found out before memory is taken.
    """
    for name, tensor in state.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{name} is no tensor")
    # A tensor may claim any size by strides of 0.
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > file_bytes:
        raise ValueError("weights larger than the file")
    with torch.device("meta"), _AtMost(state):
        expected = build_network(**description).state_dict()
    for name in sorted(expected.keys() ^ state.keys()):
        raise ValueError(f"{name} is {'missing' if name in expected else 'unknown'}")
    for name, tensor in expected.items():
        if tensor.shape != state[name].shape:
            raise ValueError(
                f"{name} has the shape {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            )
    network = build_network(**description)
    network.load_state_dict(dict(state))
    return network.eval()


class _AtMost:
    """Stops the construction of modules with more parameters than there are weights.

    A description may ask for 1e9 layers: even without memory, they would take hours to build.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.left = len(state)

    def _count(self, module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        self.left -= 1
        if self.left < 0:
            raise ValueError("more layers than there are weights")

    def __enter__(self) -> None:
        self.handle = register_module_parameter_registration_hook(self._count)

    def __exit__(self, *exception: object) -> None:
        self.handle.remove()


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return printable(lines[0]) if lines else type(error).__name__
