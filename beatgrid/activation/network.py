"""A network over a whole track, in overlapping chunks: features in, Activation out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import expit

from beatgrid.activation.flux import onset_strength
from beatgrid.audio.features import FeatureSpec
from beatgrid.grid import Activation
from beatgrid.networks.network import Network

# What memory is bounded by, beside a network's context: 120 s at 86 frames per second.
CHUNK_FRAMES = 10336


@torch.inference_mode()
def network_logits(
    network: Network,
    features: np.ndarray,
    chunk_frames: int = CHUNK_FRAMES,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Compute the logits of every frame of a track; memory is bounded by a few chunks.

    Each chunk is computed with the network's ``context_frames`` to either side, whose logits
    are dropped: the result is that of the whole track but for rounding (about 1e-6).

    Args:
        network: In evaluation mode, on ``device``.
        features: Log-mel in dB, (frames, mels), at least one frame.
        chunk_frames: Length of a chunk; a track up to one chunk and its margins goes through
            the network in one piece.
        device: Where to compute.

    Returns:
        float32 (frames, outputs).
    """
    margin = network.context_frames
    n_frames = len(features)
    if n_frames <= chunk_frames + 2 * margin:
        chunk_frames = n_frames
    logits: list[np.ndarray] = []
    for start in range(0, n_frames, chunk_frames):
        stop = min(n_frames, start + chunk_frames)
        first, last = max(0, start - margin), min(n_frames, stop + margin)
        piece = torch.as_tensor(np.asarray(features[first:last], dtype=np.float32), device=device)
        out = network(piece[None])[0]
        logits.append(out[start - first : stop - first].cpu().numpy())
    return np.concatenate(logits)


def track_activation(
    logits: np.ndarray,
    log_mel: np.ndarray,
    spec: FeatureSpec,
    duration_s: float,
    temperatures: Sequence[float] = (1.0, 1.0),
) -> Activation:
    """Collect the evidence on a track: the network's probabilities, and onset strength.

    Args:
        logits: (frames, outputs): beat, and downbeat if the network has it.
        log_mel: Features in dB they were computed from, (frames, mels).
        spec: Of these features.
        duration_s: Length of the track.
        temperatures: Logits are divided by them first, one per column, which calibrates the
            probabilities (``beatgrid.calibration.temperature``).
    """
    probability = expit(logits.astype(np.float64) / np.asarray(temperatures[: logits.shape[1]]))
    return Activation(
        beat=probability[:, 0],
        frame_rate=spec.frame_rate,
        duration_s=duration_s,
        downbeat=probability[:, 1] if logits.shape[1] > 1 else None,
        onset=onset_strength(log_mel, spec.frame_rate),
    )
