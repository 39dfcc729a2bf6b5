"""Where the bars of a slower tempo begin, of which only those of a faster one are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from beatgrid.grid import Activation, Grid


def likeliest_bars(
    grid: Grid, old_bar_s: float, start_s: float, end_s: float, activation: Activation | None
) -> Grid:
    """Return a grid with its bars moved by whole old bars to where most downbeats are.

    Args:
        grid: Its downbeat was one at the old tempo.
        old_bar_s: Length of a bar at the old, higher tempo.
        start_s: Of the stretch that the grid is for.
        end_s: Its end.
        activation: Without its downbeat channel the grid stays as it is.
    """
    if activation is None or activation.downbeat is None:
        return grid
    n = grid.beats_per_bar
    bar_s = n * grid.period_s
    frames = np.arange(len(activation.downbeat)) / activation.frame_rate
    scores = {}
    for moved in range(math.ceil(bar_s / old_bar_s - 1e-9)):
        place = moved * old_bar_s / grid.period_s
        if abs(place - round(place)) > 0.05:
            continue  # not a beat of the new grid
        offset_s = grid.offset_s + round(place) * grid.period_s
        first = math.ceil((start_s - offset_s) / bar_s)
        downbeats_s = offset_s + bar_s * np.arange(first, math.ceil((end_s - offset_s) / bar_s))
        if len(downbeats_s):
            scores[offset_s] = float(np.interp(downbeats_s, frames, activation.downbeat).mean())
    if not scores:
        return grid
    # The given one is the first, and stays where others are no better.
    return replace(grid, offset_s=max(scores, key=lambda offset_s: scores[offset_s]))
