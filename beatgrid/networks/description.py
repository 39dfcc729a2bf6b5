"""What a model's file says of itself, whatever runs it: checkpoints and ONNX files say the same.

Without torch, so that a model exported to ONNX can be described and run without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import beatgrid
from beatgrid.audio.features import FeatureSpec

KEY = "beatgrid"
FORMAT = 2
LICENCE = "MIT"
_WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
SHIPPED = _WEIGHTS / "shipped.ckpt"
SHIPPED_ONNX = _WEIGHTS / "shipped.onnx"
"""``SHIPPED`` as ``beatgrid export-model`` makes it."""

# Longest window that features may ask for, 3 s at 44.1 kHz: a file may not cost more memory.
_MAX_N_FFT = 1 << 17


def describe(
    network: Mapping[str, Any],
    features: Mapping[str, Any],
    training_data: Mapping[str, Any],
    calibration: Mapping[str, Any] | None = None,
    licence: str = LICENCE,
) -> dict[str, Any]:
    """Return a checkpoint's entry ``"beatgrid"``: plain containers, all that prediction needs.

    Args:
        network: Its ``name`` and arguments.
        features: Fields of a FeatureSpec.
        training_data: Summary of the data it was trained on.
        calibration: What was fitted after training.
        licence: Licence of the weights.
    """
    return {
        "format": FORMAT,
        "version": beatgrid.__version__,
        "licence": licence,
        "network": dict(network),
        "features": dict(features),
        "training_data": dict(training_data),
        "calibration": dict(calibration or {}),
    }


def described_features(about: Mapping[str, Any]) -> FeatureSpec:
    """Return the features that a description names.

    Raises:
        LookupError, TypeError, ValueError: It names none, or such as cannot be.
    """
    features = FeatureSpec.from_dict(about["features"])
    if features.n_fft > _MAX_N_FFT:
        raise ValueError(f"n_fft {features.n_fft} exceeds {_MAX_N_FFT}")
    return features


def model_id(path: Path) -> str:
    """Return how results name a model: run folder and file name."""
    return f"{path.parent.parent.name}/{path.name}" if path.parent.name else path.name
