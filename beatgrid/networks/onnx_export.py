"""A network of torch into an ONNX file that runs without torch, checked before it is kept."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import beatgrid
from beatgrid.errors import BeatgridError, MissingPackageError
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.networks.description import KEY, describe
from beatgrid.networks.network import Network
from beatgrid.networks.onnx_file import INPUT, LOGITS, TEMPO, OnnxNetwork

OPSET = 20
# Of logits between the two runtimes; their rounding makes about 5e-6.
TOLERANCE = 1e-4
# An example for the exporter; what runs later may have any length.
_EXAMPLE_FRAMES = 32
_CHECK_FRAMES = (1, 2, 31, 1500)


def onnx_bytes(model: LoadedModel) -> tuple[bytes, float]:
    """Express a model as an ONNX file that ``onnx_file.load_onnx`` reads; its length is dynamic.

    Args:
        model: As loaded from a checkpoint.

    Returns:
        (the file's bytes, by how much its outputs differ from torch's at most).

    Raises:
        BeatgridError: The packages for it are missing, the network uses operations that ONNX
            lacks, or its logits come out different.
    """
    named = _Named(model.network).eval()  # else the exporter leaves dropout in the graph
    n_mels = model.features.n_mels
    example = torch.zeros(1, _EXAMPLE_FRAMES, n_mels)
    try:
        with _quiet(), _dynamic_lstm(), torch.no_grad():
            program = torch.onnx.export(
                named,
                (example,),
                input_names=[INPUT],
                output_names=list(named(example)),
                opset_version=OPSET,
                dynamic_shapes=({1: torch.export.Dim("frames")},),
                verbose=False,
            )
    except ModuleNotFoundError as error:
        raise MissingPackageError("export-model", error.name, extra="onnx") from error
    except Exception as error:  # of torch.onnx, which wraps anything
        reason = str(error.__cause__ or error).splitlines()[0]
        raise BeatgridError(
            f"{model.model_id}: its network cannot be expressed in ONNX ({reason})"
        ) from error
    assert program is not None
    proto = _without_traces(program.model_proto)
    proto.producer_name, proto.producer_version = "beatgrid", beatgrid.__version__
    proto.doc_string = (
        "Log-mel in dB to logits per frame: beat, and downbeat where there are two; and to those "
        "of tempo classes, where there is a head for them."
    )
    entry = proto.metadata_props.add()
    entry.key, entry.value = KEY, json.dumps(_description(model), allow_nan=False)
    content = proto.SerializeToString()
    difference = largest_difference(model.network, OnnxNetwork(content), n_mels)
    if not difference <= TOLERANCE:
        raise BeatgridError(
            f"{model.model_id}: its logits under ONNX Runtime differ from torch's by "
            f"{difference:.2g}, more than {TOLERANCE:g}; nothing was written"
        )
    return content, difference


def largest_difference(network: Network, exported: OnnxNetwork, n_mels: int) -> float:
    """Return by how much the logits of the two runtimes differ on features like those of music."""
    rng = np.random.default_rng(0)
    differences = []
    for n_frames in _CHECK_FRAMES:
        log_mel = rng.normal(-40, 15, (n_frames, n_mels)).clip(-80, 0).astype(np.float32)
        with torch.inference_mode():
            expected = _Named(network)(torch.from_numpy(log_mel)[None])
        found = exported(log_mel)
        differences += [
            float(np.abs(found[name] - output[0].numpy()).max())
            for name, output in expected.items()
        ]
    return float(np.max(differences))  # NaN if any is


class _Named(nn.Module):
    """A network whose outputs have names."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, log_mel: Tensor) -> dict[str, Tensor]:
        outputs = self.network(log_mel)
        return {LOGITS: outputs.logits} | ({} if outputs.tempo is None else {TEMPO: outputs.tempo})


def _description(model: LoadedModel) -> dict[str, object]:
    about = describe(
        network=model.network_args,
        features=model.features.to_dict(),
        training_data=model.training_data,
        calibration=model.calibration,
        licence=model.licence,
    )
    return about | {
        "context_frames": model.network.context_frames,
        "weights_hash": model.weights_hash,
    }


def _without_traces(proto: Any) -> Any:
    """Drop the exporter's notes on every node: stack traces, with paths of this machine."""
    graph = proto.graph
    graph.ClearField("metadata_props")
    for values in (graph.node, graph.value_info, graph.input, graph.output, graph.initializer):
        for value in values:
            value.ClearField("metadata_props")
            value.ClearField("doc_string")
    return proto


@contextlib.contextmanager
def _dynamic_lstm() -> Iterator[None]:
    """Keep LSTMs of any length.

    torch 2.13 lets go of its decomposition by ``while_loop`` after capturing a network, decomposes
    LSTMs once more by a loop over the example's frames, and so fixes their number in the layers
    that follow (pytorch#191855).
    """
    from torch.export._patches import register_lstm_while_loop_decomposition

    with register_lstm_while_loop_decomposition():
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on its own implementation from the terminal."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
