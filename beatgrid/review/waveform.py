"""A track's samples as WAV, and its waveform in three bands, in one pass over the decoded audio."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44100
WAV_HEADER_BYTES = 44
# Samples of a block at the finest level; the page draws shorter stretches from the samples.
BLOCK_SAMPLES = 256
# Each level has so many blocks of the one before in one.
LEVEL_FACTOR = 4
N_LEVELS = 5
# Minimum, maximum, and the level of each band.
BLOCK_BYTES = 5
# Where low ends and high begins, in Hz: kick and bass; voices and chords; hats.
BAND_EDGES_HZ = (200.0, 2500.0)


@dataclass(frozen=True, eq=False)
class Waveform:
    """A pyramid of a track's waveform.

    Attributes:
        levels: From the finest on, uint8 (blocks, 5): 128 plus 127 times the lowest and the highest
            sample, 255 times the root mean square of low, mid and high.
        n_samples: Length of the track.
    """

    levels: tuple[NDArray[np.uint8], ...]
    n_samples: int


class WaveformBuilder:
    """Makes the pyramid of blocks of samples as they come."""

    def __init__(self) -> None:
        from scipy.signal import butter  # it takes a third of a second to import

        low, high = BAND_EDGES_HZ
        self._filters = [
            butter(2, low, "lowpass", fs=SAMPLE_RATE, output="sos"),
            butter(2, high, "highpass", fs=SAMPLE_RATE, output="sos"),
        ]
        self._states: list[NDArray[Any]] = [np.zeros((len(f), 2)) for f in self._filters]
        self._rest = np.zeros((0, 3), dtype=np.float32)
        self._blocks: list[NDArray[np.float32]] = []
        self._n_samples = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Go on with some samples, (samples,)."""
        from scipy.signal import sosfilt

        columns = [samples]
        for i, coefficients in enumerate(self._filters):
            band, self._states[i] = sosfilt(coefficients, samples, zi=self._states[i])
            columns.append(band.astype(np.float32))
        self._n_samples += len(samples)
        rows = np.concatenate((self._rest, np.stack(columns, axis=1)))
        n_blocks = len(rows) // BLOCK_SAMPLES
        self._take(rows[: n_blocks * BLOCK_SAMPLES].reshape(n_blocks, BLOCK_SAMPLES, 3))
        self._rest = rows[n_blocks * BLOCK_SAMPLES :]

    def finish(self) -> Waveform:
        """Return the pyramid."""
        if len(self._rest):
            self._take(self._rest[None])
        values = (
            np.concatenate(self._blocks) if self._blocks else np.zeros((0, BLOCK_BYTES), np.float32)
        )
        levels = []
        for _ in range(N_LEVELS):
            levels.append(_as_bytes(values))
            values = _coarser(values)
        return Waveform(tuple(levels), self._n_samples)

    def _take(self, blocks: NDArray[np.float32]) -> None:
        """Note lowest and highest sample and the bands' mean squares of blocks (n, samples, 3)."""
        whole = blocks[..., 0]
        power, low, high = np.mean(blocks**2, axis=1).T
        # What is neither low nor high; of powers, since filters shift phases.
        mid = np.maximum(power - low - high, 0.0)
        columns = [whole.min(axis=1), whole.max(axis=1), low, mid, high]
        self._blocks.append(np.stack(columns, axis=1))


def _coarser(values: NDArray[np.float32]) -> NDArray[np.float32]:
    n = -(-len(values) // LEVEL_FACTOR)
    padded = np.pad(values, ((0, n * LEVEL_FACTOR - len(values)), (0, 0)), mode="edge")
    groups = padded.reshape(n, LEVEL_FACTOR, BLOCK_BYTES)
    return np.column_stack(
        (groups[..., 0].min(axis=1), groups[..., 1].max(axis=1), groups[..., 2:].mean(axis=1))
    )


def _as_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    extremes = 128 + 127 * np.clip(values[:, :2], -1, 1)
    bands = 255 * np.clip(np.sqrt(values[:, 2:]), 0, 1)
    return np.rint(np.column_stack((extremes, bands))).astype(np.uint8)


def write_wav(path: Path, blocks: Iterable[NDArray[np.float32]]) -> Waveform:
    """Write mono samples at 44.1 kHz as WAV of 16 bits, and return their waveform.

    Beyond full scale samples are clipped. A file of more than 4 GB, 13 hours, says of its length
    only what 32 bits can; the page goes by the file's size.
    """
    builder = WaveformBuilder()
    n_bytes = 0
    with path.open("wb") as file:
        file.write(bytes(WAV_HEADER_BYTES))
        for block in blocks:
            builder.add(block)
            # 32767 both ways, as decoders divide: 1.0 and -1.0 come back as they were.
            data = np.rint(np.clip(block, -1, 1) * 32767).astype("<i2").tobytes()
            n_bytes += len(data)
            file.write(data)
        file.seek(0)
        file.write(_wav_header(n_bytes))
    return builder.finish()


def _wav_header(n_bytes: int) -> bytes:
    def capped(size: int) -> int:
        return min(size, 2**32 - 1)

    return b"".join(
        (
            struct.pack("<4sI4s", b"RIFF", capped(n_bytes + WAV_HEADER_BYTES - 8), b"WAVE"),
            struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16),
            struct.pack("<4sI", b"data", capped(n_bytes)),
        )
    )
