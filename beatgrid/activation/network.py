"""A network over a whole track, in overlapping chunks: features in, Activation out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import expit

from beatgrid.activation.flux import onset_strength
from beatgrid.audio.features import FeatureSpec
from beatgrid.grid import Activation
from beatgrid.networks.crnn import CRNN

CHUNK_S = 120.0
# Context on both sides of a chunk whose logits are dropped: as far as the dilated convolutions of
# conf/model/tcn.yaml see, and longer than an LSTM remembers.
MARGIN_S = 12.0


@torch.inference_mode()
def network_logits(
    network: CRNN,
    features: np.ndarray,
    frame_rate: float,
    chunk_s: float = CHUNK_S,
    margin_s: float = MARGIN_S,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Logits of every frame of a track; memory is bounded by a few chunks.

    Args:
        network: In evaluation mode, on ``device``.
        features: Log-mel in dB, (frames, mels).
        frame_rate: Frames per second.
        chunk_s: Length of a chunk in seconds; a track up to one chunk and its margins goes
            through the network in one piece.
        margin_s: Context before and after each chunk.
        device: Where to compute.

    Returns:
        float32 (frames, outputs).
    """
    chunk, margin = round(chunk_s * frame_rate), round(margin_s * frame_rate)
    n_frames = len(features)
    if n_frames <= chunk + 2 * margin:
        starts = [0]
        chunk = n_frames
    else:
        starts = list(range(0, n_frames, chunk))
    logits: list[np.ndarray] = []
    for start in starts:
        first, last = max(0, start - margin), min(n_frames, start + chunk + margin)
        piece = torch.as_tensor(np.asarray(features[first:last], dtype=np.float32), device=device)
        out = network(piece[None])[0]
        logits.append(out[start - first : min(start + chunk, n_frames) - first].cpu().numpy())
    return np.concatenate(logits)


def track_activation(
    logits: np.ndarray,
    log_mel: np.ndarray,
    spec: FeatureSpec,
    duration_s: float,
    temperatures: Sequence[float] = (1.0, 1.0),
) -> Activation:
    """All evidence on a track: the network's probabilities, and onsets heard without it.

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
