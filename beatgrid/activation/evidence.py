"""What a network's logits say of a track, once what was fitted to them is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from beatgrid.activation.attacks import attack_times_s
from beatgrid.activation.chunks import Compute, TrackLogits, in_chunks
from beatgrid.activation.flux import onset_strength
from beatgrid.activation.spectrum import coarse_spectrum_db
from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import CheckpointError
from beatgrid.grid import Activation, FloatArray
from beatgrid.search.ranker import Ranker


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was fitted to a network's logits after training.

    Attributes:
        temperatures: Divisors of the logits, one per output.
        ranker: The grid search's; None if nothing was fitted.
    """

    temperatures: tuple[float, ...] = (1.0, 1.0)
    ranker: Ranker | None = None

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], model_id: str) -> Calibration:
        """Make it of the plain values in a model's file.

        Args:
            plain: ``temperatures`` and ``ranker``; what is missing was not fitted.
            model_id: Names the model, for errors.

        Raises:
            CheckpointError: The values are damaged or of another version.
        """
        ranker = plain.get("ranker")
        try:
            fitted = None if ranker is None else Ranker.from_dict(ranker)
            temperatures = tuple(float(t) for t in plain.get("temperatures", (1.0, 1.0)))
            if not all(0 < t < float("inf") for t in temperatures):
                raise ValueError(f"temperatures {temperatures}")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"ckpt={model_id}: its calibration cannot be used "
                f"({str(error).splitlines()[0]}); run calibrate.py on it again"
            ) from error
        return cls(temperatures, fitted)


@dataclass(frozen=True, eq=False)
class ModelFacts:
    """What of a trained network an activation needs beside its logits.

    Attributes:
        model_id: Run and file name.
        weights_hash: ``content_hash`` of the checkpoint's file.
        features: What the network's input must be.
        calibration: What was fitted to its logits.
        context_frames: How many frames to either side of a frame its logits depend on.
    """

    model_id: str
    weights_hash: str
    features: FeatureSpec
    calibration: Calibration
    context_frames: int


class LogitsSource:
    """A trained network as a source of activations, whatever computes it.

    Args:
        facts: Of the network.
        compute: Computes its logits.
    """

    def __init__(self, facts: ModelFacts, compute: Compute) -> None:
        self.facts = facts
        self.compute = compute
        self.model_id = facts.model_id
        self.weights_hash = facts.weights_hash
        self.features = facts.features
        self.ranker = facts.calibration.ranker
        self.temperatures = facts.calibration.temperatures

    def __call__(self, log_mel: np.ndarray, duration_s: float) -> Activation:
        """Return the network's calibrated activation of log-mel (frames, mels).

        Raises:
            CheckpointError: The weights are damaged.
        """
        logits = in_chunks(self.compute, log_mel, self.facts.context_frames)
        logits = finite(logits, self.model_id)
        return track_activation(logits, log_mel, self.features, duration_s, self.temperatures)


def finite(logits: TrackLogits, model_id: str) -> TrackLogits:
    """Return the logits if they are numbers.

    Args:
        logits: A network's.
        model_id: Names the model, for the error.

    Raises:
        CheckpointError: Some are infinite or no number: its weights are damaged.
    """
    if all(part is None or np.isfinite(part).all() for part in logits):
        return logits
    raise CheckpointError(
        f"ckpt={model_id}: its network answers with what is no number, so its weights are damaged; "
        "copy it again, or train anew"
    )


def track_activation(
    logits: TrackLogits,
    log_mel: np.ndarray,
    spec: FeatureSpec,
    duration_s: float,
    temperatures: Sequence[float] = (1.0, 1.0),
) -> Activation:
    """Collect the evidence on a track: the network's probabilities, and what the features tell.

    That is onset strength, attacks and, where there are downbeats to be placed, the spectrum.

    Args:
        logits: The network's.
        log_mel: Features in dB they were computed from, (frames, mels).
        spec: Of these features.
        duration_s: Length of the track.
        temperatures: Logits are divided by them first, one per column, which calibrates the
            probabilities (``beatgrid.calibration.temperature``).
    """
    frames, tempo = logits
    probability = expit(frames.astype(np.float64) / np.asarray(temperatures[: frames.shape[1]]))
    return Activation(
        beat=probability[:, 0],
        frame_rate=spec.frame_rate,
        duration_s=duration_s,
        downbeat=probability[:, 1] if frames.shape[1] > 1 else None,
        onset=onset_strength(log_mel, spec.frame_rate),
        tempo=None if tempo is None else _log_softmax(tempo.astype(np.float64)),
        attacks_s=attack_times_s(log_mel, spec),
        spectrum_db=coarse_spectrum_db(log_mel) if frames.shape[1] > 1 else None,
    )


def _log_softmax(logits: FloatArray) -> FloatArray:
    # SciPy's asks which array libraries are loaded, and stumbles over one that is blocked.
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())
