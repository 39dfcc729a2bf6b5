"""Labelled tracks whose features are arrays in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from beatgrid.audio.cache import StoredFeatures
from beatgrid.data.labels import Label
from beatgrid.data.track import Track
from beatgrid.grid import Grid


@dataclass(frozen=True)
class ArrayFeatures(StoredFeatures):
    """Features that were never on a disk."""

    array: np.ndarray = field(kw_only=True)

    def load(self) -> np.ndarray:
        return self.array


def track_of(
    features: np.ndarray,
    grid: Grid,
    duration_s: float,
    name: str = "t",
    downbeat: str = "reliable",
) -> Track:
    """A track of features (frames, mels), whose label lasts ``duration_s``."""
    label = Label(Path(f"{name}.labels.json"), grid, duration_s=duration_s, downbeat=downbeat)
    stored = ArrayFeatures(Path(f"{name}.npy"), len(features), duration_s, array=features)
    return Track(label, stored=stored)
