"""Period and phase to the floating-point optimum, and how exactly the peaks determine them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from beatgrid.grid import Activation, FloatArray
from beatgrid.search.evidence import Evidence

# The neighbourhood searched before Newton's method: shifts in seconds of the whole grid, and of
# its ends against each other.
RASTER_S = np.array([(a, b) for a in range(-18, 19, 6) for b in range(-18, 19, 6)]) / 1000
MAX_NEWTON_STEP_S = 0.005
MAX_NEWTON_STEPS = 20
CONVERGED_S = 1e-9
# Peaks farther from the grid than this, or than a sixth of a period, belong to other notes.
PEAK_REACH_S = 0.035
MIN_PEAKS = 8
MAX_REWEIGHTINGS = 20


@dataclass(frozen=True)
class Line:
    """Beats at ``time_s + k * period_s`` for integers k; beat 0 lies near the track's middle.

    The middle is where the phase is known best and independently of the period.

    Attributes:
        time_s: Time of beat 0.
        period_s: Seconds per beat.
        first: Lowest k inside the track.
        last: Highest k inside the track.
        time_std_s: Standard error of ``time_s``.
        period_std_s: Standard error of ``period_s``.
        covariance: Covariance of both, seconds squared.
        residual_s: Robust spread of the peaks around the line.
    """

    time_s: float
    period_s: float
    first: int
    last: int
    time_std_s: float = float("nan")
    period_std_s: float = float("nan")
    covariance: float = 0.0
    residual_s: float = float("nan")

    @classmethod
    def at(cls, frequency_hz: float, phase: float, start_s: float, end_s: float) -> Line:
        """Line of a tempo and a phase (0..1 of a period after time 0) over [start, end)."""
        return cls.through(phase / frequency_hz, 1 / frequency_hz, start_s, end_s)

    @classmethod
    def through(cls, time_s: float, period_s: float, start_s: float, end_s: float) -> Line:
        """Line through one beat, re-anchored to the beat nearest the middle of [start, end)."""
        middle_s = 0.5 * (start_s + end_s)
        anchor_s = time_s + round((middle_s - time_s) / period_s) * period_s
        first = int(np.ceil((start_s - anchor_s) / period_s))
        last = int(np.ceil((end_s - anchor_s) / period_s)) - 1
        return cls(float(anchor_s), float(period_s), min(first, 0), max(last, 0))

    @property
    def k(self) -> NDArray[np.int64]:
        """Beat numbers inside the track, (beats,)."""
        return np.arange(self.first, self.last + 1)

    @property
    def times_s(self) -> FloatArray:
        """Beat times inside the track, float64 (beats,)."""
        return self.time_s + self.k.astype(np.float64) * self.period_s

    @property
    def bpm(self) -> float:
        """Beats per minute."""
        return 60.0 / self.period_s

    def std_s(self, k: float) -> float:
        """Standard error of the time of beat ``k``."""
        variance = self.time_std_s**2 + 2 * k * self.covariance + (k * self.period_std_s) ** 2
        return float(np.sqrt(max(variance, 0.0)))


def maximise(evidence: Evidence, line: Line) -> Line:
    """The nearby line with the highest sum of evidence.

    A raster of shifts within +-18 ms, of the whole grid and of its ends against each other,
    finds the right hill; Newton's method climbs it. The beats summed over stay the same, so
    the function climbed has no jumps.

    Args:
        evidence: Curve to sum.
        line: Where to start.

    Returns:
        The optimum, with standard errors from the curvature and the scatter of slopes.
    """
    reach = max(line.last, -line.first, 1)
    lever = line.k / reach
    start_s = line.times_s
    # Every fourth beat or so decides which hill is the highest.
    some = slice(None, None, max(1, len(lever) // 128))
    trial_s = start_s[some] + RASTER_S[:, :1] + RASTER_S[:, 1:] * lever[some]
    move = RASTER_S[int(np.argmax(evidence(trial_s).sum(axis=1)))]

    here = _slope(evidence, start_s, lever, move)
    for _ in range(MAX_NEWTON_STEPS):
        step = uphill(here.gradient, here.hessian)
        there = here
        while np.abs(step).max() > CONVERGED_S:
            there = _slope(evidence, start_s, lever, move + step)
            if there.score >= here.score:
                break
            step = step / 2
        else:
            break
        move, here = move + step, there

    inverse = np.linalg.pinv(here.hessian)
    covariance = inverse @ here.scatter @ inverse
    return Line(
        time_s=line.time_s + float(move[0]),
        period_s=line.period_s + float(move[1]) / reach,
        first=line.first,
        last=line.last,
        time_std_s=float(np.sqrt(covariance[0, 0])),
        period_std_s=float(np.sqrt(covariance[1, 1])) / reach,
        covariance=float(covariance[0, 1]) / reach,
    )


@dataclass(frozen=True, eq=False)
class _Slope:
    """A sum of evidence and its derivatives by the shifts of the grid and of its ends.

    ``scatter`` is the sum over beats of the outer products of their own slopes.
    """

    score: float
    gradient: FloatArray
    hessian: FloatArray
    scatter: FloatArray


def _slope(evidence: Evidence, start_s: FloatArray, lever: FloatArray, move: FloatArray) -> _Slope:
    value, slope, curvature = evidence.derivatives(start_s + move[0] + move[1] * lever)
    design = np.stack((np.ones_like(lever), lever))
    own = design * slope
    return _Slope(float(value.sum()), own.sum(axis=1), (design * curvature) @ design.T, own @ own.T)


def uphill(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Newton's step (2,), bounded; where the curvature is not that of a hill it is made so."""
    if float(np.abs(gradient).max()) < 1e-12:
        return np.zeros(2)  # a flat stretch; or a maximum to the last bit
    excess, size = float(np.linalg.eigvalsh(hessian)[-1]), float(np.abs(hessian).max())
    if excess >= -1e-6 * size:  # no hill, or one with a ridge: a grid of a single beat has one
        hessian = hessian - (excess + 1e-3 * size + 1e-9) * np.eye(2)
    step = np.asarray(-np.linalg.solve(hessian, gradient), dtype=np.float64)
    return step * min(1.0, MAX_NEWTON_STEP_S / max(float(np.abs(step).max()), 1e-30))


