"""Audio files as mono float32 samples, streamed in blocks or loaded whole.

Decoders: libsndfile (soundfile) first, FFmpeg (PyAV's own copy) for what it cannot read and for
MP3s whose length it would guess (``Mp3Tag.is_consistent``). Neither needs a system ffmpeg.

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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from beatgrid.audio_headers import missing_ogg_bytes, present_share, read_mp3_tag
from beatgrid.errors import AudioError

FloatArray = NDArray[np.float32]

MIN_DURATION_S = 0.5
SILENCE_DBFS = -80.0

# Samples per block at the source's rate: 1.5 s at 44.1 kHz, 512 kB per channel.
_BLOCK_SAMPLES = 65536

# Header and decoded length differ by less than this in sound files (padding, rounded durations).
_LENGTH_TOLERANCE_S = 0.25

# Full scale is 1. Float files may exceed it, but beyond this they hold garbage, whose power
# spectrum would overflow.
_MAX_PEAK = 1e6

_SAMPLE_RATES_HZ = (1000, 1_000_000)

# Containers whose header states the length; for others FFmpeg estimates it from the bit rate.
_LENGTH_STATED = ("mov", "matroska")

# FFmpeg's complaints would reach the user's terminal beside our own messages.
av.logging.set_level(av.logging.PANIC)


@dataclass(frozen=True)
class AudioInfo:
    """What decoding a file told about it.

    Attributes:
        path: The file.
        duration_s: Decoded length in seconds.
        source_sample_rate: Samples per second in the file.
        channels: Channels in the file.
        decoder: "soundfile" or "pyav".
        container: Decoder's name of the container, such as "WAV" or "mov,mp4,m4a,...".
        codec: Decoder's name of the coding, such as "PCM_16" or "aac".
        mp3_tag: "lame", "xing", "vbri" or "none" for an MP3 (``Mp3Tag.kind``), otherwise None.
        peak: Largest absolute sample of the mono mix; full scale is 1.
    """

    path: Path
    duration_s: float
    source_sample_rate: int
    channels: int
    decoder: str
    container: str
    codec: str
    mp3_tag: str | None
    peak: float

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
        return "raw aac: encoder delay kept" if self.container == "aac" else None


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
    """Decodes a whole file to mono.

    Args:
        path: Any file that libsndfile or FFmpeg reads.
        sample_rate: Wanted samples per second.

    Raises:
        AudioError: as ``AudioReader``.
    """
    reader = AudioReader(path, sample_rate)
    samples = np.concatenate(list(reader))
    return Audio(samples, sample_rate, reader.info)


def check_has_signal(info: AudioInfo) -> None:
    """Refuses a digitally silent track.

    Raises:
        AudioError: the mono mix never exceeds ``SILENCE_DBFS``.
    """
    if info.peak < 10 ** (SILENCE_DBFS / 20):
        level = f"{20 * math.log10(info.peak):.0f} dBFS" if info.peak else "all samples are 0"
        raise AudioError(
            f"{info.path}: silent (peak of the mono mix: {level}); there is no beat to find"
        )


class AudioReader:
    """Streams a file as mono float32 blocks (samples,) at the wanted rate, in bounded memory.

    Iterate once or repeatedly; every iteration decodes from the start. ``info`` is complete once
    an iteration has reached the end.
    """

    def __init__(self, path: str | os.PathLike[str], sample_rate: int = 44100) -> None:
        """Checks that there is a file; it is opened by iterating.

        Args:
            path: Any file that libsndfile or FFmpeg reads.
            sample_rate: Wanted samples per second.

        Raises:
            AudioError: no such file, a folder, or empty.
        """
        self.path = Path(path)
        self.sample_rate = sample_rate
        self._info: AudioInfo | None = None
        _check_is_file(self.path)

    @property
    def info(self) -> AudioInfo:
        """About the file; known after an iteration has reached the end."""
        if self._info is None:
            raise RuntimeError(f"{self.path}: read all blocks before asking for info")
        return self._info

    def __iter__(self) -> Iterator[FloatArray]:
        """Decodes from the start.

        Yields:
            float32 (samples,), at least one sample each.

        Raises:
            AudioError: not decodable, cut short, shorter than ``MIN_DURATION_S``, or samples
                that are no finite numbers; one line with the file, the value and the remedy.
        """
        with contextlib.ExitStack() as stack:
            source = _open(self.path, stack)
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
            for block in source.blocks:
                block_peak = float(np.abs(block).max())
                if not block_peak <= _MAX_PEAK:  # true of NaN too
                    raise AudioError(
                        f"{self.path}: holds samples that are no sound ({block_peak:g} near "
                        f"{n_samples / rate:.1f} s, full scale is 1); export it again"
                    )
                n_samples += len(block)
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
        )


def open_audio(path: str | os.PathLike[str], sample_rate: int = 44100) -> AudioReader:
    """A stream of the file's mono blocks; see ``AudioReader``."""
    return AudioReader(path, sample_rate)


