"""A network of an ONNX file as a source of activations: numpy and ONNX Runtime, no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from beatgrid.activation.chunks import FloatArray, TrackLogits
from beatgrid.activation.evidence import Calibration, LogitsSource, ModelFacts
from beatgrid.networks.onnx_file import LOGITS, TEMPO, OnnxModel


class OnnxSource(LogitsSource):
    """A network that ``beatgrid export-model`` has written.

    Args:
        model: A loaded file.

    Raises:
        CheckpointError: Its calibration is damaged or of another version.
    """

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        calibration = Calibration.from_dict(model.calibration, model.model_id)
        facts = ModelFacts(
            model.model_id, model.weights_hash, model.features, calibration, model.context_frames
        )
        super().__init__(facts, self._compute)

    def _compute(self, pieces: Iterable[FloatArray]) -> Iterator[TrackLogits]:
        for piece in pieces:
            outputs = self._model.network(piece)
            yield TrackLogits(outputs[LOGITS], outputs.get(TEMPO))
