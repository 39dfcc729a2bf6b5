"""Beat evidence without a network: log spectral flux in a few bands.

Used twice: as the baseline that every network is compared with (:func:`flux_activation`), and
beside a network's probabilities as the band-wise evidence the ranker weighs
(:func:`onset_strength`).
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from beatgrid.grid import Activation, FloatArray

# Upper edges of the bands as shares of the mel range; for 128 mels up to 22 kHz about
# 190 Hz (kick, bass), 1 kHz (snare body, chords), 5 kHz (snare, vocals), 22 kHz (hats).
BAND_EDGES = (6 / 128, 32 / 128, 78 / 128, 1.0)
# Levels are compressed as log(1 + power / knee): a rise out of silence counts once it is
# audible, not when the first edge of an analysis window touches the sound.
KNEE_DB = -40.0
# How far apart the two frames are whose levels are compared.
LAG_S = 0.023
# Vibrato moves energy to the next mel band without an onset: compare with the loudest of
# three neighbouring bands.
VIBRATO_MELS = 3
# The middle of the two frames precedes the onset by this much, in the median over real music;
# by 6 ms more for a drum with an instant attack, and more still for a bare click.
LEAD_S = 0.0048
SMOOTHING_S = 0.008
# Frames whose onsets are computed at a time: 2 MB for each array of 128 mels.
CHUNK_FRAMES = 4096
LOCAL_MEAN_S = 2.0
STEEPNESS = 2.0
THRESHOLD = 3.3


def onset_strength(log_mel: NDArray[np.floating], frame_rate: float) -> NDArray[np.float32]:
    """Return the rise of level per band.

    Args:
        log_mel: Levels in dB relative to the track's maximum, (frames, mels).
        frame_rate: Frames per second.

    Returns:
        float32 (frames, 4), at least 0, from low to high; an onset's maximum lies at its time.
    """
    n_frames, n_mels = log_mel.shape
    edges = [0, *(max(1, round(edge * n_mels)) for edge in BAND_EDGES)]
    strength = np.zeros((n_frames, len(BAND_EDGES)), dtype=np.float32)
    lag = max(1, round(LAG_S * frame_rate))
    if n_frames <= lag:
        return strength
    # In pieces: whole, each of the steps would take as much memory as the features.
    for start in range(0, n_frames - lag, CHUNK_FRAMES):
        stop = min(start + CHUNK_FRAMES, n_frames - lag)
        log_power = np.asarray(log_mel[start : stop + lag], dtype=np.float32)
        power = np.exp(log_power * np.float32(np.log(10) / 10))
        level = np.log1p(power * np.float32(10 ** (-KNEE_DB / 10)))
        before = maximum_filter1d(level[:-lag], VIBRATO_MELS, axis=1, mode="nearest")
        rise = np.maximum(level[lag:] - before, 0)
        for band, (low, high) in enumerate(itertools.pairwise(edges)):
            if high > low:
                strength[start:stop, band] = rise[:, low:high].mean(axis=1)
    return _shifted(strength, lag / 2 + LEAD_S * frame_rate, SMOOTHING_S * frame_rate)


def _shifted(
    strength: NDArray[np.float32], delay_frames: float, width_frames: float
) -> NDArray[np.float32]:
    """Delay a curve by a fraction of a frame and smooth it, in one Gaussian filter."""
    taps = np.arange(-6, 7) + round(delay_frames)
    kernel = np.exp(-0.5 * ((taps - delay_frames) / width_frames) ** 2)
    kernel /= kernel.sum()
    result = np.zeros_like(strength)
    for tap, gain in zip(taps, kernel, strict=True):
        if 0 <= tap < len(strength):
            result[tap:] += np.float32(gain) * strength[: len(strength) - tap]
        else:
            result[:tap] += np.float32(gain) * strength[-tap:]
    return result


def flux_activation(
    log_mel: NDArray[np.floating], frame_rate: float, duration_s: float | None = None
) -> Activation:
    """Return pseudo-probabilities of beats from spectral flux.

    Each band is measured in units of its own mean, all bands count the same, and the excess
    over the surroundings goes through a logistic function.

    Args:
        log_mel: Levels in dB relative to the track's maximum, (frames, mels).
        frame_rate: Frames per second.
        duration_s: Length of the track; by default that of the frames.
    """
    onset = onset_strength(log_mel, frame_rate)
    mean = onset.mean(axis=0) if len(onset) else np.ones(onset.shape[1])
    total = np.log1p(onset / np.maximum(mean, 1e-9)).sum(axis=1, dtype=np.float64)
    probability = np.zeros(len(total))
    spread = float(total.std()) if len(total) else 0.0
    if spread > 1e-6:
        local = uniform_filter1d(total, max(1, round(LOCAL_MEAN_S * frame_rate)), mode="nearest")
        excess: FloatArray = (total - local) / spread
        probability = 1 / (1 + np.exp(-STEEPNESS * (excess - THRESHOLD)))
    return Activation(
        probability,
        frame_rate,
        float("nan") if duration_s is None else duration_s,
        onset=onset,
    )
