"""Pictures that show at a glance whether a grid is right.

Drawn with matplotlib's objects on the Agg canvas: no pyplot, so no global state, no window and
nothing to close. Import this module only where a picture is wanted; matplotlib takes a while.
"""

from __future__ import annotations

import os

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from beatgrid import files
from beatgrid.grid import Activation, Grid
from beatgrid.output.figures.canvas import DPI, LEFT, RIGHT, SOFT, headline, legend, new_figure
from beatgrid.output.figures.excerpt import draw_excerpt, excerpt_starts
from beatgrid.output.figures.overview import beat_residuals, draw_overview, draw_residuals
from beatgrid.search.estimate import GridEstimate

__all__ = ["beat_residuals", "excerpt_figure", "grid_figure", "save_figure"]

WIDTH_PX = 1200
GRID_HEIGHT_PX = 800
EXCERPT_HEIGHT_PX = 560


def grid_figure(
    log_mel: NDArray[np.floating] | None,
    activation: Activation,
    estimate: GridEstimate,
    reference: Grid | None = None,
    *,
    title: str = "",
    excerpt_s: float = 5.0,
    mel_frame_rate: float | None = None,
) -> Figure:
    """Draw the whole track, and two excerpts from its beginning and end.

    A grid that is right in both excerpts is right in between. The overview shows the activation
    with its value at each beat of the grid, and how far its peaks are from the grid: level is
    constant tempo, a slope a wrong BPM, a step an edit, a meander a live recording.

    Args:
        log_mel: Features in dB, (frames, mels), or None.
        activation: Beat probability of the whole track.
        estimate: What the search found in it.
        reference: The label's grid, or None.
        title: File name or other heading.
        excerpt_s: Length of each excerpt.
        mel_frame_rate: Frames per second of ``log_mel``; by default the activation's.

    Returns:
        A figure of 1200 x 800 pixels.
    """
    figure = new_figure(WIDTH_PX, GRID_HEIGHT_PX)
    headline(figure, title, activation, estimate, reference)
    rows = figure.add_gridspec(
        3, 1, height_ratios=[0.9, 1.25, 3.0], left=LEFT, right=RIGHT, top=0.895, bottom=0.06,
        hspace=0.3,
    )  # fmt: skip
    overview = figure.add_subplot(rows[0])
    residual = figure.add_subplot(rows[1], sharex=overview)
    draw_overview(overview, activation, estimate)
    draw_residuals(residual, activation, estimate, reference)

    starts_s = excerpt_starts(activation, excerpt_s)
    columns = rows[2].subgridspec(1, len(starts_s), wspace=0.07)
    for column, start_s in enumerate(starts_s):
        end_s = min(start_s + excerpt_s, activation.duration_s)
        curve = draw_excerpt(
            figure, columns[column], log_mel, activation, estimate, reference, start_s, end_s,
            mel_frame_rate, y_labels=column == 0,
        )  # fmt: skip
        if column == 0:
            legend(curve, from_left=True)
        for axes in (overview, residual) if len(starts_s) > 1 else ():
            axes.axvspan(start_s, end_s, color=SOFT, alpha=0.25, linewidth=0)
    return figure


def excerpt_figure(
    log_mel: NDArray[np.floating] | None,
    activation: Activation,
    estimate: GridEstimate,
    reference: Grid | None = None,
    *,
    start_s: float,
    end_s: float,
    title: str = "",
    mel_frame_rate: float | None = None,
) -> Figure:
    """Draw one excerpt: log-mel, activation, found and labelled beats.

    Args:
        log_mel: Features in dB of the whole track, (frames, mels), or None.
        activation: Beat probability of the whole track.
        estimate: What the search found in it.
        reference: The label's grid, or None.
        start_s: Beginning of the excerpt.
        end_s: Its end.
        title: File name or other heading.
        mel_frame_rate: Frames per second of ``log_mel``; by default the activation's.

    Returns:
        A figure of 1200 x 560 pixels.
    """
    figure = new_figure(WIDTH_PX, EXCERPT_HEIGHT_PX)
    headline(figure, title, activation, estimate, reference)
    cells = figure.add_gridspec(1, 1, left=LEFT, right=RIGHT, top=0.86, bottom=0.09)
    curve = draw_excerpt(
        figure, cells[0], log_mel, activation, estimate, reference, start_s, end_s, mel_frame_rate
    )
    legend(curve, from_left=True)
    return figure


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure atomically, in the format that the suffix names."""
    with files.replacing(path) as temporary:
        figure.savefig(temporary, dpi=DPI)
