"""When sounds begin out of near-silence, exact to about a millisecond.

In decibels, a frame rises out of silence as soon as its window touches a sound, up to half a window
before it begins: onset strength and networks mark a bare click or hi-hat some milliseconds early.
The energies of the frames around hold the exact time, since nothing else sounds in them. Summed
over all frequencies, the energy of a frame is that of the squared samples under the squared window
(Parseval), so a sound that begins at once and decays exponentially leaves a known course of
energies. The courses of all times and decays are compared with the one found.

A sound that swells fits a course that begins at once nearly as well, only later: for a linear
attack of 5 ms 3 ms after its first sample, of 10 ms 5 ms. Courses that swell are taken only where
they fit much better, which those of 10 ms and more often do.
"""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
from numpy.typing import NDArray

from beatgrid.audio.features import FeatureSpec, mel_bandwidths
from beatgrid.grid import FloatArray
from beatgrid.peaks import parabolic_peak

# Over the length of a window the loudest mel band rises by at least this much: far more than in
# music whose notes overlap, so that what sounded before does not matter.
MIN_RISE_DB = 25.0
# Times in which the power falls to 1/e: impulses, clicks and hi-hats, drums, what lasts.
DECAYS_S = (1e-6, 0.001, 0.002, 0.003, 0.0045, 0.0065, 0.009, 0.013, 0.02, 0.03, 0.05, 0.1, 0.3)
# Linear attacks; what takes time to begin takes no less to decay. Such a course must leave less
# than this share of the squared error of those that begin at once.
ATTACKS_S = (0.0, 0.01, 0.02)
MAX_ERROR_SHARE = 0.4
# Energies this far below the loudest frame's no longer count, after that of the silent frame.
FLOOR_DB = -30.0
# Times that are compared, per frame; parabolas tell what lies between.
STEPS_PER_FRAME = 16
# Frames and attacks computed at a time: memory does not grow with the track.
CHUNK_FRAMES = 16384
CHUNK_ATTACKS = 512


def attack_times_s(log_mel: NDArray[np.floating], spec: FeatureSpec) -> FloatArray:
    """Find the sounds that begin out of near-silence.

    Args:
        log_mel: Levels in dB relative to the track's maximum, (frames, mels).
        spec: Of these features.

    Returns:
        Times in seconds, ascending, float64 (attacks,); few or none in mixed music.
    """
    templates = _templates(spec.n_fft, spec.hop_length, spec.sample_rate)
    silent = _last_silent_frames(log_mel, math.ceil(spec.n_fft / spec.hop_length))
    silent = silent[silent + templates.n_frames <= len(log_mel)]
    weights = mel_bandwidths(spec)
    times_s = [
        _times_s(log_mel, silent[start : start + CHUNK_ATTACKS], weights, templates)
        for start in range(0, len(silent), CHUNK_ATTACKS)
    ]
    return np.sort(np.concatenate([np.zeros(0), *times_s]))


def _last_silent_frames(log_mel: NDArray[np.floating], window_frames: int) -> NDArray[np.int64]:
    """Return the frames before the steepest rises of the loudest band, one for each sound."""
    if len(log_mel) <= window_frames:
        return np.zeros(0, dtype=np.int64)
    loudest_db = np.concatenate(
        [
            log_mel[start : start + CHUNK_FRAMES].max(axis=1)
            for start in range(0, len(log_mel), CHUNK_FRAMES)
        ]
    ).astype(np.float32)
    rise_db = loudest_db[window_frames:] - loudest_db[:-window_frames]
    frames = np.flatnonzero(rise_db >= MIN_RISE_DB)
    # Of rises within two windows the steepest counts, of equal ones in a row the last.
    padded = np.pad(rise_db, 2 * window_frames, constant_values=-np.inf)
    around = padded[frames[:, None] + np.arange(4 * window_frames + 1)]
    frames = frames[rise_db[frames] == np.max(around, axis=1, initial=-np.inf)]
    return frames[np.diff(frames, append=len(log_mel)) > 1]


