"""The grid search this project started from, kept as the reference to compare with.

It scores a tempo and an offset by the mean probability at the grid's beats, over a fixed
list of tempi and offsets, and takes the first best. The answers are the original's to the
last bit (a test holds a literal copy of its loops against this); only the loop over offsets
is vectorised, and a frame's time is its centre ``i / frame_rate`` instead of 23.2 ms later.

Known weaknesses, kept on purpose: half the tempo scores as well as the tempo, a step of
0.5 BPM cannot hold a fractional tempo for three minutes, and inside a search window every
offset before the window collapses onto the window's start.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from beatgrid.checks import Interval, Tempo, checked
from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.search.estimate import GridEstimate, Segment

# The original looked for the tempo with `n_offsets` offsets and then, whatever that number
# was, placed the grid with 200.
N_FINAL_OFFSETS = 200


class NotebookSearch:
    """Exhaustive search over tempi and offsets by mean probability.

    Args:
        bpm_min: Lowest tempo tried.
        bpm_max: Highest tempo tried.
        bpm_step: Distance between tempi.
        search_window: (start, end) in seconds; only frames and beats inside it count.
        n_offsets: Offsets tried for each tempo.

    Raises:
        ValueError: If the range of tempi or the step cannot be searched.
    """

    @checked
    def __init__(
        self,
        bpm_min: Tempo = 70.0,
        bpm_max: Tempo = 200.0,
        bpm_step: Annotated[float, Interval(0.001, 1000)] = 0.5,
        search_window: tuple[float, float] | None = None,
        n_offsets: Annotated[int, Interval(1, 10_000)] = 120,
    ) -> None:
        if not bpm_min <= bpm_max:
            raise ValueError(f"need bpm_min <= bpm_max, not {bpm_min!r} and {bpm_max!r}")
        self.bpm_min = bpm_min
        self.bpm_max = bpm_max
        self.bpm_step = bpm_step
        self.search_window = None if search_window is None else tuple(search_window)
        self.n_offsets = n_offsets

    def __call__(
        self, activation: Activation, ranker: object = None, hint: object = None
    ) -> GridEstimate:
        """Find the grid of one track.

        Args:
            activation: Frame probabilities.
            ranker: Accepted for the interface's sake; this search has nothing fitted.
            hint: Accepted and ignored likewise.

        Returns:
            The grid; its confidence is the mean probability, as the original had no other.
        """
        del ranker, hint
        if len(activation) == 0:
            return GridEstimate.none("the activation is empty")
        best_bpm, best_score = float(self.bpm_min), -math.inf
        for bpm in np.arange(self.bpm_min, self.bpm_max + 1e-6, self.bpm_step):
            _, score = self.best_offset(activation, float(bpm), self.n_offsets)
            if score > best_score:
                best_bpm, best_score = float(bpm), score
        offset_s, score = self.best_offset(activation, best_bpm, N_FINAL_OFFSETS)
        score = float(score) if math.isfinite(score) else 0.0
        first_beat_s = Grid(best_bpm, offset_s).first_beat_s
        return GridEstimate(
            grid=Grid(best_bpm, offset_s),
            bpm_raw=best_bpm,
            offset_raw_s=offset_s,
            score=score,
            confidence=score,
            segments=(Segment(0.0, activation.duration_s, best_bpm, first_beat_s),),
        )

    def best_offset(
        self, activation: Activation, bpm: float, n_offsets: int
    ) -> tuple[float, float]:
        """Return the offset in [0, period) with the highest mean probability, and that mean.

        Returns:
            (offset in seconds, score); (0, -inf) if no beat falls on a frame in the window.
        """
        period_s = 60.0 / bpm
        duration_s = activation.duration_s
        times_s, probabilities = activation.times_s, activation.beat
        start_s, end_s = 0.0, math.inf
        if self.search_window is not None:
            start_s, end_s = self.search_window
            inside = (times_s >= start_s) & (times_s <= end_s)
            times_s, probabilities = times_s[inside], probabilities[inside]
        if min(end_s, duration_s) - start_s <= 0 or len(times_s) == 0:
            return 0.0, -math.inf

        offsets_s = np.linspace(0.0, period_s, num=n_offsets, endpoint=False)
        starts_s = np.maximum(offsets_s, start_s)
        # np.arange(start, stop, step) rounds its step through start + step: do the same.
        steps_s = (starts_s + period_s) - starts_s
        n_beats = np.maximum(np.ceil((duration_s - starts_s) / period_s), 0).astype(np.int64)
        k = np.arange(max(int(n_beats.max()), 1))
        beats_s = starts_s[:, None] + k * steps_s[:, None]
        n_inside = np.minimum(n_beats, np.count_nonzero(beats_s <= end_s, axis=1))

        sampled = probabilities[_nearest_frames(times_s, beats_s, activation.frame_rate)]
        scores = np.full(n_offsets, -math.inf)
        # Rows of equal length are averaged together: the same pairwise sum as one by one.
        for count in np.unique(n_inside[n_inside > 0]):
            rows = n_inside == count
            scores[rows] = np.ascontiguousarray(sampled[rows, :count]).mean(axis=1)
        best = int(np.argmax(scores))
        return float(offsets_s[best]), float(scores[best])


def _nearest_frames(
    times_s: FloatArray, query_s: FloatArray, frame_rate: float
) -> NDArray[np.int64]:
    """Return the index of the frame nearest to each query; the later one where both are as near.

    ``times_s`` is uniform, so a division finds what a binary search would, up to rounding,
    which the two comparisons repair.
    """
    last = len(times_s) - 1
    right = np.ceil((query_s - times_s[0]) * frame_rate).astype(np.int64)
    right = np.clip(right, 0, last)
    right -= (right > 0) & (times_s[right - 1] >= query_s)
    right += (right < last) & (times_s[right] < query_s)
    left = np.maximum(right - 1, 0)
    use_left = np.abs(times_s[left] - query_s) < np.abs(times_s[right] - query_s)
    return np.where(use_left, left, right)
