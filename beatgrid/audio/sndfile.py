"""Decoding with libsndfile: WAV, AIFF, FLAC, Ogg and their relatives."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from beatgrid.audio.headers import has_several_ogg_streams, present_share

FloatArray = NDArray[np.float32]

# What files begin with that libsndfile is trusted to recognise. By a name ending in .mp3 it takes
# anything for an MP3, whose decoder (mpg123) writes to the terminal and stops at damage.
_MAGIC = (
    *(b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"riff\x2e\x91\xcf\x11"),  # wav, aiff, w64
    *(b"fLaC", b"OggS", b"caff", b".snd", b"dns.", b"NIST", b"Creative Voice File"),
)

# Samples per block of one or a few channels: 1.5 s at 44.1 kHz, 256 kB per channel.
_BLOCK_SAMPLES = 65536
_FEW_CHANNELS = 8


class Refused(Exception):
    """libsndfile cannot read a file, or not on from where it is; the message is its reason."""


class SndfileSource:
    """An open file of libsndfile.

    Attributes:
        container: Its name of the container, such as "WAV".
        codec: Its name of the coding, such as "PCM_16".
        sample_rate: Samples per second.
        channels: Number of channels.
        n_frames: Samples of each channel, as the header states them.
    """

    decoder = "soundfile"

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Open a file; ``stack`` closes it.

        Raises:
            Refused: libsndfile cannot read it, or FFmpeg reads it better.
            OSError: The file cannot be read at all.
        """
        with path.open("rb") as file:
            if not file.read(32).startswith(_MAGIC):
                raise Refused("not one of its formats")
        try:
            # As bytes: soundfile cannot encode names that are not valid UTF-8.
            name = os.fsencode(path) if os.name == "posix" else str(path)
            self._file = stack.enter_context(soundfile.SoundFile(name))
        except soundfile.LibsndfileError as error:
            raise Refused(error.error_string) from error
        except Exception as error:  # damaged headers make soundfile itself fail in any way
            raise Refused(f"{type(error).__name__}: {error}") from error
        if "MPEG" in self._file.subtype or self._file.format == "MP3":
            raise Refused("MPEG audio is FFmpeg's to decode")
        if has_several_ogg_streams(path):
            raise Refused("of several Ogg streams it reads the first alone")
        # A stream that states no length has 2^63 - 1 frames here, and reading ends with an error;
        # one that states 0 has none.
        if not 0 < self._file.frames < 2**62:
            raise Refused("its header states no length")
        self.container, self.codec = self._file.format, self._file.subtype
        self.sample_rate, self.channels = self._file.samplerate, self._file.channels
        self.n_frames = self._file.frames
        self._present_share = present_share(path)

    def blocks(self) -> Iterator[FloatArray]:
        """Decode from the start.

        Yields:
            float32 (samples, channels).

        Raises:
            Refused: It gives up before the end.
        """
        n_samples = _BLOCK_SAMPLES * _FEW_CHANNELS // max(self.channels, _FEW_CHANNELS)
        while True:
            try:
                block = self._file.read(n_samples, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise Refused(error.error_string) from error
            if len(block) == 0:
                return
            yield block

    def declared_s(self, decoded_s: float) -> float:
        """Return the seconds that the file should have."""
        return max(self._file.frames / self.sample_rate, decoded_s / max(self._present_share, 1e-9))
