"""From probabilities to evidence: what a beat at any given time would add to a grid's score.

If frames are independent, the log-likelihood of a grid is a constant plus the sum of one term
for each of its beats,

    g(p) = log(m + (1 - m) * odds(p) / odds(base rate)),

with m the miss probability, that a beat has no peak; it bounds the cost of such a beat. Both a
peak left unexplained and a beat put where nothing sounds lower the sum relative to the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

from beatgrid.grid import Activation, FloatArray
from beatgrid.search.estimate import NoGridError

FLAT = "the activation is flat"
# Evidence that varies by less is that of a constant activation, but for rounding.
MIN_RANGE_NATS = 1e-3
# Local level of the activation, relative to the upper quartile of the track's: below the first,
# beats are absent, from the second on they count in full, and in part between.
ABSENT_LEVEL = 0.15
PRESENT_LEVEL = 0.5
LEVEL_WINDOW_S = 6.0
# A cubic B-spline has the variance of 1/3 frame squared.
SPLINE_VARIANCE_FRAMES = 1.0 / 3.0
# Neutral control points at either end, so that no time needs a special case.
PADDING = 4


@dataclass(frozen=True, eq=False)
class Evidence:
    """Evidence for a beat as a smooth function of time.

    The curve is the cubic B-spline with ``coefficients`` as control points: smooth enough for
    Newton's method, and its Fourier transform is known exactly, so the scan by FFT and the
    refinement in time maximise one and the same function.

    Attributes:
        coefficients: Weighted, smoothed log-odds divided by their root mean square,
            float64 (frames,); 0 is neutral.
        weight: How much each frame counts, 0..1, (frames,).
        scale: That root mean square: nats per unit of the curve.
        frame_rate: Frames per second.
        duration_s: Length of the track.
    """

    coefficients: FloatArray
    weight: FloatArray
    scale: float
    frame_rate: float
    duration_s: float

    @property
    def effective_s(self) -> float:
        """Seconds of music that count."""
        return float(self.weight.sum()) / self.frame_rate

    def __call__(self, times_s: FloatArray) -> FloatArray:
        """Return the evidence for a beat at each of the times, any shape; 0 outside the track."""
        return _spline(*self._neighbours(times_s))

    def derivatives(self, times_s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return value, slope (1/s) and curvature (1/s^2) of the curve at the times."""
        c, u = self._neighbours(times_s)
        v = 1 - u
        slope = -v * v * c[0] + (3 * u * u - 4 * u) * c[1]
        slope += (4 * v - 3 * v * v) * c[2] + u * u * c[3]
        curvature = v * c[0] + (3 * u - 2) * c[1] + (3 * v - 2) * c[2] + u * c[3]
        return _spline(c, u), slope / 2 * self.frame_rate, curvature * self.frame_rate**2

    def weight_at(self, times_s: FloatArray) -> FloatArray:
        """Return the weight of the frames nearest to the times, same shape."""
        frames = np.round(times_s * self.frame_rate).astype(np.int64)
        return self.weight[np.clip(frames, 0, len(self.weight) - 1)]

    def part(self, start_s: float, end_s: float) -> Evidence | None:
        """Return the evidence of [start, end) from time 0 on; None if nothing counts there."""
        low = max(0, round(start_s * self.frame_rate))
        high = min(len(self.coefficients), round(end_s * self.frame_rate))
        if high - low < 2 or not self.weight[low:high].any():
            return None
        duration_s = (high - low) / self.frame_rate
        return Evidence(
            self.coefficients[low:high],
            self.weight[low:high],
            self.scale,
            self.frame_rate,
            duration_s,
        )

    def _neighbours(self, times_s: FloatArray) -> tuple[list[FloatArray], FloatArray]:
        """Return the four control points around each time and the fraction of a frame."""
        position = np.asarray(times_s) * self.frame_rate
        frame = np.floor(position)
        n_frames = len(self.coefficients)
        index = np.clip(frame, -3, n_frames + 1).astype(np.int64) + PADDING
        return [self._padded[index + j] for j in (-1, 0, 1, 2)], position - frame

    @cached_property
    def _padded(self) -> FloatArray:
        return np.pad(self.coefficients, PADDING)


