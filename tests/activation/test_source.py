"""Sources of activations: one protocol, one table; a new source is one class and one line."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from beatgrid.activation.flux import flux_activation
from beatgrid.activation.network import NetworkSource
from beatgrid.activation.source import SOURCES, open_source
from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import BeatgridError, CheckpointError
from beatgrid.grid import Activation, Grid
from beatgrid.networks.checkpoint import load_model
from beatgrid.networks.description import SHIPPED
from beatgrid.predictor import Predictor
from beatgrid.search import GridSearch, Ranker
from beatgrid.search.ranker import packaged


def no_checkpoint():
    raise AssertionError("this source needs no checkpoint")


def test_flux_needs_no_checkpoint_and_brings_its_own_ranker():
    source = open_source("flux", no_checkpoint)
    assert source.model_id == "flux"
    assert source.features == FeatureSpec()
    assert source.ranker is packaged("flux")
    log_mel = np.random.default_rng(0).normal(-40, 10, (500, 128)).astype(np.float32)
    expected = flux_activation(log_mel, FeatureSpec().frame_rate, 5.8)
    np.testing.assert_array_equal(source(log_mel, 5.8).beat, expected.beat)


def test_a_network_brings_the_features_and_ranker_of_its_checkpoint():
    source = open_source("network", lambda: SHIPPED)
    model = load_model(SHIPPED)
    assert source.model_id == model.model_id
    assert source.features == model.features
    assert isinstance(source.ranker, Ranker)
    found = source(np.full((300, 128), -40.0, np.float32), 3.5)
    assert (len(found), found.duration_s) == (300, 3.5)
    assert found.downbeat is not None


def test_temperatures_divide_the_logits():
    model = load_model(SHIPPED)
    log_mel = np.random.default_rng(0).normal(-40, 10, (200, 128)).astype(np.float32)

    def log_odds(temperature):
        calibration = {"temperatures": [temperature, 1.0]}
        beat = NetworkSource(replace(model, calibration=calibration))(log_mel, 2.3).beat
        return np.log(beat / (1 - beat))

    np.testing.assert_allclose(log_odds(2.0), log_odds(1.0) / 2, rtol=1e-6)


@pytest.mark.parametrize(
    "calibration",
    [
        {"ranker": {"format": 99}},
        {"ranker": [1, 2]},
        {"ranker": {"format": 1}},
        {"temperatures": "hot"},
        {"temperatures": [0.0, 1.0]},
        {"temperatures": [float("nan"), 1.0]},
    ],
)
def test_a_calibration_that_cannot_be_used_is_named_at_once(calibration):
    model = replace(load_model(SHIPPED), calibration=calibration)
    with pytest.raises(CheckpointError, match=r"shipped\.ckpt: its calibration cannot be used"):
        NetworkSource(model)


def test_an_unknown_source_is_named_with_the_known_ones():
    with pytest.raises(BeatgridError, match="activation=magic: must be one of network, flux"):
        open_source("magic", no_checkpoint)


class EveryHalfSecond:
    """A toy source: it puts a beat at every half second, whatever it is given."""

    model_id = weights_hash = "every half second"
    features = FeatureSpec(n_mels=8)
    ranker = None

    def __call__(self, log_mel, duration_s):
        rate = self.features.frame_rate
        beat = np.full(len(log_mel), 0.01)
        beat[np.round(Grid(120.0, 0.25).beat_times(duration_s) * rate).astype(int)] = 0.9
        return Activation(beat, rate, duration_s)


def test_a_new_source_is_one_class_and_one_line(monkeypatch):
    monkeypatch.setitem(SOURCES, "toy", lambda *_: EveryHalfSecond())
    predictor = Predictor(open_source("toy", no_checkpoint), GridSearch())
    n_frames = predictor.features.n_frames(30 * 44100)
    _, estimate = predictor.find(np.zeros((n_frames, 8), np.float32), 30.0)
    assert estimate.bpm == pytest.approx(120.0, abs=0.01)
    assert predictor.model_id == "every half second"


@pytest.mark.parametrize("layer", ["output.bias", "tempo.per_frame.bias"])
def test_weights_that_are_no_numbers_are_damage(layer):
    model = load_model(SHIPPED)
    with torch.no_grad():
        model.network.get_parameter(layer)[0] = torch.nan
    with pytest.raises(CheckpointError, match=r"ckpt=beatgrid/shipped\.ckpt: its network answers"):
        NetworkSource(model)(np.full((300, 128), -40.0, np.float32), 3.5)
