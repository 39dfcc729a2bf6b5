"""The weights in the package: they load, say where they come from, and find a grid."""

import numpy as np
import pytest
import soundfile

from beatgrid.activation import NetworkSource
from beatgrid.networks.checkpoint import SHIPPED, load_model
from beatgrid.predictor import Predictor
from beatgrid.rendering.generator import render
from beatgrid.search import GridSearch, Ranker


def test_shipped_weights_are_small_and_name_their_origin():
    assert SHIPPED.stat().st_size < 10e6
    model = load_model(SHIPPED)
    assert model.training_data["splits"]["train"]["hours"] > 1
    assert len(model.training_data["artists"]) > 10
    Ranker.from_dict(model.calibration["ranker"])  # of this version's features
    assert len(model.calibration["temperatures"]) == 2


@pytest.mark.parametrize("genre", ["house", "drum_and_bass"])
def test_they_find_the_grid_of_a_piece_they_have_not_seen(genre, tmp_path):
    track = render(genre, seed=987_654_321, duration_s=40.0)
    soundfile.write(tmp_path / "a.flac", track.samples, track.sample_rate)
    found = Predictor(NetworkSource(load_model(SHIPPED)), GridSearch())(
        tmp_path / "a.flac"
    ).estimate
    assert found.bpm == pytest.approx(track.grid.bpm, rel=5e-4)
    error_s = found.grid.beat_times(40.0) - track.grid.beat_times(40.0)[:1]
    error_s -= np.round(error_s / track.grid.period_s) * track.grid.period_s
    assert np.abs(error_s).max() < 0.010