@dataclass(frozen=True)
class _Source:
    """An open file: facts from its header, and its mono blocks at its own rate.

    ``stated_s`` is the length that the header states, ``present_share`` the share of its audio
    bytes that the file holds; a decoder may be silent about either.
    """

    decoder: str
    container: str
    codec: str
    mp3_tag: str | None
    sample_rate: int
    channels: int
    blocks: Iterator[FloatArray]
    stated_s: float | None = None
    present_share: float = 1.0

    def declared_s(self, decoded_s: float) -> float:
        """Length in seconds that the file should have."""
        return max(self.stated_s or 0.0, decoded_s / max(self.present_share, 1e-9))


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise AudioError(f"{path}: a folder, not an audio file; name a file in it")
    if not path.exists():
        raise AudioError(f"{path}: no such file; check the path")
    if not path.is_file():
        raise AudioError(f"{path}: not a regular file; name an audio file")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: empty (0 bytes); copy it again from its source")


def _check_length(path: Path, decoded_s: float, declared_s: float) -> None:
    if declared_s - decoded_s > _LENGTH_TOLERANCE_S:
        raise AudioError(
            f"{path}: cut short or damaged, {decoded_s:.2f} s of {declared_s:.2f} s can be "
            "decoded; copy it again from its source"
        )
    if decoded_s < MIN_DURATION_S:
        raise AudioError(
            f"{path}: lasts {decoded_s:.3f} s; at least {MIN_DURATION_S} s are needed for a beat"
        )


def _open(path: Path, stack: contextlib.ExitStack) -> _Source:
    """Opens the file with the first decoder that suits it; ``stack`` closes it."""
    try:
        tag = read_mp3_tag(path)
        share = present_share(path)
        missing_bytes = missing_ogg_bytes(path)
    except OSError as error:
        raise AudioError(f"{path}: cannot be read ({error.strerror}); check its rights") from error
    if missing_bytes:
        raise AudioError(
            f"{path}: cut short, {missing_bytes} bytes of its last Ogg page are missing; "
            "copy it again from its source"
        )
    refusal = "not tried"
    # By the name alone libsndfile takes anything for an MP3, and mpg123 complains on stderr.
    if tag.is_consistent if tag else path.suffix.lower() != ".mp3":
        try:
            # As bytes: soundfile cannot encode names that are not valid UTF-8.
            name = os.fsencode(path) if os.name == "posix" else str(path)
            file = stack.enter_context(soundfile.SoundFile(name))
        except soundfile.LibsndfileError as error:
            refusal = error.error_string
        else:
            if tag is not None or file.format != "MP3":
                return _Source(
                    decoder="soundfile",
                    container=file.format,
                    codec=file.subtype,
                    mp3_tag=tag.kind if tag else None,
                    sample_rate=file.samplerate,
                    channels=file.channels,
                    blocks=_soundfile_blocks(path, file),
                    stated_s=file.frames / file.samplerate,
                    present_share=share,
                )
    try:
        # An absolute path cannot be taken for a URL ("http:..."), nor can a playlist in disguise
        # open one.
        container = stack.enter_context(
            av.open(str(path.absolute()), options={"protocol_whitelist": "file"})
        )
        return _open_pyav(
            path, container, tag.kind if tag else None, tag.duration_s if tag else None
        )
    except av.FFmpegError as error:
        raise AudioError(
            f"{path}: no audio that can be decoded (libsndfile: {_one_line(refusal)}; "
            f"FFmpeg: {_one_line(error.strerror)}); it is damaged, cut short or not audio"
        ) from error