def _spline(c: list[FloatArray], u: FloatArray) -> FloatArray:
    """Evaluate the cubic B-spline of four points, a fraction ``u`` of the way from c[1] to c[2]."""
    v = 1 - u
    value = v * v * v * c[0] + (4 - 6 * u * u + 3 * u * u * u) * c[1]
    value += (4 - 6 * v * v + 3 * v * v * v) * c[2] + u * u * u * c[3]
    return value / 6


def log_odds(
    probability: NDArray[np.floating],
    *,
    miss_probability: float,
    max_log_odds: float,
    weight: FloatArray | None = None,
) -> FloatArray:
    """Compute the term g(p) of the module's docstring for every frame.

    Args:
        probability: (frames,), in [0, 1].
        miss_probability: m, in (0, 1).
        max_log_odds: Log-odds are clipped to +- this: no network is that sure.
        weight: Frames that count for the base rate, (frames,); all by default.

    Returns:
        float64 (frames,), at least log(m).
    """
    floor = 1 / (1 + np.exp(max_log_odds))
    p = np.clip(np.asarray(probability, dtype=np.float64), floor, 1 - floor)
    base = float(np.average(p, weights=weight))
    ratio = p / (1 - p) * ((1 - base) / base)
    return np.log(miss_probability + (1 - miss_probability) * ratio)


def presence(probability: NDArray[np.floating], frame_rate: float) -> FloatArray:
    """Estimate how much of the typical beat activity surrounds each frame, 0..1, (frames,).

    Intros, breakdowns and outros without beats get 0, so that they do not vote for a tempo
    that avoids them.
    """
    window = max(1, round(LEVEL_WINDOW_S * frame_rate))
    peaks = maximum_filter1d(
        np.asarray(probability, dtype=np.float64), max(1, round(frame_rate)), mode="nearest"
    )
    level = uniform_filter1d(peaks, window, mode="nearest")
    loudest = float(level.max())
    if loudest <= 0:
        return np.zeros(len(level))
    relative = level / np.quantile(level[level > ABSENT_LEVEL * loudest], 0.75)
    return np.clip((relative - ABSENT_LEVEL) / (PRESENT_LEVEL - ABSENT_LEVEL), 0, 1)


def evidence_from(
    activation: Activation,
    *,
    miss_probability: float,
    max_log_odds: float,
    smoothing_s: float,
    search_window: tuple[float, float] | None,
) -> Evidence:
    """Compute the evidence of a track's beat channel.

    Args:
        activation: Probabilities per frame.
        miss_probability: Probability that a beat has no peak.
        max_log_odds: Bound of the log-odds.
        smoothing_s: Standard deviation of the curve's smoothing kernel; timing of that
            spread is forgiven.
        search_window: (start, end) in seconds; frames outside do not count.

    Raises:
        NoGridError: If no frame that counts differs from another.
    """
    if len(activation) == 0:
        raise NoGridError("the activation is empty")
    weight = presence(activation.beat, activation.frame_rate)
    if search_window is not None:
        times_s = activation.times_s
        weight = weight * ((times_s >= search_window[0]) & (times_s <= search_window[1]))
    if not weight.any():
        raise NoGridError(FLAT)
    g = log_odds(
        activation.beat, miss_probability=miss_probability, max_log_odds=max_log_odds, weight=weight
    )
    if np.ptp(g[weight > 0]) < MIN_RANGE_NATS:
        raise NoGridError(FLAT)
    variance = (smoothing_s * activation.frame_rate) ** 2 - SPLINE_VARIANCE_FRAMES
    weighted = weight * g
    if variance > 0:
        weighted = gaussian_filter1d(weighted, np.sqrt(variance), mode="constant", truncate=3.0)
    scale = float(np.sqrt(np.mean(weighted**2)))
    return Evidence(weighted / scale, weight, scale, activation.frame_rate, activation.duration_s)
