"""Sources of activations by name: what turns a track's log-mel into beat probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from beatgrid.activation.attacks import attack_times_s
from beatgrid.activation.flux import flux_activation
from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import BeatgridError, MissingPackageError
from beatgrid.grid import Activation
from beatgrid.search.ranker import Ranker, packaged


class ActivationSource(Protocol):
    """Anything that computes beat probabilities from features.

    Attributes:
        model_id: Names the source in results: run and file name of a checkpoint, or ``flux``.
        features: The features it takes.
        ranker: What was fitted to its activations for the grid search; None where nothing was.
        weights_hash: Changes with what it answers: results of another are made anew.
    """

    @property
    def model_id(self) -> str: ...

    @property
    def features(self) -> FeatureSpec: ...

    @property
    def ranker(self) -> Ranker | None: ...

    @property
    def weights_hash(self) -> str: ...

    def __call__(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Return the activation of a track.

        Args:
            log_mel: Features in dB as ``features`` says, (frames, mels).
            duration_s: Length of the track.
        """
        ...


class FluxSource:
    """Spectral flux: no network, no checkpoint; the baseline that networks are compared with."""

    model_id = weights_hash = "flux"

    def __init__(self) -> None:
        self.features = FeatureSpec()
        self.ranker = packaged("flux")

    def __call__(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Return the flux activation of log-mel (frames, mels)."""
        activation = flux_activation(log_mel, self.features.frame_rate, duration_s)
        return replace(activation, attacks_s=attack_times_s(log_mel, self.features))


Opener = Callable[[Callable[[], Path], str, int | None, int], ActivationSource]


def _flux(
    model: Callable[[], Path], device: str, num_threads: int | None, batch_size: int
) -> ActivationSource:
    if batch_size != 1:
        raise BeatgridError(f"batch_size={batch_size}: activation=flux has no network")
    return FluxSource()


def _network(
    model: Callable[[], Path], device: str, num_threads: int | None, batch_size: int
) -> ActivationSource:
    path = model()
    # Imported here, because each of them does without the other's runtime.
    if path.suffix == ".onnx":
        if batch_size != 1:
            raise BeatgridError(
                f"batch_size={batch_size}: {path} runs under ONNX Runtime, which has no batches; "
                "take backend=torch"
            )
        from beatgrid.activation.onnx import OnnxSource
        from beatgrid.networks.onnx_file import load_onnx

        return OnnxSource(load_onnx(path, num_threads or 1))
    try:
        from beatgrid.activation.network import NetworkSource
        from beatgrid.networks.checkpoint import load_model
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"ckpt={path}: a checkpoint (export-model makes an .onnx file of it)", error.name
        ) from error
    return NetworkSource(load_model(path), device, num_threads, batch_size)


SOURCES: dict[str, Opener] = {"network": _network, "flux": _flux}
"""What ``activation=`` may name: each makes a source from a model, device, threads, batch size."""


def open_source(
    name: str,
    model: Callable[[], Path],
    device: str = "cpu",
    num_threads: int | None = None,
    batch_size: int = 1,
) -> ActivationSource:
    """Make a source of activations by its name.

    Args:
        name: A key of ``SOURCES``.
        model: Returns the path of a checkpoint or an ONNX file; called only by sources that need
            one.
        device: Where to compute, for sources that have a choice.
        num_threads: Of the computation; None for the runtime's own: one for ONNX Runtime, what
            torch was told for torch.
        batch_size: Pieces of tracks that a network computes at once, at most; 1 but for torch.

    Raises:
        BeatgridError: An unknown name, a model that cannot be used, or batches where there are
            none.
    """
    if name not in SOURCES:
        raise BeatgridError(f"activation={name}: must be one of {', '.join(SOURCES)}")
    if batch_size < 1:
        raise BeatgridError(f"batch_size={batch_size}: must be 1 or more")
    return SOURCES[name](model, device, num_threads, batch_size)
