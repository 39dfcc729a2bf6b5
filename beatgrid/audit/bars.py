"""Whether a label's downbeats are where the downbeat channel hears them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beatgrid.grid import FloatArray
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.line import Line


@dataclass(frozen=True)
class BarFit:
    """The best place of the downbeat for bars of the label's length.

    Attributes:
        later_beats: Beats by which the best downbeat is later than the label's,
            0..beats_per_bar - 1; 0 where they agree.
        margin: Evidence per bar of the best place less that of the label's, in nats; where they
            agree, less that of the second best, and negative.
        lasting: The best place is the best in each half of the track.
    """

    later_beats: int
    margin: float
    lasting: bool


def fit_bars(
    extractor: FeatureExtractor, line: Line, downbeat: int, beats_per_bar: int
) -> BarFit | None:
    """Compare the places that a downbeat may have in the bar.

    Args:
        extractor: Holds the downbeat channel.
        line: The beats.
        downbeat: Number k of a beat of ``line`` that the label says is a downbeat.
        beats_per_bar: Of the label.

    Returns:
        None where there is no downbeat channel, or not a bar in each half.
    """
    if extractor.downbeat is None or beats_per_bar < 2:
        return None
    at_beats = extractor.sample(extractor.downbeat, line.times_s)
    places = (line.k - downbeat) % beats_per_bar
    half = len(at_beats) // 2
    if half < 2 * beats_per_bar:
        return None
    means = _means(at_beats, places, beats_per_bar)
    best = int(np.argmax(means))
    rival = means[0] if best else np.max(means[1:])
    margin = float(means[best] - rival)
    halves = (slice(None, half), slice(half, None))
    lasting = all(
        int(np.argmax(_means(at_beats[part], places[part], beats_per_bar))) == best
        for part in halves
    )
    return BarFit(best, margin if best else -margin, lasting)


def _means(at_beats: FloatArray, places: NDArray[np.int64], n: int) -> FloatArray:
    return np.array([float(at_beats[places == place].mean()) for place in range(n)])
