"""How far the sound of a piece lies from its grid, in milliseconds."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from beatgrid.grid import Grid
from beatgrid.peaks import parabolic_peak
from beatgrid.rendering.generator import click_track
from beatgrid.rendering.piece import SAMPLE_RATE

Samples = NDArray[np.float32]

CLEAR = 1.5
"""Below this clarity the mean onset curve has no usable peak: pads, or beats nobody plays."""

# Short windows, since a millisecond matters here and no pitch does.
HOP = 32
"""Samples from one value of ``onset_curve`` to the next."""
_N_FFT = 512
_REACH_S = 0.06


def onset_curve(samples: Samples) -> NDArray[np.float32]:
    """Return the rise of log magnitude summed over frequency, every ``HOP`` samples: (frames,)."""
    _, _, spectrum = signal.stft(
        samples, SAMPLE_RATE, "hann", _N_FFT, _N_FFT - HOP, padded=False, return_onesided=True
    )
    magnitude = np.abs(spectrum).astype(np.float32)
    level = np.log1p(magnitude * np.float32(100.0 / (np.quantile(magnitude, 0.999) + 1e-12)))
    lag = 4  # 3 ms: the window's own rise
    rise = np.maximum(level[:, lag:] - level[:, :-lag], 0).sum(axis=0)
    return np.concatenate([np.zeros(lag, np.float32), rise]).astype(np.float32)


def residual_ms(samples: Samples, grid: Grid) -> tuple[float, float]:
    """Measure the mean onset around a piece's beats, and how clearly it stands out.

    The measure's own delay, found on clicks, is taken off.

    Args:
        samples: float32 (samples,) mono at ``SAMPLE_RATE``.
        grid: What the piece claims.

    Returns:
        Milliseconds by which sound is later than the grid, and the ratio of the mean onset curve's
        peak to its median, the clarity.
    """
    at_s, clarity = _mean_onset_s(samples, grid)
    return 1000.0 * (at_s - _own_delay_s()), clarity


def _mean_onset_s(samples: Samples, grid: Grid) -> tuple[float, float]:
    curve = onset_curve(samples)
    reach = round(_REACH_S * SAMPLE_RATE / HOP)
    frames = grid.beat_times(len(samples) / SAMPLE_RATE) * SAMPLE_RATE / HOP
    frames = frames[(frames > reach + 1) & (frames < len(curve) - reach - 2)]
    offsets = np.arange(-reach, reach + 1)
    around = np.interp(frames[:, None] + offsets, np.arange(len(curve)), curve)
    mean = ndimage.gaussian_filter1d(around.mean(axis=0), 2.0)
    best = int(np.clip(np.argmax(mean), 1, len(mean) - 2))
    shift, _ = parabolic_peak(*mean[best - 1 : best + 2])
    clarity = float(mean[best] / (np.median(mean) + 1e-9))
    return (offsets[best] + float(shift)) * HOP / SAMPLE_RATE, clarity


@functools.cache
def _own_delay_s() -> float:
    """Measure clicks that are on time to the sample."""
    grid = Grid(120.0, 0.25)
    return _mean_onset_s(click_track(grid.bpm, grid.offset_s, 30.0, SAMPLE_RATE), grid)[0]
