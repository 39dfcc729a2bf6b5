"""What a source returns for a seed, and how a seed becomes random numbers."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beatgrid.grid import Grid

SAMPLE_RATE = 44100


@dataclass(frozen=True, eq=False)
class Piece:
    """One rendered piece with its exact grid.

    Attributes:
        samples: float32 (samples,) mono at ``SAMPLE_RATE``, peak at most 1.
        grid: Beats; its offset is the time of a downbeat.
        genre: In the source's own words.
        downbeat: How far the bar phase can be trusted, as in a label.
        license: Of the sounds and compositions in it; None for the package's own.
        recipe: What was drawn, plain values: enough to tell pieces apart in an evaluation.
    """

    samples: NDArray[np.float32]
    grid: Grid
    genre: str
    downbeat: str = "reliable"
    license: str | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


def random_source(source: str, seed: int) -> np.random.Generator:
    """Return a piece's random generator: sources share no streams, nor do neighbouring seeds."""
    return np.random.default_rng((zlib.crc32(source.encode()), seed))


def draw_duration_s(source: str, seed: int) -> float:
    """Draw the length of a piece in seconds, known without rendering it.

    Mostly 60 to 120 s, since many pieces vary more than long ones; one in seven up to 200 s, so
    that a grid's drift over a whole song can be measured.
    """
    rng = random_source(f"{source} duration", seed)
    return float(rng.uniform(60, 120) if rng.random() < 6 / 7 else rng.uniform(120, 200))
