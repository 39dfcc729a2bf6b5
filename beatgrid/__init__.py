"""Find the constant-tempo beatgrid of music: BPM, first downbeat, every beat.

>>> import beatgrid
>>> predictor = beatgrid.load("shipped")
>>> found = predictor("song.mp3")                           # doctest: +SKIP
>>> found.bpm, found.downbeat_offset_s, found.confidence    # doctest: +SKIP
(130.0, 0.50638, 0.92868)

``GridSearch`` finds the grid of anybody's beat probabilities, without torch:

>>> import numpy as np
>>> probability = np.full(1000, 0.01)
>>> probability[20::50] = 0.9  # at 100 frames per second: every 0.5 s from 0.2 s on
>>> found = beatgrid.GridSearch()(beatgrid.Activation(probability, frame_rate=100.0))
>>> found.grid.bpm
120.0

Names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from beatgrid.lazy import offer

if TYPE_CHECKING:  # what type checkers and editors see
    from beatgrid.errors import BeatgridError
    from beatgrid.grid import Activation, Grid
    from beatgrid.prediction import Prediction
    from beatgrid.predictor import Predictor, load
    from beatgrid.search import GridSearch

__version__ = "0.1.0"
__all__ = [
    "Activation",
    "BeatgridError",
    "Grid",
    "GridSearch",
    "Prediction",
    "Predictor",
    "load",
]

_offered, __getattr__ = offer(
    __name__,
    errors=("BeatgridError",),
    grid=("Activation", "Grid"),
    prediction=("Prediction",),
    predictor=("Predictor", "load"),
    search=("GridSearch",),
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
