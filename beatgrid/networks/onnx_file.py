"""Networks as ONNX files, run by ONNX Runtime: no torch is needed.

The graph maps ``log_mel``, float32 (1, frames, mels), to named outputs: ``logits`` (1, frames,
outputs) and, where the network has a tempo head, ``tempo`` (1, classes). The file's metadata hold
one entry, ``beatgrid``: what a checkpoint says of itself (``networks.description``), as JSON, and
beside it ``context_frames`` and ``weights_hash``.
``beatgrid.networks.onnx_export`` writes such files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import CheckpointError
from beatgrid.files import printable
from beatgrid.networks.description import FORMAT, KEY, LICENCE, described_features, model_id

INPUT = "log_mel"
LOGITS = "logits"
TEMPO = "tempo"
_FATAL = 4  # only what ends the process is worth a line on standard error
# What metadata of the wrong type or size raise.
_DAMAGE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class OnnxNetwork:
    """A network of an ONNX file, ready to run on the CPU.

    Args:
        content: The file's bytes.
        num_threads: Of one run.

    Attributes:
        metadata: The file's, by name.
        n_mels: Mel bands of the input.
        output_names: What it computes.

    Raises:
        ValueError: The graph has other inputs or outputs than this module says.
        Exception: The bytes are no ONNX file; ONNX Runtime raises what it likes.
    """

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        inputs = self._session.get_inputs()
        if [node.name for node in inputs] != [INPUT] or len(inputs[0].shape) != 3:
            raise ValueError(f"its inputs are not {INPUT} (1, frames, mels)")
        self.n_mels = inputs[0].shape[2]
        self.output_names = tuple(node.name for node in self._session.get_outputs())
        if LOGITS not in self.output_names:
            raise ValueError(f"it has no output {LOGITS}")

    def __call__(self, features: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Compute the outputs by name, without their first axis.

        Args:
            features: Log-mel in dB, float32 (frames, mels).
        """
        outputs = self._session.run(self.output_names, {INPUT: features[np.newaxis]})
        return {name: out[0] for name, out in zip(self.output_names, outputs, strict=True)}


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A network ready for prediction, and where it comes from: ``LoadedModel`` without torch.

    Attributes:
        network: Ready to run.
        context_frames: How many frames to either side of a frame its logits depend on.
        features: What its input must be.
        model_id: Folder and file name.
        training_data: Summary of the data it was trained on.
        licence: Licence of the weights.
        calibration: What was fitted after training, as in a checkpoint.
        weights_hash: ``content_hash`` of the checkpoint that was exported.
    """

    network: OnnxNetwork
    context_frames: int
    features: FeatureSpec
    model_id: str
    training_data: dict[str, Any]
    licence: str
    calibration: dict[str, Any]
    weights_hash: str


def load_onnx(path: str | Path, num_threads: int = 1) -> OnnxModel:
    """Load a network that ``beatgrid export-model`` has written.

    Args:
        path: The file.
        num_threads: Of one run.

    Raises:
        CheckpointError: The file is missing, no ONNX file of beatgrid's, of another format, or
            damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(
            f"ckpt={path}: no such file; beatgrid export-model makes one of a checkpoint"
        )
    try:
        network = OnnxNetwork(path.read_bytes(), num_threads)
    except Exception as error:  # on arbitrary bytes ONNX Runtime fails in any way
        raise CheckpointError(
            f"ckpt={path}: cannot be run by ONNX Runtime ({_first_line(error)}); "
            "it is damaged or another kind of file"
        ) from error
    about = _description(path, network.metadata)
    try:
        features = described_features(about)
        if network.n_mels != features.n_mels:
            raise ValueError(
                f"n_mels {network.n_mels} of the network, {features.n_mels} of features"
            )
        context_frames = int(about["context_frames"])
        if context_frames < 0:
            raise ValueError(f"context_frames {context_frames}")
        return OnnxModel(
            network=network,
            context_frames=context_frames,
            features=features,
            model_id=model_id(path),
            training_data=dict(about.get("training_data", {})),
            licence=str(about.get("licence", LICENCE)),
            calibration=dict(about.get("calibration", {})),
            weights_hash=str(about["weights_hash"]),
        )
    except _DAMAGE as error:
        raise CheckpointError(
            f"ckpt={path}: its network and its metadata disagree ({_first_line(error)}); "
            "export it again"
        ) from error


def _description(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return what the file says of itself.

    Raises:
        CheckpointError: Nothing, or in another format.
    """
    if KEY not in metadata:
        raise CheckpointError(
            f"ckpt={path}: an ONNX file, but none of beatgrid's: its metadata have no {KEY!r}; "
            "export one by beatgrid export-model"
        )
    try:
        about = json.loads(metadata[KEY])
    except (RecursionError, ValueError):
        about = None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        said = about.get("format") if isinstance(about, dict) else None
        raise CheckpointError(
            f"ckpt={path}: model format {said!r}, this version reads {FORMAT}: export it again"
        )
    return about


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return printable(lines[0]) if lines else type(error).__name__
