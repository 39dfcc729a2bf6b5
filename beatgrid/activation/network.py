"""A network of torch as a source of activations."""

from __future__ import annotations

import numpy as np
import torch

from beatgrid.activation.chunks import CHUNK_FRAMES, FloatArray, TrackLogits, in_chunks
from beatgrid.activation.evidence import Calibration, finite, track_activation
from beatgrid.errors import BeatgridError
from beatgrid.grid import Activation
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.networks.network import Network


@torch.inference_mode()
def network_logits(
    network: Network,
    features: np.ndarray,
    chunk_frames: int = CHUNK_FRAMES,
    device: torch.device | str = "cpu",
) -> TrackLogits:
    """Compute the logits of a track, frames and tempo; see ``in_chunks``.

    Args:
        network: In evaluation mode, on ``device``.
        features: Log-mel in dB, (frames, mels), at least one frame.
        chunk_frames: Length of a chunk.
        device: Where to compute.
    """

    def compute(piece: FloatArray) -> TrackLogits:
        out = network(torch.as_tensor(piece, device=device)[None])
        tempo = None if out.tempo is None else out.tempo[0].cpu().numpy()
        return TrackLogits(out.logits[0].cpu().numpy(), tempo)

    return in_chunks(compute, features, network.context_frames, chunk_frames)


class NetworkSource:
    """A trained network.

    Args:
        model: A loaded checkpoint.
        device: Where the network computes, as torch names it.
        num_threads: Of torch, in the whole process; None leaves them as they are.

    Raises:
        CheckpointError: The checkpoint's calibration is damaged or of another version.
        BeatgridError: The device is not there.
    """

    def __init__(
        self, model: LoadedModel, device: str = "cpu", num_threads: int | None = None
    ) -> None:
        if num_threads is not None:
            torch.set_num_threads(num_threads)
        self.model_id = model.model_id
        self.weights_hash = model.weights_hash
        self.features = model.features
        calibration = Calibration.from_dict(model.calibration, model.model_id)
        self.ranker, self.temperatures = calibration.ranker, calibration.temperatures
        self.device = device
        try:
            self.network = model.network.to(device)
        except Exception as error:  # torch raises what it likes, AssertionError for one
            reason = str(error).splitlines()[0]
            raise BeatgridError(f"device={device}: cannot be used ({reason}); take cpu") from error

    def __call__(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Return the network's calibrated activation of log-mel (frames, mels).

        Raises:
            CheckpointError: The weights are damaged.
        """
        logits = network_logits(self.network, log_mel, device=self.device)
        logits = finite(logits, self.model_id)
        return track_activation(logits, log_mel, self.features, duration_s, self.temperatures)
