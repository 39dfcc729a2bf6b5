"""Bar numbers of beats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beatgrid.export.track import ExportTrack


def bar_numbers(track: ExportTrack) -> NDArray[np.int64]:
    """Return the number of the bar that each beat lies in, (beats,).

    The first downbeat begins bar 1; beats before it are in bar 0.
    """
    return np.cumsum(track.bar_positions() == 1)
