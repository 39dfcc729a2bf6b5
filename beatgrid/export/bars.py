"""Bars of a track's beats: their numbers, and how many beats each has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beatgrid.export.track import ExportTrack


def bar_numbers(track: ExportTrack) -> NDArray[np.int64]:
    """Return the number of the bar that each beat lies in, (beats,).

    The first downbeat begins bar 1; beats before it are in bar 0.
    """
    return np.cumsum(track.bar_positions() == 1)


def beat_labels(track: ExportTrack) -> list[str]:
    """Return what each beat is called: ``bar.beat``, just its number without downbeats."""
    if not track.downbeat_known:
        return [str(i + 1) for i in range(len(track.bar_positions()))]
    places = zip(bar_numbers(track), track.bar_positions(), strict=True)
    return [f"{bar}.{position}" for bar, position in places]