def _soundfile_blocks(path: Path, file: soundfile.SoundFile) -> Iterator[FloatArray]:
    n_samples = 0
    while True:
        try:
            block = file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(
                f"{path}: decoding fails after {n_samples / file.samplerate:.2f} s of "
                f"{file.frames / file.samplerate:.2f} s; it is cut short or damaged, "
                "copy it again from its source"
            ) from error
        if len(block) == 0:
            return
        n_samples += len(block)
        yield block.mean(axis=1)


def _open_pyav(
    path: Path, container: av.container.InputContainer, mp3_tag: str | None, stated_s: float | None
) -> _Source:
    if not container.streams.audio:
        raise AudioError(
            f"{path}: holds no audio stream (FFmpeg takes it for {container.format.name}); "
            "it is damaged or not audio"
        )
    stream = container.streams.audio[0]
    stream.codec_context.thread_count = 1  # workers and their decoders' threads would compete
    if container.format.name.startswith(_LENGTH_STATED):
        if stream.duration is not None and stream.time_base is not None:
            stated_s = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            stated_s = container.duration / av.time_base
    blocks = _pyav_blocks(path, container, stream)
    # HE-AAC doubles the header's sample rate: only a decoded frame tells.
    first, sample_rate, channels = next(blocks, (None, 0, 0))
    if first is None:
        raise AudioError(f"{path}: not one frame of its audio can be decoded; it is damaged")

    def mono_blocks() -> Iterator[FloatArray]:
        yield first
        for block, block_rate, _ in blocks:
            if block_rate != sample_rate:
                raise AudioError(
                    f"{path}: changes from {sample_rate} to {block_rate} Hz midway; convert it"
                )
            yield block

    return _Source(
        decoder="pyav",
        container=container.format.name,
        codec=stream.codec_context.name,
        mp3_tag=mp3_tag,
        sample_rate=sample_rate,
        channels=channels,
        blocks=mono_blocks(),
        stated_s=stated_s,
    )


def _pyav_blocks(
    path: Path, container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> Iterator[tuple[FloatArray, int, int]]:
    """Mono blocks with their sample rate and number of channels.

    A packet that cannot be decoded becomes silence of its length, so that what follows keeps its
    time; a file that loses more than a tolerable length of them is refused.
    """
    to_float = av.AudioResampler(format="fltp")
    decoded_s = lost_s = gap_s = 0.0
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                if packet.duration:
                    gap_s += float(packet.duration * packet.time_base)
                continue
            for frame in frames:
                rate, channels = frame.sample_rate, len(frame.layout.channels)
                if gap_s:
                    yield np.zeros(round(gap_s * rate), dtype=np.float32), rate, channels
                    lost_s, gap_s = lost_s + gap_s, 0.0
                start_s = frame.time or 0.0
                for piece in to_float.resample(frame):
                    block = piece.to_ndarray().mean(axis=0, dtype=np.float32)
                    if start_s < 0:  # encoder delay that this FFmpeg left in
                        block = block[round(-start_s * rate) :]
                    if len(block):
                        decoded_s += len(block) / rate
                        yield block, rate, channels
    except av.FFmpegError as error:
        raise AudioError(
            f"{path}: reading fails after {decoded_s:.2f} s ({_one_line(error.strerror)}); "
            "it is cut short or damaged, copy it again from its source"
        ) from error
    lost_s += gap_s
    if lost_s > _LENGTH_TOLERANCE_S:
        raise AudioError(
            f"{path}: damaged, {lost_s:.2f} s of {decoded_s + lost_s:.2f} s cannot be decoded; "
            "copy it again from its source"
        )


def _one_line(text: str | None) -> str:
    return " ".join((text or "unknown error").split()).rstrip(".")
