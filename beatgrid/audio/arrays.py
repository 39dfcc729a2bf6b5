"""Samples that are already in memory, brought to the form in which files are read."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from beatgrid.audio.mixdown import Mixdown
from beatgrid.audio.reader import MIN_DURATION_S, Audio, AudioInfo
from beatgrid.errors import AudioError

# Nobody's file has more; an array with more is most likely (channels, samples).
_MAX_CHANNELS = 64


def audio_from_array(
    samples: NDArray[np.floating] | NDArray[np.signedinteger],
    source_sample_rate: int,
    sample_rate: int = 44100,
) -> Audio:
    """Mix to mono and resample, as for a file of the same samples.

    Args:
        samples: (samples,) or (samples, channels); floats of full scale 1, or signed integers,
            whose full scale is that of their type.
        source_sample_rate: Samples per second of ``samples``.
        sample_rate: Wanted samples per second.

    Raises:
        AudioError: Another shape or type, values that are not finite, a sample rate that is no
            positive number, or less than half a second.
    """
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2):
        raise AudioError(
            f"samples of shape {samples.shape}: give (samples,) or (samples, channels)"
        )
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    if not 1 <= channels <= _MAX_CHANNELS:
        raise AudioError(
            f"samples of shape {samples.shape}: {channels} channels; give (samples, channels), "
            "perhaps by samples.T"
        )
    if not source_sample_rate > 0:
        raise AudioError(f"sample_rate={source_sample_rate!r}: give samples per second, > 0")
    duration_s = len(samples) / source_sample_rate
    if duration_s < MIN_DURATION_S:
        raise AudioError(
            f"samples last {duration_s:.3f} s; at least {MIN_DURATION_S} s are needed for a beat"
        )
    mixdown = Mixdown()
    levels = _levels(samples.reshape(len(samples), channels))
    mono, mix = mixdown(levels), "mean"
    if (signs := mixdown.opposed()) is not None:
        mono, mix = Mixdown(signs)(levels), "opposed"
    if not np.isfinite(mono).all():
        raise AudioError("samples hold values that are not finite; replace them first")
    peak = float(np.abs(mono).max())
    if source_sample_rate != sample_rate:
        mono = soxr.resample(mono, source_sample_rate, sample_rate, quality="HQ")
    info = AudioInfo(
        path=None,
        duration_s=duration_s,
        source_sample_rate=source_sample_rate,
        channels=channels,
        decoder="array",
        container="array",
        codec=samples.dtype.name,
        mp3_tag=None,
        peak=peak,
        mix=mix,
    )
    return Audio(mono, sample_rate, info)


def _levels(samples: NDArray) -> NDArray[np.float32]:
    """Return float samples of full scale 1, of the same shape."""
    if np.issubdtype(samples.dtype, np.signedinteger):
        return (samples / (np.iinfo(samples.dtype).max + 1)).astype(np.float32)
    if np.issubdtype(samples.dtype, np.floating):
        return samples.astype(np.float32)
    raise AudioError(f"samples of type {samples.dtype}: give floats or signed integers")
