"""Distances between the beats of a grid and those that were heard."""

import numpy as np
import pytest

from beatgrid.grid import Grid
from beatgrid.review.residuals import residuals_ms
from beatgrid.search import Beats
from beatgrid.search.least_squares import Peaks, find_peaks
from tests.review.activations import activation_of

PEAKS = find_peaks(activation_of(Grid(120.0, 0.5), 60.0), 0.01)


def of(grid):
    return residuals_ms(PEAKS, Beats.of_grid(grid, 60.0))


def test_a_late_grid_has_early_peaks():
    assert np.allclose(np.array(of(Grid(120.0, 0.513))[1:-1], dtype=float), -13, atol=0.6)


def test_a_wrong_tempo_is_a_slope():
    residuals = np.array(of(Grid(120.05, 0.5))[1:-1], dtype=float)
    per_beat_ms = np.polyfit(np.arange(len(residuals)), residuals, 1)[0]
    assert per_beat_ms == pytest.approx(1000 * (0.5 - 60 / 120.05), abs=0.01)


def test_far_from_any_peak_there_is_none():
    assert set(of(Grid(120.0, 0.75))) == {None}
    assert (
        residuals_ms(Peaks(np.zeros(0), np.zeros(0)), Beats.of_grid(Grid(60, 0), 3)) == [None] * 3
    )
