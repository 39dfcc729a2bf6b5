"""From a file to its features, in one pass over the audio."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from beatgrid.audio.features import FeatureSpec, log_mel_blocks
from beatgrid.audio.reader import AudioInfo, check_has_signal, open_audio


def file_features(
    path: str | os.PathLike[str], spec: FeatureSpec
) -> tuple[NDArray[np.floating], AudioInfo]:
    """Decode a file to log-mel features; memory grows with the features, not the audio.

    Args:
        path: Any file that libsndfile or FFmpeg reads.
        spec: Resolution.

    Returns:
        (features in dB, (frames, mels), as ``log_mel_blocks``; what decoding told).

    Raises:
        AudioError: The file cannot be decoded, is too short or silent.
    """
    reader = open_audio(path, spec.sample_rate)
    features = reader.consume(lambda blocks: log_mel_blocks(blocks, spec))
    check_has_signal(reader.info)
    return features, reader.info
