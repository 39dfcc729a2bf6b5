"""The grids of many files: for each a JSON and, if wanted, a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from beatgrid.errors import BeatgridError
from beatgrid.output.result import write_result
from beatgrid.prediction import Prediction
from beatgrid.predictor import Predictor


@dataclass(frozen=True)
class Job:
    """One file.

    Attributes:
        audio: Where it is.
        out: Where its JSON goes; the picture gets the same name with ``.png``.
    """

    audio: Path
    out: Path


@dataclass(frozen=True, eq=False)
class _Finder:
    predictor: Predictor
    settings: Mapping[str, Any]
    picture: bool


# One per process: loading a network for each file would take longer than using it.
_finder: _Finder | None = None


def begin(
    load: Callable[[], Predictor], settings: Mapping[str, Any], picture: bool, num_threads: int
) -> None:
    """Make this process ready for ``find_grid``.

    Args:
        load: Makes the predictor.
        settings: What a result says of how it was found.
        picture: Draw one beside each JSON.
        num_threads: Of torch.
    """
    global _finder
    torch.set_num_threads(num_threads)
    _finder = _Finder(load(), settings, picture)


def find_grid(job: Job) -> dict[str, Any] | str:
    """Find one file's grid and write it; ``begin`` comes first.

    Returns:
        The result as written, or one line that says why there is none.
    """
    if _finder is None:
        raise RuntimeError("find_grid() before begin()")
    try:
        prediction = _finder.predictor(job.audio)
        result = prediction.to_dict(_finder.settings)
        write_result(job.out, result)
        if _finder.picture:
            draw(prediction, job.audio.name, job.out.with_suffix(".png"))
    except BeatgridError as error:
        return str(error)
    return result


def draw(prediction: Prediction, title: str, path: Path) -> None:
    """Draw the grid over the track's activation."""
    # Here, because matplotlib takes a second to import.
    from beatgrid.output.figures import grid_figure, save_figure

    figure = grid_figure(
        prediction.log_mel, prediction.activation, prediction.estimate, title=title
    )
    save_figure(figure, path)
