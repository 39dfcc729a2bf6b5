"""Tempo classes on a logarithmic scale: what a tempo head tells apart.

After Schreiber and Müller, "A single-step approach to musical tempo estimation using a
convolutional neural network", ISMIR 2018, whose classes are linear in BPM; on a logarithmic scale
twice the tempo lies a fixed number of classes above. Only numpy is imported here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beatgrid.grid import FloatArray

LOWEST_BPM = 40.0
CLASSES_PER_OCTAVE = 12
# Up to 339 BPM, above the search's highest.
N_CLASSES = 38
# Spread of a target over neighbouring classes, in classes: 6 % of tempo.
TARGET_WIDTH = 0.7


def class_position(bpm: ArrayLike) -> FloatArray:
    """Return where tempi lie among the classes: 0 is the centre of the first, any shape."""
    return CLASSES_PER_OCTAVE * np.log2(np.asarray(bpm, dtype=np.float64) / LOWEST_BPM)


def class_target(bpm: float) -> NDArray[np.float32]:
    """Return the distribution over classes that a tempo stands for, (classes,).

    All zero if the tempo is not known (0 or NaN). A tempo beyond either end belongs to the class
    there.
    """
    if not bpm > 0:
        return np.zeros(N_CLASSES, dtype=np.float32)
    position = np.clip(class_position(bpm), 0, N_CLASSES - 1)
    weight = np.exp(-0.5 * ((np.arange(N_CLASSES) - position) / TARGET_WIDTH) ** 2)
    return (weight / weight.sum()).astype(np.float32)


def log_probability_at(log_probability: NDArray[np.floating], bpm: float) -> float:
    """Interpolate the log-probabilities of all classes (classes,) at a tempo."""
    position = np.clip(class_position(bpm), 0, N_CLASSES - 1)
    return float(np.interp(position, np.arange(N_CLASSES), log_probability))
