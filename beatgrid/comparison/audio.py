"""One decoded copy of each track, the same for every system."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import soundfile

from beatgrid.audio.reader import FloatArray, check_has_signal, open_audio

SAMPLE_RATE = 44100


def write_wav(source: str | os.PathLike[str], target: Path) -> float:
    """Decode a file to mono WAV of 44.1 kHz and 16 bits, which every peer reads.

    Times are those of this package's reader. Peaks beyond full scale are clipped.

    Args:
        source: Any file that the reader takes.
        target: The WAV file.

    Returns:
        The length in seconds.

    Raises:
        AudioError: The file cannot be decoded, is too short or silent.
    """
    reader = open_audio(source, SAMPLE_RATE)

    def write(blocks: Iterable[FloatArray]) -> None:  # a second time where channels are opposed
        with soundfile.SoundFile(
            target, "w", SAMPLE_RATE, channels=1, format="WAV", subtype="PCM_16"
        ) as file:
            for block in blocks:
                file.write(block)

    reader.consume(write)
    check_has_signal(reader.info)
    return reader.info.duration_s
