"""Offsets that many labels share because they were made by another decoder's clock.

An MP3 holds some silence that its encoder and every decoder put in front. Decoders that know how
much take it away; others leave in it 1105 samples (576 of LAME's encoder, 529 of the decoder) or
a frame of 1152, or both. An AAC stream has 1024 or 2112. At 44.1 or 48 kHz these are 21 to 26 and
44 to 51 ms. A label made by one program and read beside another's audio is off by as much, and so
are its neighbours, while labels set wrong by hand scatter. See ``beatgrid.audio.headers``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc

# The middles of both ranges, and how far they reach with 2 ms for each label's own error.
DELAYS_MS = (24.0, 48.5)
REACH_MS = 5.0
# Offsets from here on are no clock's; within the first bound they are no fault.
BACKGROUND_MS = (12.0, 75.0)
MIN_LABELS = 3
# Chance that unrelated offsets crowd a window as much; there are four windows.
MAX_CHANCE = 0.01 / 4


@dataclass(frozen=True)
class Cluster:
    """Labels with about the same offset, that of a known delay.

    Attributes:
        offset_ms: Their median offset, music less label.
        labels: Their indices, ascending.
        chance: Probability of as many among unrelated offsets.
    """

    offset_ms: float
    labels: tuple[int, ...]
    chance: float


def find_clusters(offsets_ms: Sequence[float | None]) -> list[Cluster]:
    """Find the known delays that more labels are off by than chance allows.

    Offsets outside the windows tell how many chance puts inside.

    Args:
        offsets_ms: Of each label; None for those whose offset means nothing.
    """
    offsets = np.array([math.nan if o is None else o for o in offsets_ms], dtype=np.float64)
    windows = [sign * delay for delay in DELAYS_MS for sign in (1, -1)]
    inside = [np.abs(offsets - centre) <= REACH_MS for centre in windows]
    low, high = BACKGROUND_MS
    is_background = (np.abs(offsets) >= low) & (np.abs(offsets) <= high)
    is_background &= ~np.any(inside, axis=0)
    width_ms = 2 * (high - low) - len(windows) * 2 * REACH_MS
    # One more than was seen: that none was seen does not mean that there is none.
    expected = (np.count_nonzero(is_background) + 1) / width_ms * 2 * REACH_MS
    clusters = []
    for members in inside:
        n = int(np.count_nonzero(members))
        chance = float(gammainc(n, expected)) if n else 1.0  # Poisson: n or more
        if n >= MIN_LABELS and chance <= MAX_CHANCE:
            found = np.flatnonzero(members)
            clusters.append(
                Cluster(float(np.median(offsets[found])), tuple(map(int, found)), chance)
            )
    return clusters
