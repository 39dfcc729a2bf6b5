import numpy as np
import pytest
import soundfile

from beatgrid.activation import FluxSource
from beatgrid.predictor import Predictor
from beatgrid.rendering.generator import render
from beatgrid.search import GridSearch


def test_flux_finds_the_tempo_of_a_rendered_house_track(tmp_path):
    track = render("house", seed=3, duration_s=30.0)
    path = tmp_path / "house.flac"
    soundfile.write(path, track.samples, track.sample_rate)
    found = Predictor(FluxSource(), GridSearch())(path)
    assert found.info.duration_s == pytest.approx(30.0)
    assert found.estimate.bpm == pytest.approx(track.grid.bpm, rel=1e-3)
    assert found.log_mel.shape == (len(found.activation), 128)
    offset = (found.estimate.offset_s - track.grid.offset_s) / track.grid.period_s
    assert abs(offset - np.round(offset)) * track.grid.period_s < 0.0215
