"""A network of an ONNX file as a source of activations: numpy and ONNX Runtime, no torch."""

from __future__ import annotations

import numpy as np

from beatgrid.activation.chunks import FloatArray, TrackLogits, in_chunks
from beatgrid.activation.evidence import Calibration, finite, track_activation
from beatgrid.grid import Activation
from beatgrid.networks.onnx_file import LOGITS, TEMPO, OnnxModel


class OnnxSource:
    """A network that ``beatgrid export-model`` has written.

    Args:
        model: A loaded file.

    Raises:
        CheckpointError: Its calibration is damaged or of another version.
    """

    def __init__(self, model: OnnxModel) -> None:
        self.model_id = model.model_id
        self.weights_hash = model.weights_hash
        self.features = model.features
        self._model = model
        calibration = Calibration.from_dict(model.calibration, model.model_id)
        self.ranker, self.temperatures = calibration.ranker, calibration.temperatures

    def __call__(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Return the network's calibrated activation of log-mel (frames, mels).

        Raises:
            CheckpointError: The weights are damaged.
        """
        logits = in_chunks(self.compute, log_mel, self._model.context_frames)
        logits = finite(logits, self.model_id)
        return track_activation(logits, log_mel, self.features, duration_s, self.temperatures)

    def compute(self, piece: FloatArray) -> TrackLogits:
        """Return the logits of a piece of log-mel, float32 (frames, mels)."""
        outputs = self._model.network(piece)
        return TrackLogits(outputs[LOGITS], outputs.get(TEMPO))
