"""Checkpoint files: what they say about themselves, and loading them safely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import beatgrid
from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import CheckpointError
from beatgrid.files import replacing
from beatgrid.networks.crnn import CRNN

KEY = "beatgrid"
FORMAT = 1
LICENCE = "MIT"
SHIPPED = Path(__file__).resolve().parents[1] / "weights" / "shipped.ckpt"
# Keys of the notebook's bare state_dict: a BeatCRNN of default features.
_NOTEBOOK_KEYS = {"cnn.0.weight", "cnn.4.weight", "rnn.weight_ih_l0", "output.weight"}


def describe(
    network: Mapping[str, Any],
    features: Mapping[str, Any],
    training_data: Mapping[str, Any],
    calibration: Mapping[str, Any] | None = None,
    licence: str = LICENCE,
) -> dict[str, Any]:
    """The entry ``"beatgrid"`` of a checkpoint: plain containers, all that prediction needs."""
    return {
        "format": FORMAT,
        "version": beatgrid.__version__,
        "licence": licence,
        "network": dict(network),
        "features": dict(features),
        "training_data": dict(training_data),
        "calibration": dict(calibration or {}),
    }


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A network ready for prediction, and where it comes from.

    Attributes:
        network: In evaluation mode, on the CPU.
        features: What its input must be.
        network_args: What the network was built with.
        model_id: Run and file name.
        training_data: Summary of the data it was trained on.
        licence: Licence of the weights.
        calibration: What was fitted after training: ``temperatures``, one per output, and
            ``ranker``, the grid search's ranker. Empty if nothing was.
    """

    network: CRNN
    features: FeatureSpec
    network_args: dict[str, Any]
    model_id: str
    training_data: dict[str, Any] = field(default_factory=dict)
    licence: str = LICENCE
    calibration: dict[str, Any] = field(default_factory=dict)


def load_model(path: str | Path) -> LoadedModel:
    """Load a checkpoint of this project, or the notebook's bare ``beat_crnn_mvp.pth``.

    Raises:
        CheckpointError: The file is missing, no checkpoint, or of another format.
    """
    path = Path(path)
    contents = _read(path)
    if contents.keys() >= _NOTEBOOK_KEYS:
        return _load_notebook(path, contents)
    about = contents.get(KEY)
    if not isinstance(about, dict) or "state_dict" not in contents:
        raise CheckpointError(
            f"ckpt={path}: no checkpoint of beatgrid; "
            "give a file from outputs/train/*/checkpoints, or ckpt=latest"
        )
    if about.get("format") != FORMAT:
        raise CheckpointError(
            f"ckpt={path}: checkpoint format {about.get('format')!r}, this version reads "
            f"{FORMAT}; it was written by beatgrid {about.get('version', '?')}: "
            "install that version, or train anew"
        )
    try:
        network = CRNN(**about["network"])
        prefix = "network."
        network.load_state_dict(
            {k.removeprefix(prefix): v for k, v in contents["state_dict"].items()}
        )
        features = FeatureSpec.from_dict(about["features"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"ckpt={path}: its weights and its description disagree "
            f"({str(error).splitlines()[0]}); train anew"
        ) from error
    return LoadedModel(
        network=network.eval(),
        features=features,
        network_args=about["network"],
        model_id=f"{path.parent.parent.name}/{path.name}" if path.parent.name else path.name,
        training_data=about.get("training_data", {}),
        licence=about.get("licence", LICENCE),
        calibration=about.get("calibration", {}),
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
        "state_dict": {f"network.{k}": v for k, v in model.network.state_dict().items()},
    }
    with replacing(path) as temporary:
        torch.save(contents, temporary)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"ckpt={path}: no such file; train one (train.py) or fix the path")
    try:
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
    # Sizes are read off the weights: the notebook's file says nothing about itself.
    hidden_size = state["output.weight"].shape[1] // 2
    n_mels = state["rnn.weight_ih_l0"].shape[1] // state["cnn.4.weight"].shape[0] * 4
    num_layers = sum(k.startswith("rnn.weight_ih_l") and "reverse" not in k for k in state)
    args: dict[str, Any] = {"n_mels": n_mels, "hidden_size": hidden_size, "num_layers": num_layers}
    network = CRNN(**args)
    try:
        network.load_state_dict(dict(state))
    except RuntimeError as error:
        raise CheckpointError(
            f"ckpt={path}: looks like the notebook's BeatCRNN, but its weights do not fit "
            f"({str(error).splitlines()[-1].strip()})"
        ) from error
    return LoadedModel(network.eval(), FeatureSpec(n_mels=n_mels), args, model_id=path.name)
