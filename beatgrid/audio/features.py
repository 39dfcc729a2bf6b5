"""Log-mel features of a whole track, from an array or from a stream of blocks.

Equal to ``power_to_db(melspectrogram(...), ref=np.max).T`` of librosa within 1e-3 dB. librosa
itself is not imported: numba and scipy.signal behind its filterbank take 1.3 s to load, most of
what predicting one track may cost. Training and prediction share this one implementation, by numpy
and scipy on one thread.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import csr_array

from beatgrid.checks import Count, Interval, NotNegative, Positive, check_fields

FloatArray = NDArray[np.float32]

# Frames transformed at once: the spectra of 32 windows of 2048 samples take 0.5 MB in double
# precision and stay in the cache; 128 take 1.4 times as long.
_CHUNK_FRAMES = 32

# Frames collected in one array, a multiple of the chunk: 32 MB at 128 mels (of which a shorter
# track touches no more than it fills), which the C library takes from and returns to the system.
_SLAB_FRAMES = 65536

# A track of more than an hour is kept in half precision, (frames, mels) float16 at 80 MB an hour:
# rounding costs at most 0.06 dB, and no song is that long.
_LONG_S = 3600.0

# Power below which there is nothing to tell from silence; librosa's default.
_MIN_POWER = 1e-10


@dataclass(frozen=True)
class FeatureSpec:
    """Everything that decides the features' values, kept in checkpoints and cache keys.

    Frame ``i`` is centred at ``i / frame_rate`` seconds: the signal is padded with
    ``n_fft / 2`` zeros at both ends.

    Attributes:
        sample_rate: Hz that audio is resampled to.
        n_fft: Samples per window (Hann), even.
        hop_length: Samples from one frame to the next.
        n_mels: Number of mel bands (Slaney's scale, area-normalised triangles).
        f_min: Lower edge of the lowest band in Hz.
        f_max: Upper edge of the highest band in Hz; None for half the sample rate.
        top_db: Values more than this below the track's maximum are raised to it.
    """

    sample_rate: Count = 44100
    n_fft: Count = 2048
    hop_length: Count = 512
    n_mels: Annotated[int, Interval(1, 4096)] = 128
    f_min: NotNegative = 0.0
    f_max: Positive | None = None
    top_db: Positive = 80.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.n_fft % 2:
            raise ValueError(f"n_fft must be even, not {self.n_fft}")
        if self.hop_length > self.n_fft:
            raise ValueError(
                f"hop_length {self.hop_length} exceeds n_fft {self.n_fft}: "
                "audio between the windows would be lost"
            )
        # One spelling of a value (YAML gives 0 or 0.0), for equality and cache keys.
        for name in ("f_min", "f_max", "top_db"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, float(getattr(self, name)))
        nyquist = self.sample_rate / 2
        if not 0 <= self.f_min < self.highest_hz <= nyquist:
            raise ValueError(
                f"need 0 <= f_min < f_max <= {nyquist:g} Hz (half of sample_rate), "
                f"not f_min {self.f_min!r} and f_max {self.f_max!r}"
            )

    @property
    def highest_hz(self) -> float:
        """``f_max``, or half the sample rate where it is None."""
        return self.sample_rate / 2 if self.f_max is None else self.f_max

    @property
    def frame_rate(self) -> float:
        """Frames per second, not rounded: 86.1328125 by default."""
        return self.sample_rate / self.hop_length

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of a signal of ``n_samples`` samples."""
        return 1 + n_samples // self.hop_length

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for checkpoints and JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FeatureSpec:
        """Return the spec of plain values (see ``to_dict``); missing keys take their defaults.

        Raises:
            ValueError: an unknown key, or a value outside its domain.
        """
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise ValueError(
                f"unknown feature setting {', '.join(unknown)}; known are {', '.join(known)}"
            )
        return cls(**values)


def log_mel(samples: FloatArray, spec: FeatureSpec) -> FloatArray:
    """Return the log-mel spectrogram of a whole track, in dB relative to its maximum.

    Args:
        samples: Mono audio at ``spec.sample_rate``, float (samples,), at least one sample.
        spec: Resolution.

    Returns:
        float32 (frames, mels), C-contiguous, frames = 1 + samples // hop_length; from
        ``-top_db`` to 0. Silence is all 0, as in librosa.

    Raises:
        ValueError: no samples, or not (samples,).
    """
    return log_mel_blocks([samples], spec)


def log_mel_blocks(
    blocks: Iterable[NDArray[np.floating]], spec: FeatureSpec
) -> NDArray[np.floating]:
    """Return ``log_mel`` of a stream of blocks: the same to the last bit, however it is cut.

    Memory stays at the result plus a few chunks and one block.

    Args:
        blocks: Successive pieces of mono audio at ``spec.sample_rate``, each float (samples,).
        spec: Resolution.

    Returns:
        (frames, mels), as ``log_mel``: float32, float16 for more than an hour.

    Raises:
        ValueError: no samples at all, or a block that is not (samples,).
    """
    # Chunks are copied into slabs at once: thousands of small results kept among the temporaries
    # fragment the heap.
    slabs: deque[NDArray[np.floating]] = deque()
    n_frames = 0
    n_long = _LONG_S * spec.frame_rate
    loudest_db = -math.inf
    near_db = 0.0  # what the levels of half-precision slabs are relative to, to be rounded little
    for chunk in _log_power_chunks(blocks, spec):
        loudest_db = max(loudest_db, float(chunk.max()))
        at = n_frames % _SLAB_FRAMES
        if at == 0:
            dtype = np.float32 if n_frames < n_long else np.float16
            if n_frames >= n_long and slabs[-1].dtype == np.float32:
                near_db = loudest_db
                slabs = deque((slab - np.float32(near_db)).astype(np.float16) for slab in slabs)
            slabs.append(np.empty((_SLAB_FRAMES, spec.n_mels), dtype=dtype))
        slabs[-1][at : at + len(chunk)] = chunk - np.float32(near_db) if near_db else chunk
        n_frames += len(chunk)
    top_db = np.float32(loudest_db - near_db)
    result = np.empty((n_frames, spec.n_mels), dtype=slabs[0].dtype)
    for start in range(0, n_frames, _SLAB_FRAMES):
        # Popped, so that the track is never held twice.
        slab = slabs.popleft()[: n_frames - start].astype(np.float32, copy=False)
        slab -= top_db
        np.maximum(slab, np.float32(-spec.top_db), out=slab)
        result[start : start + len(slab)] = slab
    return result


@functools.lru_cache(maxsize=8)
def mel_filterbank(spec: FeatureSpec) -> FloatArray:
    """Return triangular mel filters, area-normalised; read-only float32 (mels, n_fft / 2 + 1).

    The scale is the one of Slaney's Auditory Toolbox: 200 / 3 Hz per mel up to 1 kHz, then 27
    mel per factor of 6.4. Equal to ``librosa.filters.mel`` (tested).
    """
    bins_hz = np.linspace(0, spec.sample_rate / 2, spec.n_fft // 2 + 1)
    edges_hz = _mel_edges_hz(spec)
    lower_hz, centre_hz, upper_hz = (edges_hz[i : i + spec.n_mels, np.newaxis] for i in range(3))
    rising = (bins_hz - lower_hz) / (centre_hz - lower_hz)
    falling = (upper_hz - bins_hz) / (upper_hz - centre_hz)
    triangles = np.maximum(0, np.minimum(rising, falling))
    weights = (triangles * 2 / (upper_hz - lower_hz)).astype(np.float32)
    weights.flags.writeable = False
    return weights


def mel_bandwidths(spec: FeatureSpec) -> NDArray[np.float64]:
    """Return half the width in Hz of each mel filter, float64 (mels,).

    Mel powers weighted by it sum to the power of all frequencies between the middles of the first
    and the last filter, each counted alike.
    """
    edges_hz = _mel_edges_hz(spec)
    return (edges_hz[2:] - edges_hz[:-2]) / 2


def _mel_edges_hz(spec: FeatureSpec) -> NDArray[np.float64]:
    """Return the corners of the triangular filters, (mels + 2,): filter i has i, i + 1, i + 2."""
    lowest_mel, highest_mel = _hz_to_mel(np.array([spec.f_min, spec.highest_hz]))
    return _mel_to_hz(np.linspace(lowest_mel, highest_mel, spec.n_mels + 2))


_MEL_PER_HZ = 3 / 200
_KNEE_HZ = 1000.0
_KNEE_MEL = _KNEE_HZ * _MEL_PER_HZ
_MEL_PER_LOG_HZ = 27 / math.log(6.4)


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _KNEE_MEL + _MEL_PER_LOG_HZ * np.log(np.maximum(hz, _KNEE_HZ) / _KNEE_HZ)
    return np.where(hz < _KNEE_HZ, hz * _MEL_PER_HZ, above)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _KNEE_HZ * np.exp((np.maximum(mel, _KNEE_MEL) - _KNEE_MEL) / _MEL_PER_LOG_HZ)
    return np.where(mel < _KNEE_MEL, mel / _MEL_PER_HZ, above)


def _log_power_chunks(
    blocks: Iterable[NDArray[np.floating]], spec: FeatureSpec
) -> Iterator[FloatArray]:
    """Yield absolute log-mel power in dB by ``_CHUNK_FRAMES`` frames, the last time fewer."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(spec.n_fft) / spec.n_fft)
    # Of 1025 bins a band of the default spec has 2 to 63. Products of dense matrices would take
    # three times as long, and as many threads as there are cores.
    filters = csr_array(mel_filterbank(spec))
    n_samples = 0
    pending = deque([np.zeros(spec.n_fft // 2, dtype=np.float32)])
    n_pending = spec.n_fft // 2
    span = (_CHUNK_FRAMES - 1) * spec.hop_length + spec.n_fft
    step = _CHUNK_FRAMES * spec.hop_length

    for block in blocks:
        if np.ndim(block) != 1:
            raise ValueError(f"audio must be mono, (samples,), not of shape {np.shape(block)}")
        n_samples += len(block)
        n_pending += len(block)
        pending.append(np.asarray(block, dtype=np.float32))
        if n_pending < span:
            continue
        signal = np.concatenate(pending)
        start = 0
        for start in range(0, n_pending - span + 1, step):
            yield _log_power(signal[start : start + span], window, filters, spec)
        pending = deque([signal[start + step :].copy()])
        n_pending = len(pending[0])

    if n_samples == 0:
        raise ValueError("no audio samples to compute features of")
    signal = np.concatenate([*pending, np.zeros(spec.n_fft // 2, dtype=np.float32)])
    while len(signal) >= spec.n_fft:
        yield _log_power(signal[:span], window, filters, spec)
        signal = signal[step:]


def _log_power(
    signal: FloatArray, window: NDArray[np.float64], filters: csr_array, spec: FeatureSpec
) -> FloatArray:
    """Return the mel power in dB of every full window of ``signal``, (frames, mels)."""
    # In double precision: a single-precision FFT leaves 1e-7 of a tone's peak in all other bins,
    # which at the -80 dB floor is an error of 1e-3 dB.
    frames = sliding_window_view(signal, spec.n_fft)[:: spec.hop_length]
    parts = np.fft.rfft(frames * window).view(np.float64)  # real and imaginary in turn
    parts *= parts
    power = np.add(parts[:, 0::2], parts[:, 1::2], dtype=np.float64).astype(np.float32)
    level_db = np.log10(np.maximum(filters @ power.T, np.float32(_MIN_POWER)))
    level_db *= 10
    return level_db.T
