"""The whole chain for one file: audio, features, activation, grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from beatgrid.activation.source import ActivationSource
from beatgrid.audio.features import FeatureSpec, log_mel_blocks
from beatgrid.audio.reader import AudioInfo, check_has_signal, open_audio
from beatgrid.grid import Activation
from beatgrid.search import Coefficients, GridEstimate

Search = Callable[[Activation, Coefficients | None], GridEstimate]
"""A grid search: an activation, and what was fitted for its source, to a grid."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What was found in one file, and what it was found in.

    Attributes:
        info: The audio as decoded.
        activation: Probabilities per frame.
        estimate: The grid.
        log_mel: Features in dB, float32 (frames, mels), for pictures.
    """

    info: AudioInfo
    activation: Activation
    estimate: GridEstimate
    log_mel: np.ndarray


class Predictor:
    """Finds the beatgrid of audio files.

    Args:
        source: Turns features into an Activation: a network, or spectral flux.
        search: Turns an Activation into a GridEstimate.
    """

    def __init__(self, source: ActivationSource, search: Search) -> None:
        self.source = source
        self.search = search

    @property
    def features(self) -> FeatureSpec:
        """The features that the source takes."""
        return self.source.features

    @property
    def model_id(self) -> str:
        """Which checkpoint answers, or ``flux``."""
        return self.source.model_id

    def __call__(self, audio_path: str | Path) -> Prediction:
        """Decode a file and find its grid; memory grows with the features, not the audio.

        Raises:
            AudioError: The file cannot be decoded, is too short or silent.
        """
        stream = open_audio(audio_path, self.features.sample_rate)
        log_mel = log_mel_blocks(stream, self.features)
        check_has_signal(stream.info)
        activation, estimate = self.find(log_mel, stream.info.duration_s)
        return Prediction(stream.info, activation, estimate, log_mel)

    def find(self, log_mel: np.ndarray, duration_s: float) -> tuple[Activation, GridEstimate]:
        """Return activation and grid of features (frames, mels) of a track.

        Args:
            log_mel: Features in dB as ``features`` says, (frames, mels).
            duration_s: Length of the track.
        """
        activation = self.source(log_mel, duration_s)
        return activation, self.search(activation, self.source.coefficients)
