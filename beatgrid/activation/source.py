"""Sources of activations by name: what turns a track's log-mel into beat probabilities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from beatgrid.activation.flux import flux_activation
from beatgrid.activation.network import network_logits, track_activation
from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import BeatgridError, CheckpointError
from beatgrid.grid import Activation
from beatgrid.networks.checkpoint import LoadedModel, load_model
from beatgrid.search.ranker import Ranker, packaged


class ActivationSource(Protocol):
    """Anything that computes beat probabilities from features.

    Attributes:
        model_id: Names the source in results: run and file name of a checkpoint, or ``flux``.
        features: The features it takes.
        ranker: What was fitted to its activations for the grid search; None where nothing was.
    """

    @property
    def model_id(self) -> str: ...

    @property
    def features(self) -> FeatureSpec: ...

    @property
    def ranker(self) -> Ranker | None: ...

    def __call__(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Return the activation of a track.

        Args:
            log_mel: Features in dB as ``features`` says, (frames, mels).
            duration_s: Length of the track.
        """
        ...


class FluxSource:
    """Spectral flux: no network, no checkpoint; the baseline that networks are compared with."""

    model_id = "flux"

    def __init__(self) -> None:
        self.features = FeatureSpec()
        self.ranker = packaged("flux")

    def __call__(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Return the flux activation of log-mel (frames, mels)."""
        return flux_activation(log_mel, self.features.frame_rate, duration_s)


class NetworkSource:
    """A trained network.

    Args:
        model: A loaded checkpoint.
        device: Where the network computes, as torch names it.

    Raises:
        CheckpointError: The checkpoint's calibration is damaged or of another version.
        BeatgridError: The device is not there.
    """

    def __init__(self, model: LoadedModel, device: str = "cpu") -> None:
        self.model_id = model.model_id
        self.features = model.features
        ranker = model.calibration.get("ranker")
        try:
            self.ranker = None if ranker is None else Ranker.from_dict(ranker)
            self.temperatures = tuple(
                float(t) for t in model.calibration.get("temperatures", (1.0, 1.0))
            )
            if not all(0 < t < float("inf") for t in self.temperatures):
                raise ValueError(f"temperatures {self.temperatures}")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"ckpt={model.model_id}: its calibration cannot be used "
                f"({str(error).splitlines()[0]}); run calibrate.py on it again"
            ) from error
        self.device = device
        try:
            self.network = model.network.to(device)
        except Exception as error:  # torch raises what it likes, AssertionError for one
            reason = str(error).splitlines()[0]
            raise BeatgridError(f"device={device}: cannot be used ({reason}); take cpu") from error

    def __call__(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Return the network's calibrated activation of log-mel (frames, mels)."""
        logits = network_logits(self.network, log_mel, device=self.device)
        return track_activation(logits, log_mel, self.features, duration_s, self.temperatures)


def _flux(checkpoint: Callable[[], Path], device: str) -> ActivationSource:
    return FluxSource()


def _network(checkpoint: Callable[[], Path], device: str) -> ActivationSource:
    return NetworkSource(load_model(checkpoint()), device)


SOURCES: dict[str, Callable[[Callable[[], Path], str], ActivationSource]] = {
    "network": _network,
    "flux": _flux,
}
"""What ``activation=`` may name: each entry makes a source from a checkpoint and a device."""


def open_source(name: str, checkpoint: Callable[[], Path], device: str = "cpu") -> ActivationSource:
    """Make a source of activations by its name.

    Args:
        name: A key of ``SOURCES``.
        checkpoint: Returns the checkpoint's path; called only by sources that need one.
        device: Where to compute, for sources that have a choice.

    Raises:
        BeatgridError: An unknown name, or a checkpoint that cannot be used.
    """
    if name not in SOURCES:
        raise BeatgridError(f"activation={name}: must be one of {', '.join(SOURCES)}")
    return SOURCES[name](checkpoint, device)
