"""Opening an audio file with the decoder that suits it.

libsndfile (soundfile) for the formats it recognises by their first bytes, FFmpeg (PyAV's own copy)
for all others, and where libsndfile stops midway. Neither needs a system ffmpeg.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beatgrid.audio.ffmpeg import FFmpegSource, one_line
from beatgrid.audio.headers import missing_ogg_bytes
from beatgrid.audio.sndfile import Refused, SndfileSource
from beatgrid.errors import AudioError

FloatArray = NDArray[np.float32]


class Source:
    """An open file: facts about it, and its blocks at its own rate.

    Attributes:
        path: The file.
        decoder: "soundfile" or "pyav".
        container: Decoder's name of the container.
        codec: Decoder's name of the coding.
        mp3_tag: ``Mp3Tag.kind`` of an MP3, otherwise None.
        sample_rate: Samples per second.
        channels: Number of channels.
    """

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Open a file with the first decoder that suits it; ``stack`` closes it.

        Raises:
            AudioError: Neither can read it; one line with the file, the value and the remedy.
        """
        self.path = path
        self._stack = stack
        try:
            if missing_bytes := missing_ogg_bytes(path):
                raise AudioError(
                    f"{path}: cut short, {missing_bytes} bytes of its last Ogg page are missing; "
                    "copy it again from its source"
                )
            self._source: SndfileSource | FFmpegSource
            try:
                self._source = SndfileSource(path, stack)
            except Refused as refusal:
                self._source = self._with_ffmpeg(refusal)
        except OSError as error:
            raise AudioError(
                f"{path}: cannot be read ({error.strerror}); check its rights"
            ) from error
        self.sample_rate, self.channels = self._source.sample_rate, self._source.channels

    @property
    def decoder(self) -> str:
        """Which decoder reads it, after fallback."""
        return self._source.decoder

    @property
    def container(self) -> str:
        """The decoder's name of the container."""
        return self._source.container

    @property
    def codec(self) -> str:
        """The decoder's name of the coding."""
        return self._source.codec

    @property
    def mp3_tag(self) -> str | None:
        """Which tag an MP3 begins with; None for other formats."""
        return self._source.mp3_tag if isinstance(self._source, FFmpegSource) else None

    @property
    def n_frames(self) -> int | None:
        """Samples per channel, where the header states them exactly; None otherwise."""
        return self._source.n_frames

    def blocks(self) -> Iterator[FloatArray]:
        """Decode, once.

        Yields:
            float32 (samples, channels), at least one sample each.

        Raises:
            AudioError: Neither decoder can read on.
        """
        n_samples = 0
        try:
            for block in self._source.blocks():
                yield block
                n_samples += len(block)
            return
        except Refused as refusal:
            stated = self._source
            self._source = self._with_ffmpeg(refusal)
            self._source.at_least_s = stated.declared_s(0.0)
        if self._source.sample_rate != self.sample_rate:
            raise AudioError(
                f"{self.path}: its decoders disagree about its sample rate "
                f"({self.sample_rate} and {self._source.sample_rate} Hz); convert it"
            )
        # Both decoders agree to the sample up to the damage.
        for block in self._source.blocks():
            skipped = min(n_samples, len(block))
            n_samples -= skipped
            if skipped < len(block):
                yield block[skipped:]

    def declared_s(self, decoded_s: float) -> float:
        """Return the seconds that the file should have; call it when all blocks are read."""
        return self._source.declared_s(decoded_s)

    def _with_ffmpeg(self, refusal: Refused) -> FFmpegSource:
        try:
            return FFmpegSource(self.path, self._stack)
        except AudioError as error:
            raise AudioError(f"{error} (libsndfile: {one_line(str(refusal))})") from error
