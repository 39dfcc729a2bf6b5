"""Opening an audio file with the decoder that suits it.

libsndfile (soundfile) first, FFmpeg (PyAV's own copy) for what it cannot read and for MP3s whose
length it would guess (``Mp3Tag.is_consistent``). Neither needs a system ffmpeg.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from beatgrid.audio.headers import missing_ogg_bytes, present_share, read_mp3_tag
from beatgrid.errors import AudioError

FloatArray = NDArray[np.float32]

# Header and decoded length differ by less than this in sound files (padding, rounded durations).
LENGTH_TOLERANCE_S = 0.25

# Samples per block at the source's rate: 1.5 s at 44.1 kHz, 256 kB per channel.
_BLOCK_SAMPLES = 65536

# Containers whose header states the length; for others FFmpeg estimates it from the bit rate.
_LENGTH_STATED = ("mov", "matroska")

# FFmpeg's complaints would reach the user's terminal beside our own messages.
av.logging.set_level(av.logging.PANIC)


@dataclass(frozen=True)
class Source:
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


def open_source(path: Path, stack: contextlib.ExitStack) -> Source:
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
            # A FLAC that states no length (a stream) has 2^63 - 1 frames for libsndfile, and
            # reading it ends with an error.
            if file.frames < 2**62 and (tag is not None or file.format != "MP3"):
                return Source(
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
) -> Source:
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

    return Source(
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
    to_float: av.AudioResampler | None = None
    kind: tuple[str, str, int] | None = None
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
                if to_float is None or kind != (frame.format.name, frame.layout.name, rate):
                    kind = (frame.format.name, frame.layout.name, rate)
                    to_float = av.AudioResampler(format="fltp")  # one refuses a second kind
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
    if lost_s > LENGTH_TOLERANCE_S:
        raise AudioError(
            f"{path}: damaged, {lost_s:.2f} s of {decoded_s + lost_s:.2f} s cannot be decoded; "
            "copy it again from its source"
        )


def _one_line(text: str | None) -> str:
    return " ".join((text or "unknown error").split()).rstrip(".")
