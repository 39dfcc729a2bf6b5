"""Essentia's beat trackers, ``multifeature`` and ``degara``, and its tempo ``percival``."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import SAMPLE_RATE, serve


def load(method: str) -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file.

    Its algorithms keep state from one call to the next, so each file gets fresh ones.
    """
    import essentia
    import essentia.standard

    essentia.log.infoActive = False

    def analyse(path: str) -> dict[str, Any]:
        samples = essentia.standard.MonoLoader(filename=path, sampleRate=SAMPLE_RATE)()
        if method == "percival":
            return {"bpm": essentia.standard.PercivalBpmEstimator(sampleRate=SAMPLE_RATE)(samples)}
        _, beats_s, *_ = essentia.standard.RhythmExtractor2013(method=method)(samples)
        return {"beats_s": beats_s}

    return analyse


if __name__ == "__main__":
    serve(f"essentia {version('essentia')}", functools.partial(load, sys.argv[1]))
