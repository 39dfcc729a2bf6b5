"""Decoding with PyAV's own copy of FFmpeg: MP3, AAC, Opus, WMA, sound of films and all the rest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from beatgrid.audio.headers import Mp3Tag, present_share, read_mp3_tag
from beatgrid.errors import AudioError

FloatArray = NDArray[np.float32]

# Header and decoded length differ by less than this in sound files (padding, rounded durations).
LENGTH_TOLERANCE_S = 0.25

# Containers whose header states the length; for others FFmpeg estimates it from the bit rate, or
# takes it from the last page that is there.
_LENGTH_STATED = (
    *("mov", "matroska", "asf", "avi", "flac", "wav", "aiff", "caf", "w64", "au"),
    *("wv", "tta", "ape", "tak", "dsf"),
)

# A damaged stretch of MPEG audio costs the frame that is hit and the next, which draws on its bit
# reservoir; what else fails to decode there is no audio at all.
_LOST_MPEG_PACKETS = 2

# What opens further files, addresses or devices: playlists, manifests, numbered images. A file is
# asked about its own sound, whatever it names.
_OPENS_OTHERS = frozenset(
    ("concat", "dash", "hls", "image2", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "vobsub")
)
_READABLE = ",".join(sorted(av.formats_available - _OPENS_OTHERS))
_NOT_READABLE = "Format not on whitelist"

# PyAV 19 keeps the bytes of tags that are not UTF-8, as earlier ones do where they are asked to.
_KEEPS_BYTES: dict[str, Any] = (
    {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "surrogateescape"}
)

# FFmpeg's complaints would reach the user's terminal beside our own messages.
av.logging.set_level(av.logging.PANIC)


def open_container(path: Path) -> av.container.InputContainer:
    """Open a file, and no other that it names; the caller closes it.

    Raises:
        av.FFmpegError: It cannot be read.
    """
    return av.open(
        str(path.absolute()),  # an absolute path cannot be taken for a URL ("http:...")
        options={"protocol_whitelist": "file", "format_whitelist": _READABLE},
        **_KEEPS_BYTES,
    )


def read_tags(container: av.container.InputContainer) -> Iterator[tuple[str, str]]:
    """Read the tags of a file and of its audio streams.

    Yields:
        (key in small letters, value); U+FFFD stands for what is not UTF-8.
    """
    for tags in (container.metadata, *(stream.metadata for stream in container.streams.audio)):
        for key, value in tags.items():
            content = value.encode("utf-8", "surrogateescape")
            yield key.lower(), content.decode("utf-8", "replace")


class FFmpegSource:
    """An open file of FFmpeg.

    Attributes:
        container: FFmpeg's name of the container, such as "mov,mp4,m4a,3gp,3g2,mj2".
        codec: Its name of the coding, such as "aac".
        mp3_tag: ``Mp3Tag.kind`` of an MP3, otherwise None.
        sample_rate: Samples per second, as decoded: HE-AAC doubles the header's.
        channels: Number of channels, as first decoded.
        n_frames: Samples of each channel, where the tag of an MP3 states them; otherwise None.
        at_least_s: Length that is known otherwise, a lower bound of ``declared_s``.
    """

    decoder = "pyav"

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Open a file and decode its first frame; ``stack`` closes it.

        Raises:
            AudioError: No audio that FFmpeg can decode.
            OSError: The file cannot be read at all.
        """
        self._path = path
        self._tag: Mp3Tag | None = read_mp3_tag(path)
        self.mp3_tag = self._tag.kind if self._tag else None
        self.n_frames = self._tag.n_samples if self._tag and self._tag.is_whole else None
        self._present_share = present_share(path)
        self.at_least_s = 0.0  # what another decoder read in the header
        self._decoded_s = self._lost_s = 0.0
        self._reached_s = 0.0  # end of the last packet of any stream, in the container's time
        with self._one_line("cannot read it"):
            self._file = stack.enter_context(open_container(path))
            self.container = self._file.format.name
            if not self._file.streams.audio:
                raise AudioError(
                    f"{path}: holds no audio stream (FFmpeg takes it for {self.container}); "
                    "it is damaged or not audio"
                )
            self._stream = self._file.streams.audio[0]
            if self._stream.codec_context is None:
                raise AudioError(
                    f"{path}: its audio is coded in a way that FFmpeg does not know; convert it"
                )
            self._stream.codec_context.thread_count = 1  # workers' threads would compete
            self.codec = self._stream.codec_context.name
        self._frames = self._decode()
        self._first = next(self._frames, None)
        if self._first is None:
            raise AudioError(f"{path}: not one frame of its audio can be decoded; it is damaged")
        block, self.sample_rate = self._first
        self.channels = block.shape[1]

    def blocks(self) -> Iterator[FloatArray]:
        """Decode, once.

        Yields:
            float32 (samples, channels); a stream may change its number of channels.

        Raises:
            AudioError: Damage that players would not hide, or a change of sample rate.
        """
        if self._first is not None:
            block, _ = self._first
            self._first = None
            yield block
        for block, rate in self._frames:
            if rate != self.sample_rate:
                raise AudioError(
                    f"{self._path}: changes from {self.sample_rate} to {rate} Hz midway; convert it"
                )
            yield block

    def declared_s(self, decoded_s: float) -> float:
        """Return the seconds that the file should have; call it when all blocks are read."""
        least_s = max(self.at_least_s, decoded_s / max(self._present_share, 1e-9))
        if self._tag is not None:
            return max(least_s, self._tag.declared_s)
        if not self.container.startswith(_LENGTH_STATED):
            return least_s
        if self._stream.duration is not None and self._stream.time_base:
            return max(least_s, float(self._stream.duration * self._stream.time_base))
        if self._file.duration is not None:
            # Of the whole container, in which another stream may outlast the audio, and the audio
            # begin later: what is missing is what no stream reaches.
            missing_s = self._file.duration / av.time_base - self._reached_s
            return max(least_s, decoded_s + missing_s)
        return least_s

    def _decode(self) -> Iterator[tuple[FloatArray, int]]:
        """Yield blocks (samples, channels) with their sample rate.

        A packet that cannot be decoded becomes silence of its length, so that what follows keeps
        its time; a file that loses more than a tolerable length is refused before any silence is
        made.
        """
        # Packed: a frame of many channels has more planes than PyAV keeps room for.
        to_packed: av.AudioResampler | None = None
        kind: tuple[str, str, int] | None = None
        gap_s = 0.0
        n_failed = 0
        with self._one_line("cannot read on"):
            # All streams: the others' packets tell how far a film reaches.
            for packet in self._file.demux():
                self._note_reached(packet)
                if packet.stream is not self._stream:
                    continue
                try:
                    frames = cast(list[av.AudioFrame], packet.decode())
                except (av.FFmpegError, ValueError):
                    n_failed += 1
                    if packet.duration and not (self._tag and n_failed > _LOST_MPEG_PACKETS):
                        gap_s += float(packet.duration * packet.time_base)
                    self._check_lost(gap_s)
                    continue
                for frame in frames:
                    n_failed = 0
                    rate = frame.sample_rate
                    if to_packed is None or kind != (frame.format.name, frame.layout.name, rate):
                        kind = (frame.format.name, frame.layout.name, rate)
                        to_packed = av.AudioResampler(format="flt")  # one refuses a second kind
                    n_channels = frame.layout.nb_channels
                    if gap_s:
                        yield np.zeros((round(gap_s * rate), n_channels), dtype=np.float32), rate
                        self._lost_s, gap_s = self._lost_s + gap_s, 0.0
                    start_s = frame.time or 0.0
                    for piece in to_packed.resample(frame):
                        block = cast(FloatArray, piece.to_ndarray()).reshape(-1, n_channels)
                        if start_s < 0:  # encoder delay that this FFmpeg left in
                            block = block[round(-start_s * rate) :]
                        if len(block):
                            self._decoded_s += len(block) / rate
                            yield block, rate
        self._lost_s += gap_s
        self._check_lost(0.0)

    def _note_reached(self, packet: av.Packet) -> None:
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            start_s = (self._file.start_time or 0) / av.time_base
            self._reached_s = max(self._reached_s, float(end) - min(start_s, 0.0))

    def _check_lost(self, gap_s: float) -> None:
        """Refuse a file that has lost too much; MPEG audio is played through, as players do."""
        lost_s = self._lost_s + gap_s
        if self._tag is None and lost_s > LENGTH_TOLERANCE_S:
            raise AudioError(
                f"{self._path}: damaged, {lost_s:.2f} s or more of it cannot be decoded, near "
                f"{self._decoded_s:.2f} s; copy it again from its source"
            )

    @contextlib.contextmanager
    def _one_line(self, what: str) -> Iterator[None]:
        """Turn whatever the binding raises on damaged input into one line."""
        try:
            yield
        except AudioError:
            raise
        except (av.FFmpegError, OSError) as error:
            if _NOT_READABLE in str(error):
                raise AudioError(
                    f"{self._path}: a playlist, a picture or the like, without sound of its own; "
                    "name the audio itself"
                ) from error
            raise self._error(what, error.strerror) from error
        except Exception as error:  # ValueError, AttributeError, MemoryError, ...
            raise self._error(what, f"{type(error).__name__}: {error}") from error

    def _error(self, what: str, reason: str | None) -> AudioError:
        if self._decoded_s:
            return AudioError(
                f"{self._path}: FFmpeg {what} after {self._decoded_s:.2f} s "
                f"({one_line(reason)}); it is cut short or damaged, copy it again from its source"
            )
        return AudioError(
            f"{self._path}: no audio that can be decoded (FFmpeg: {one_line(reason)}); it is "
            "damaged, cut short or not audio"
        )


def one_line(text: str | None) -> str:
    """Return a library's message as part of a line."""
    return " ".join((text or "unknown error").split()).rstrip(".")
