"""Audio files as mono float32 samples, streamed in blocks or loaded whole.

Time is what playback shows: encoder delay named by the file (MP4 edit list, LAME tag, Opus
pre-skip) is removed by the decoders, so that a click at 1.000 s of the original comes back at
1.000 s. Where the file names none, the decoder's time is kept: an MP3 without a LAME tag starts
1105 samples late (25.06 ms at 44.1 kHz), raw ADTS AAC and fragmented MP4 1024 (23.2 ms).
``AudioInfo`` tells which case a file is.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import soxr
from numpy.typing import NDArray

from beatgrid.audio.decoders import Source
from beatgrid.audio.ffmpeg import LENGTH_TOLERANCE_S
from beatgrid.audio.mixdown import Mixdown
from beatgrid.errors import AudioError

FloatArray = NDArray[np.float32]
T = TypeVar("T")

MIN_DURATION_S = 0.5
# A day, as for labels: a small file may claim, or unpack to, any length.
MAX_DURATION_S = 24 * 3600.0
SILENCE_DBFS = -80.0

# Full scale is 1. Float files may exceed it, but beyond this they hold garbage, whose power
# spectrum would overflow.
_MAX_PEAK = 1e6

_SAMPLE_RATES_HZ = (1000, 1_000_000)


@dataclass(frozen=True)
class AudioInfo:
    """What decoding a file told about it.

    Attributes:
        path: The file; None for samples that came as an array.
        duration_s: Decoded length in seconds.
        source_sample_rate: Samples per second in the file.
        channels: Channels in the file.
        decoder: "soundfile", "pyav", or "array" for samples that needed none.
        container: Decoder's name of the container, such as "WAV" or "mov,mp4,m4a,...".
        codec: Decoder's name of the coding, such as "PCM_16" or "aac".
        mp3_tag: "lame", "xing", "vbri" or "none" for an MP3 (``Mp3Tag.kind``), otherwise None.
        peak: Largest absolute sample of the mono mix; full scale is 1.
        mix: How the channels became mono: "mean", or "opposed" where the mean would cancel the
            music (right = -left): then each channel's sign is such that they add up.
    """

    path: Path | None
    duration_s: float
    source_sample_rate: int
    channels: int
    decoder: str
    container: str
    codec: str
    mp3_tag: str | None
    peak: float
    mix: str = "mean"

    @property
    def timebase(self) -> str | None:
        """What is known of the encoder delay; None for formats where the file settles it.

        Where the delay stays in, other programs may place the same grid 25 ms or so elsewhere.
        """
        if self.mp3_tag is not None:
            return {
                "lame": "mp3 with LAME tag: encoder delay removed",
                "xing": "mp3 with Xing tag without delay: encoder delay kept",
                "vbri": "mp3 with VBRI tag: encoder delay kept",
                "none": "mp3 without tag: encoder delay kept",
            }[self.mp3_tag]
        if self.codec == "aac" and not self.container.startswith(("mov", "matroska")):
            return "raw aac: encoder delay kept"
        return None


@dataclass(frozen=True, eq=False)
class Audio:
    """A decoded track.

    Attributes:
        samples: Mono, float32 (samples,), full scale [-1, 1].
        sample_rate: Samples per second of ``samples``.
        info: About the file.
    """

    samples: FloatArray
    sample_rate: int
    info: AudioInfo

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.info.duration_s


def load_audio(path: str | os.PathLike[str], sample_rate: int = 44100) -> Audio:
    """Decode a whole file to mono.

    Args:
        path: Any file that libsndfile or FFmpeg reads.
        sample_rate: Wanted samples per second.

    Raises:
        AudioError: as ``AudioReader``.
    """
    reader = AudioReader(path, sample_rate)
    samples = reader.consume(lambda blocks: np.concatenate(list(blocks)))
    return Audio(samples, sample_rate, reader.info)


def check_has_signal(info: AudioInfo) -> None:
    """Refuse a digitally silent track.

    Raises:
        AudioError: the mono mix never exceeds ``SILENCE_DBFS``.
    """
    if info.peak < 10 ** (SILENCE_DBFS / 20):
        level = f"{20 * math.log10(info.peak):.0f} dBFS" if info.peak else "all samples are 0"
        raise AudioError(
            f"{info.path or 'samples'}: silent (peak of the mono mix: {level}); "
            "there is no beat to find"
        )


class AudioReader:
    """Streams a file as mono float32 blocks (samples,) at the wanted rate, in bounded memory.

    Iterate once or repeatedly; every iteration decodes from the start. ``info`` is complete once
    an iteration has reached the end.
    """

    def __init__(self, path: str | os.PathLike[str], sample_rate: int = 44100) -> None:
        """Check that there is a file; it is opened by iterating.

        Args:
            path: Any file that libsndfile or FFmpeg reads.
            sample_rate: Wanted samples per second.

        Raises:
            AudioError: no such file, a folder, or empty.
        """
        self.path = Path(path)
        self.sample_rate = sample_rate
        self._info: AudioInfo | None = None
        self._signs: FloatArray | None = None
        self._opposed: FloatArray | None = None
        check_is_file(self.path)

    @property
    def info(self) -> AudioInfo:
        """About the file; known after an iteration has reached the end."""
        if self._info is None:
            raise RuntimeError(f"{self.path}: read all blocks before asking for info")
        return self._info

    def consume(self, function: Callable[[Iterable[FloatArray]], T]) -> T:
        """Return what a function makes of the blocks, mixed so that the music is kept.

        Where the mean of the channels turns out to cancel it, the file is decoded once more and
        the function called again.

        Args:
            function: Reads an iterable of blocks to its end.

        Raises:
            AudioError: As iterating.
        """
        result = function(self)
        if self._opposed is not None and self._signs is None:
            del result
            self._signs = self._opposed
            result = function(self)
        return result

    def __iter__(self) -> Iterator[FloatArray]:
        """Decode from the start.

        Yields:
            float32 (samples,), at least one sample each.

        Raises:
            AudioError: not decodable, cut short, shorter than ``MIN_DURATION_S``, or samples
                that are no finite numbers; one line with the file, the value and the remedy.
        """
        with contextlib.ExitStack() as stack:
            source = Source(self.path, stack)
            mixdown = Mixdown(self._signs)
            rate = source.sample_rate
            if not _SAMPLE_RATES_HZ[0] <= rate <= _SAMPLE_RATES_HZ[1]:
                raise AudioError(f"{self.path}: sample rate is {rate} Hz; convert it to 44100 Hz")
            resampler = None
            if rate != self.sample_rate:
                resampler = soxr.ResampleStream(
                    rate, self.sample_rate, 1, dtype="float32", quality="HQ"
                )
            n_samples = 0
            peak = 0.0
            for channels in source.blocks():
                block = mixdown(channels)
                block_peak = float(np.abs(block).max())
                if not block_peak <= _MAX_PEAK:  # true of NaN too
                    raise AudioError(
                        f"{self.path}: holds samples that are no sound ({block_peak:g} near "
                        f"{n_samples / rate:.1f} s, full scale is 1); export it again"
                    )
                n_samples += len(block)
                if n_samples > MAX_DURATION_S * rate:
                    raise AudioError(
                        f"{self.path}: longer than {MAX_DURATION_S / 3600:g} hours; cut it up"
                    )
                peak = max(peak, block_peak)
                if resampler is not None:
                    block = resampler.resample_chunk(block)
                if len(block):
                    yield block
            duration_s = n_samples / rate
            _check_length(self.path, duration_s, source.declared_s(duration_s))
            if resampler is not None:
                tail = resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
                if len(tail):
                    yield tail
        self._info = AudioInfo(
            path=self.path,
            duration_s=duration_s,
            source_sample_rate=rate,
            channels=source.channels,
            decoder=source.decoder,
            container=source.container,
            codec=source.codec,
            mp3_tag=source.mp3_tag,
            peak=peak,
            mix="mean" if self._signs is None else "opposed",
        )
        self._opposed = mixdown.opposed()


def open_audio(path: str | os.PathLike[str], sample_rate: int = 44100) -> AudioReader:
    """Return a stream of the file's mono blocks; see ``AudioReader``."""
    return AudioReader(path, sample_rate)


def check_is_file(path: Path) -> None:
    """Refuse what no decoder need try; a pipe would block it for ever.

    Raises:
        AudioError: no such file, not a regular file, or empty.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise AudioError(f"{path}: no such file; check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{path}: cannot be read ({reason}); check path and rights") from error
    if stat.S_ISDIR(status.st_mode):
        raise AudioError(f"{path}: a folder, not an audio file; name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise AudioError(f"{path}: not a regular file; name an audio file")
    if status.st_size == 0:
        raise AudioError(f"{path}: empty (0 bytes); copy it again from its source")


def _check_length(path: Path, decoded_s: float, declared_s: float) -> None:
    if declared_s - decoded_s > LENGTH_TOLERANCE_S:
        raise AudioError(
            f"{path}: cut short or damaged, {decoded_s:.2f} s of {declared_s:.2f} s can be "
            "decoded; copy it again from its source"
        )
    if decoded_s < MIN_DURATION_S:
        raise AudioError(
            f"{path}: lasts {decoded_s:.3f} s; at least {MIN_DURATION_S} s are needed for a beat"
        )
