"""The whole chain for one file: audio, features, activation, grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from beatgrid.activation.flux import flux_activation
from beatgrid.activation.network import network_logits, track_activation
from beatgrid.audio.features import FeatureSpec, log_mel_blocks
from beatgrid.audio.reader import AudioInfo, check_has_signal, open_audio
from beatgrid.grid import Activation
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.search import Coefficients, GridEstimate
from beatgrid.search.ranker import packaged

Search = Callable[[Activation, Coefficients | Mapping | None], GridEstimate]
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
        model: A loaded checkpoint, or None for spectral flux, which needs no network.
        search: Turns an Activation into a GridEstimate.
        device: Where the network computes.
    """

    def __init__(
        self, model: LoadedModel | None, search: Search, device: torch.device | str = "cpu"
    ) -> None:
        self.model = model
        self.search = search
        self.device = torch.device(device)
        self.features = FeatureSpec()
        self.coefficients: Coefficients | Mapping | None = packaged("flux")
        if model is not None:
            self.features = model.features
            self.coefficients = model.calibration.get("ranker")
            model.network.to(self.device)

    @property
    def model_id(self) -> str:
        """Which checkpoint answers, or ``flux``."""
        return self.model.model_id if self.model is not None else "flux"

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
        """The grid of features (frames, mels) of a track that lasts ``duration_s``."""
        activation = self.activation(log_mel, duration_s)
        return activation, self.search(activation, self.coefficients)

    def activation(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Probabilities per frame of features (frames, mels)."""
        frame_rate = self.features.frame_rate
        if self.model is None:
            return flux_activation(log_mel, frame_rate, duration_s)
        logits = network_logits(self.model.network, log_mel, frame_rate, device=self.device)
        temperatures = self.model.calibration.get("temperatures", (1.0, 1.0))
        return track_activation(logits, log_mel, self.features, duration_s, temperatures)