@dataclass(frozen=True, eq=False)
class Peaks:
    """Local maxima of an activation with sub-frame times.

    Attributes:
        times_s: Ascending, (peaks,).
        height: Smoothed probability there, (peaks,).
    """

    times_s: FloatArray
    height: FloatArray


def find_peaks(activation: Activation, smoothing_s: float) -> Peaks:
    """All local maxima of the smoothed activation, by parabolas through the logarithm.

    The logarithm of a Gaussian bump is a parabola, so such peaks come out exact. Smoothing by
    about a frame also gives flat-topped peaks (box targets) a single centred maximum.
    """
    p = gaussian_filter1d(
        np.asarray(activation.beat, dtype=np.float64),
        smoothing_s * activation.frame_rate,
        mode="nearest",
    )
    log_p = np.log(p + 1e-6)
    left, middle, right = log_p[:-2], log_p[1:-1], log_p[2:]
    at = np.flatnonzero((middle > left) & (middle >= right))
    left, middle, right = left[at], middle[at], right[at]
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return Peaks((at + 1 + shift) / activation.frame_rate, p[at + 1])


def fit_peaks(peaks: Peaks, line: Line, weight_at_beats: FloatArray) -> Line:
    """Robust least-squares line through the peaks next to a line's beats.

    Args:
        peaks: Sub-frame maxima of the activation.
        line: Where the beats are expected.
        weight_at_beats: How much each beat of ``line`` counts, (beats,).

    Returns:
        The fitted line with standard errors; ``line`` itself if there are too few peaks.
    """
    if len(peaks.times_s) < MIN_PEAKS:
        return line
    k = line.k
    expected_s = line.times_s
    right = np.clip(np.searchsorted(peaks.times_s, expected_s), 1, len(peaks.times_s) - 1)
    nearer_left = expected_s - peaks.times_s[right - 1] < peaks.times_s[right] - expected_s
    nearest = np.where(nearer_left, right - 1, right)
    residual_s = peaks.times_s[nearest] - expected_s
    used = (np.abs(residual_s) <= min(PEAK_REACH_S, line.period_s / 6)) & (weight_at_beats > 0)
    if np.count_nonzero(used) < MIN_PEAKS:
        return line

    k = k[used].astype(np.float64)
    y = residual_s[used]
    trust = peaks.height[nearest[used]] * weight_at_beats[used]
    design = np.stack((np.ones_like(k), k), axis=1)
    robust = np.ones_like(y)
    solution = np.zeros(2)
    for _ in range(MAX_REWEIGHTINGS):
        w = trust * robust
        weighted = design.T * w
        previous, solution = solution, np.linalg.pinv(weighted @ design) @ (weighted @ y)
        error = y - design @ solution
        # Consistent with the standard deviation for Gaussian errors; never below 0.1 ms.
        sigma = max(1.4826 * float(np.median(np.abs(error))), 1e-4)
        # Tukey's biweight: 95 % efficient at 4.685 sigma, and blind to what lies beyond.
        u2 = np.minimum((error / (4.685 * sigma)) ** 2, 1)
        robust = (1 - u2) ** 2
        if np.all(np.abs(solution - previous) < 1e-9):
            break
    # Huber's sandwich: the slope of the influence function inside, its scatter outside.
    influence_slope = (1 - u2) * (1 - 5 * u2)
    inverse = np.linalg.pinv(design.T @ ((trust * influence_slope)[:, None] * design))
    scatter = design * (trust * robust * error)[:, None]
    # Small samples: n / (n - 2) makes the scatter unbiased for two parameters.
    n = max(float(trust.sum()) ** 2 / float((trust**2).sum()), 3.0)
    covariance = inverse @ (scatter.T @ scatter) @ inverse * (n / (n - 2))
    return Line(
        time_s=line.time_s + float(solution[0]),
        period_s=line.period_s + float(solution[1]),
        first=line.first,
        last=line.last,
        time_std_s=float(np.sqrt(covariance[0, 0])),
        period_std_s=float(np.sqrt(covariance[1, 1])),
        covariance=float(covariance[0, 1]),
        residual_s=sigma,
    )