class _Templates:
    """Courses of energy of sounds, as logarithms.

    Attributes:
        n_frames: Frames of a course; the first is the one before the rise.
        course: Logarithms of energy, float32 (courses, times, frames).
        penalty: Factor of the squared error, (courses,).
        time_s: Beginning of the sound after the middle of the first frame, (times,).
        frame_s: From one frame to the next.
    """

    def __init__(self, n_fft: int, hop_length: int, sample_rate: int) -> None:
        self.n_frames = math.ceil(n_fft / hop_length) + 3
        n_samples = n_fft + self.n_frames * hop_length
        # Relative to the end of the first frame's window, in samples. The rise is steepest up to
        # two and a half frames before the sound of an impulse; a faint edge may be in already.
        steps = np.arange(-STEPS_PER_FRAME // 2, 3 * STEPS_PER_FRAME + 1)
        begin = np.round(steps / STEPS_PER_FRAME * hop_length).astype(np.int64)
        inside = np.arange(self.n_frames) * hop_length - begin[:, None]  # of the sound, in samples
        n_padded = n_samples + n_fft
        window = np.fft.rfft(np.sin(np.pi * np.arange(n_fft) / n_fft) ** 4, n_padded)
        t_s = np.arange(n_samples) / sample_rate
        course, penalty = [], []
        for attack_s, decay_s in itertools.product(ATTACKS_S, DECAYS_S):
            if decay_s < attack_s:
                continue
            swell = np.minimum(t_s / attack_s, 1) ** 2 if attack_s else 1.0
            power = swell * np.exp(-np.maximum(t_s - attack_s, 0) / decay_s)
            energy = np.fft.irfft(np.fft.rfft(power, n_padded) * window, n_padded)
            seen = np.where(inside > 0, np.maximum(energy[np.maximum(inside, 0)], 0.0), 0.0)
            course.append(_log_energy(seen))
            penalty.append(1 / MAX_ERROR_SHARE if attack_s else 1.0)
        self.course = np.stack(course)
        self.penalty = np.array(penalty, dtype=np.float32)
        self.time_s = (n_fft / 2 + begin) / sample_rate
        self.frame_s = hop_length / sample_rate


@functools.lru_cache(maxsize=4)
def _templates(n_fft: int, hop_length: int, sample_rate: int) -> _Templates:
    return _Templates(n_fft, hop_length, sample_rate)


def _log_energy(energy: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the logarithm relative to the loudest frame, (..., frames)."""
    relative = energy / energy.max(axis=-1, keepdims=True)
    return np.log(relative + 10 ** (FLOOR_DB / 10)).astype(np.float32)


def _times_s(
    log_mel: NDArray[np.floating],
    silent: NDArray[np.int64],
    weights: FloatArray,
    templates: _Templates,
) -> FloatArray:
    """Return the time of the sound behind each of some silent frames, (attacks,)."""
    levels_db = log_mel[silent[:, None] + np.arange(templates.n_frames)].astype(np.float32)
    energy = np.exp(levels_db * np.float32(np.log(10) / 10)) @ weights.astype(np.float32)
    found = _log_energy(np.maximum(energy - energy[:, :1], 0))
    _, n_times, n_frames = templates.course.shape
    course = templates.course.reshape(-1, n_frames)
    error = (found**2).sum(axis=1)[:, None] + (course**2).sum(axis=1) - 2 * found @ course.T
    error *= np.repeat(templates.penalty, n_times)
    kind, time = np.divmod(error.argmin(axis=1), n_times)
    row, time = np.arange(len(found)), np.clip(time, 1, n_times - 2)
    before, at, after = (-error[row, kind * n_times + time + step] for step in (-1, 0, 1))
    shift, _ = parabolic_peak(before, at, after)
    after_s = np.interp(time + shift, np.arange(n_times), templates.time_s)
    return np.asarray(silent * templates.frame_s + after_s, dtype=np.float64)
