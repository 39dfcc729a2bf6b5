"""tempo-cnn's global tempo by its model ``fcn``, interpolated between the classes of 1 BPM."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import serve


def load() -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file."""
    from tempocnn.classifier import TempoClassifier
    from tempocnn.feature import read_features

    classifier = TempoClassifier("fcn")

    def analyse(path: str) -> dict[str, Any]:
        return {"bpm": classifier.estimate_tempo(read_features(path), interpolate=True)}

    return analyse


if __name__ == "__main__":
    serve(f"tempocnn {version('tempocnn')}", load)
