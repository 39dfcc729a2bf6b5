"""librosa's beat tracker, dynamic programming over its onset strength, as its tutorial has it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import serve


def load() -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file."""
    import librosa

    def analyse(path: str) -> dict[str, Any]:
        samples, rate = librosa.load(path)
        _, beats_s = librosa.beat.beat_track(y=samples, sr=rate, units="time")
        return {"beats_s": beats_s}

    return analyse


if __name__ == "__main__":
    serve(f"librosa {version('librosa')}", load)
