"""aubio's tempo tracker, with the window and hop of its own command line."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import serve

_WINDOW, _HOP = 1024, 512


def load() -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file; each gets a tracker of its own."""
    import aubio

    def analyse(path: str) -> dict[str, Any]:
        source = aubio.source(path, 0, _HOP)
        tracker = aubio.tempo("default", _WINDOW, _HOP, source.samplerate)
        beats_s = []
        n_read = _HOP
        while n_read == _HOP:
            samples, n_read = source()
            if tracker(samples)[0]:
                beats_s.append(tracker.get_last_s())
        return {"beats_s": beats_s}

    return analyse


if __name__ == "__main__":
    serve(f"aubio {version('aubio')}", load)
