"""The weights in the package: they load, say where they come from, and find a grid."""

import numpy as np
import pytest
import soundfile

from beatgrid.files import content_hash
from beatgrid.networks.checkpoint import load_model
from beatgrid.networks.description import SHIPPED, SHIPPED_ONNX
from beatgrid.networks.onnx_export import largest_difference
from beatgrid.networks.onnx_file import load_onnx
from beatgrid.predictor import load
from beatgrid.rendering.generator import render
from beatgrid.search import Ranker


def test_shipped_weights_are_small_and_name_their_origin():
    assert SHIPPED.stat().st_size < 10e6
    model = load_model(SHIPPED)
    assert model.training_data["splits"]["train"]["hours"] > 1
    assert len(model.training_data["artists"]) > 10
    Ranker.from_dict(model.calibration["ranker"])  # of this version's features
    assert len(model.calibration["temperatures"]) == 2


def test_the_onnx_file_is_an_export_of_the_checkpoint():
    """After new weights: beatgrid export-model ckpt=shipped out=beatgrid/weights/shipped.onnx."""
    model, exported = load_model(SHIPPED), load_onnx(SHIPPED_ONNX)
    assert exported.weights_hash == model.weights_hash == content_hash(SHIPPED)
    for name in ("features", "calibration", "training_data", "licence"):
        assert getattr(exported, name) == getattr(model, name), name
    assert exported.context_frames == model.network.context_frames
    assert largest_difference(model.network, exported.network, 128) < 1e-4


@pytest.mark.parametrize("backend", ["onnx", "torch"])
@pytest.mark.parametrize("genre", ["house", "drum_and_bass"])
def test_they_find_the_grid_of_a_piece_they_have_not_seen(genre, backend, tmp_path):
    track = render(genre, seed=987_654_321, duration_s=40.0)
    soundfile.write(tmp_path / "a.flac", track.samples, track.sample_rate)
    found = load(SHIPPED if backend == "torch" else SHIPPED_ONNX)(tmp_path / "a.flac").estimate
    assert found.bpm == pytest.approx(track.grid.bpm, rel=5e-4)
    error_s = found.grid.beat_times(40.0) - track.grid.beat_times(40.0)[:1]
    error_s -= np.round(error_s / track.grid.period_s) * track.grid.period_s
    assert np.abs(error_s).max() < 0.010
