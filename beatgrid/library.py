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


def finder(
    load: Callable[[], Predictor], settings: Mapping[str, Any], picture: bool, num_threads: int
) -> Callable[[Job], dict[str, Any] | str]:
    """Make the function that finds one file's grid and writes it, once in each process.

    Args:
        load: Makes the predictor.
        settings: What a result says of how it was found.
        picture: Draw one beside each JSON.
        num_threads: Of torch.

    Returns:
        A function that returns the result as written, or one line that says why there is none.
    """
    torch.set_num_threads(num_threads)
    predictor = load()

    def find(job: Job) -> dict[str, Any] | str:
        try:
            prediction = predictor(job.audio)
            result = prediction.to_dict(settings)
            write_result(job.out, result)
            if picture:
                draw(prediction, job.audio.name, job.out.with_suffix(".png"))
        except BeatgridError as error:
            return str(error)
        return result

    return find


def draw(prediction: Prediction, title: str, path: Path) -> None:
    """Draw the grid over the track's activation."""
    # Here, because matplotlib takes a second to import.
    from beatgrid.output.figures import grid_figure, save_figure

    figure = grid_figure(
        prediction.log_mel, prediction.activation, prediction.estimate, title=title
    )
    save_figure(figure, path)
