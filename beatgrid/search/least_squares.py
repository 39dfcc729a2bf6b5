"""A robust least-squares line through the sub-frame peaks of an activation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from beatgrid.grid import Activation, FloatArray
from beatgrid.peaks import parabolic_peak
from beatgrid.search.line import Line, StandardErrors

# Peaks farther from the grid than this, or than a sixth of a period, belong to other notes.
PEAK_REACH_S = 0.035
MIN_PEAKS = 8
MAX_REWEIGHTINGS = 20
# Tukey's biweight is 95 % efficient for Gaussian errors with this many sigma.
BIWEIGHT_SIGMAS = 4.685
# The median absolute deviation times this is the standard deviation of Gaussian errors.
MAD_TO_SIGMA = 1.4826
MIN_SIGMA_S = 1e-4
# Shifts of time and period, in seconds, that no longer matter.
CONVERGED = 1e-9


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
    """Find all local maxima of the smoothed activation, by parabolas through the logarithm.

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
    shift, _ = parabolic_peak(left[at], middle[at], right[at])
    return Peaks((at + 1 + shift) / activation.frame_rate, p[at + 1])


def fit_peaks(peaks: Peaks, line: Line, weight_at_beats: FloatArray) -> Line:
    """Fit a robust least-squares line to the peaks next to a line's beats.

    Args:
        peaks: Sub-frame maxima of the activation.
        line: Where the beats are expected.
        weight_at_beats: How much each beat of ``line`` counts, (beats,).

    Returns:
        The fitted line with standard errors; ``line`` itself if there are too few peaks.
    """
    matches = _match(peaks, line, weight_at_beats)
    if matches is None:
        return line
    fitted = _reweighted(matches)
    return Line(
        time_s=line.time_s + float(fitted.solution[0]),
        period_s=line.period_s + float(fitted.solution[1]),
        first=line.first,
        last=line.last,
        errors=StandardErrors.of(_covariance(matches, fitted)),
        residual_s=fitted.sigma_s,
    )


@dataclass(frozen=True, eq=False)
class _Matches:
    """Peaks next to beats: the regression's rows.

    Attributes:
        design: 1 and the beat's number, (peaks, 2).
        residual_s: From the expected beat to its peak, (peaks,).
        trust: Height of the peak times weight of the beat, (peaks,).
    """

    design: FloatArray
    residual_s: FloatArray
    trust: FloatArray


@dataclass(frozen=True, eq=False)
class _Robust:
    """A reweighted fit: shifts of time and period, errors and their biweights."""

    solution: FloatArray  # (2,), seconds
    error_s: FloatArray  # (peaks,)
    sigma_s: float
    u2: FloatArray  # squared errors in units of the biweight's cut-off, at most 1, (peaks,)


def _match(peaks: Peaks, line: Line, weight_at_beats: FloatArray) -> _Matches | None:
    """Pair each beat with its nearest peak in reach; None if fewer than ``MIN_PEAKS`` have one."""
    if len(peaks.times_s) < MIN_PEAKS:
        return None
    expected_s = line.times_s
    right = np.clip(np.searchsorted(peaks.times_s, expected_s), 1, len(peaks.times_s) - 1)
    nearer_left = expected_s - peaks.times_s[right - 1] < peaks.times_s[right] - expected_s
    nearest = np.where(nearer_left, right - 1, right)
    residual_s = peaks.times_s[nearest] - expected_s
    used = (np.abs(residual_s) <= min(PEAK_REACH_S, line.period_s / 6)) & (weight_at_beats > 0)
    if np.count_nonzero(used) < MIN_PEAKS:
        return None
    k = line.k[used].astype(np.float64)
    return _Matches(
        design=np.stack((np.ones_like(k), k), axis=1),
        residual_s=residual_s[used],
        trust=peaks.height[nearest[used]] * weight_at_beats[used],
    )


def _reweighted(matches: _Matches) -> _Robust:
    """Fit by iteratively reweighted least squares with Tukey's biweight."""
    design, y = matches.design, matches.residual_s
    biweight = np.ones_like(y)
    solution = np.zeros(2)
    for _ in range(MAX_REWEIGHTINGS):
        weighted = design.T * (matches.trust * biweight)
        previous, solution = solution, np.linalg.pinv(weighted @ design) @ (weighted @ y)
        error_s = y - design @ solution
        sigma_s = max(MAD_TO_SIGMA * float(np.median(np.abs(error_s))), MIN_SIGMA_S)
        u2 = np.minimum((error_s / (BIWEIGHT_SIGMAS * sigma_s)) ** 2, 1)
        biweight = (1 - u2) ** 2
        if np.all(np.abs(solution - previous) < CONVERGED):
            break
    return _Robust(solution, error_s, sigma_s, u2)


def _covariance(matches: _Matches, fitted: _Robust) -> FloatArray:
    """Return Huber's sandwich (2, 2): the influence function's slope inside, scatter outside."""
    design, trust, u2 = matches.design, matches.trust, fitted.u2
    influence_slope = (1 - u2) * (1 - 5 * u2)
    inverse = np.linalg.pinv(design.T @ ((trust * influence_slope)[:, None] * design))
    scatter = design * (trust * (1 - u2) ** 2 * fitted.error_s)[:, None]
    # Small samples: n / (n - 2) makes the scatter unbiased for two parameters.
    n = max(float(trust.sum()) ** 2 / float((trust**2).sum()), 3.0)
    return inverse @ (scatter.T @ scatter) @ inverse * (n / (n - 2))
