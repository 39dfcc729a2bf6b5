"""Sources of activations by name: what turns a track's log-mel into beat probabilities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from beatgrid.activation.flux import flux_activation
from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import BeatgridError
from beatgrid.grid import Activation
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


def _flux(checkpoint: Callable[[], Path], device: str) -> ActivationSource:
    return FluxSource()


def _network(checkpoint: Callable[[], Path], device: str) -> ActivationSource:
    # Here, because spectral flux does without torch.
    from beatgrid.activation.network import NetworkSource
    from beatgrid.networks.checkpoint import load_model

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
