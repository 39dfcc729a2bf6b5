"""A coarse spectrum of a track: where it changes, chords and sections begin, and so do bars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# For 128 mels bands of four: two semitones wide above 1 kHz.
N_BANDS = 32
# What is this far below the track's maximum is silence: faint noise is no change.
FLOOR_DB = -70.0
# Frames computed at a time: memory does not grow with the track.
CHUNK_FRAMES = 4096


def coarse_spectrum_db(log_mel: NDArray[np.floating]) -> NDArray[np.float16]:
    """Return the mean level of neighbouring mel bands.

    Args:
        log_mel: Levels in dB relative to the track's maximum, (frames, mels).

    Returns:
        float16 (frames, bands) from low to high, at least ``FLOOR_DB``; 32 bands of equal width in
        mels, or as many as there are mels.
    """
    n_frames, n_mels = log_mel.shape
    edges = np.round(np.linspace(0, n_mels, min(N_BANDS, n_mels) + 1)).astype(np.int64)
    spectrum = np.empty((n_frames, len(edges) - 1), dtype=np.float16)
    for start in range(0, n_frames, CHUNK_FRAMES):
        chunk = np.asarray(log_mel[start : start + CHUNK_FRAMES], dtype=np.float32)
        means = np.add.reduceat(chunk, edges[:-1], axis=1) / np.diff(edges).astype(np.float32)
        spectrum[start : start + CHUNK_FRAMES] = np.maximum(means, FLOOR_DB)
    return spectrum
