"""The score of every tempo and phase from one Fourier transform.

For a curve s(t) and a grid of frequency f (beats per second) and phase t0, Poisson's sum gives

    sum_k s(t0 + k / f) = f * sum_h S(h * f) * exp(2 pi i h f t0),   S the spectrum of s.

One zero-padded FFT holds S at all multiples of its bin width. If f is itself a bin, so are its
harmonics, and an inverse FFT over h gives the score of all phases of that tempo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from beatgrid.grid import FloatArray
from beatgrid.peaks import parabolic_peak
from beatgrid.search.evidence import Evidence

# Contrast is judged against the tempi around: over a range of at least this ratio.
MIN_RANGE_RATIO = 1.5
# Tempi handled at a time, so that memory stays bounded however long the track is.
BLOCK_TEMPI = 4096


@dataclass(frozen=True, eq=False)
class Scan:
    """Best phase and score of each tempo of a dense lattice.

    Attributes:
        frequency_hz: Beats per second, ascending, (tempi,).
        score: Highest sum of evidence over the phases, (tempi,).
        phase: Where in the period that is, 0..1, (tempi,).
        contrast: How far the score stands out of what the sums of that tempo's
            neighbourhood scatter, in standard deviations, (tempi,).
    """

    frequency_hz: FloatArray
    score: FloatArray
    phase: FloatArray
    contrast: FloatArray

    def within(self, bpm_range: tuple[float, float]) -> Scan:
        """Return the tempi of a range, with the next one on either side: never none."""
        low_hz, high_hz = (bpm / 60 for bpm in bpm_range)
        first = max(0, int(np.searchsorted(self.frequency_hz, low_hz, "right")) - 1)
        last = int(np.searchsorted(self.frequency_hz, high_hz, "left"))
        inside = slice(first, last + 1)
        return Scan(
            self.frequency_hz[inside],
            self.score[inside],
            self.phase[inside],
            self.contrast[inside],
        )


def scan(
    evidence: Evidence,
    bpm_min: float,
    bpm_max: float,
    *,
    harmonics: int,
    oversampling: int,
) -> Scan:
    """Score all tempi of a range, each at its best phase.

    A narrow range is scanned with its surroundings, which tell how far its tempi stand out, and
    the answer holds at least the tempi next to it, however narrow it is.

    Args:
        evidence: Curve to be summed over the grid.
        bpm_min: Lowest tempo.
        bpm_max: Highest tempo.
        harmonics: Fourier components of the beat period used; more resolve finer timing.
        oversampling: Zero-padding. Neighbouring tempi then drift apart by
            1 / oversampling of a period over the whole track.

    Returns:
        The lattice, about ``oversampling * duration * (bpm_max - bpm_min) / 60`` tempi.
    """
    widening = max(1.0, float(np.sqrt(MIN_RANGE_RATIO * bpm_min / bpm_max)))
    scanned = _scan(evidence, bpm_min / widening, bpm_max * widening, harmonics, oversampling)
    return scanned.within((bpm_min, bpm_max)) if widening > 1 else scanned


def _scan(
    evidence: Evidence, bpm_min: float, bpm_max: float, harmonics: int, oversampling: int
) -> Scan:
    """Score the tempi of a range, none if no lattice point lies in it."""
    n_frames = len(evidence.coefficients)
    n_fft = scipy.fft.next_fast_len(n_frames * oversampling, real=True)
    spectrum = scipy.fft.rfft(evidence.coefficients.astype(np.float32), n_fft)
    bin_hz = evidence.frame_rate / n_fft
    first = max(1, int(np.ceil(bpm_min / 60 / bin_hz)))
    last = min(int(bpm_max / 60 / bin_hz), len(spectrum) - 1)
    bins = np.arange(first, last + 1)
    if not len(bins):
        return Scan(*(np.zeros(0) for _ in range(4)))
    used = min(len(spectrum), harmonics * last + 1)
    # Spectrum of the cubic B-spline that joins the frames.
    spectrum = spectrum[:used] * np.sinc(np.arange(used, dtype=np.float32) / n_fft) ** 4

    n_phases = scipy.fft.next_fast_len(4 * harmonics, real=True)
    score = np.empty(len(bins), dtype=np.float32)
    phase = np.empty(len(bins), dtype=np.float32)
    spread = np.empty(len(bins), dtype=np.float32)
    order = np.arange(harmonics + 1)
    for start in range(0, len(bins), BLOCK_TEMPI):
        block = slice(start, start + BLOCK_TEMPI)
        index = bins[block, None] * order
        components = spectrum[np.minimum(index, used - 1)]
        components[index >= used] = 0
        folded = scipy.fft.irfft(components, n_phases, axis=1, overwrite_x=True)
        folded *= (n_phases / n_fft * bins[block, None]).astype(np.float32)
        score[block], phase[block] = _peak(folded)
        spread[block] = np.sqrt(np.var(folded, axis=1))
    scatter = _local_level(spread, bins)
    mean = bins / n_fft * spectrum[0].real
    contrast = (score - mean) / np.maximum(scatter, 1e-9)
    return Scan(bins * bin_hz, score.astype(np.float64), phase.astype(np.float64), contrast)


def _peak(folded: NDArray[np.float32]) -> tuple[FloatArray, FloatArray]:
    """Return height and position (0..1) of each row's maximum, by parabola between phases."""
    rows, n_phases = np.arange(len(folded)), folded.shape[1]
    best = np.argmax(folded, axis=1)
    before, after = folded[rows, best - 1], folded[rows, (best + 1) % n_phases]
    shift, height = parabolic_peak(before, folded[rows, best], after)
    return height, ((best + shift) / n_phases) % 1.0


def _local_level(spread: NDArray[np.float32], bins: NDArray[np.int64]) -> FloatArray:
    """Return the median spread of the folded sums over +-10 % of tempo around each tempo."""
    step = max(1, len(bins) // 512)
    coarse = spread[::step]
    width = max(3, round(0.2 * float(bins.mean()) / step)) | 1
    level = median_filter(coarse, min(width, len(coarse)), mode="nearest")
    return np.interp(bins, bins[::step], level)
