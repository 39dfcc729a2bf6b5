import numpy as np
import pytest
import torch

from beatgrid.activation.network import network_logits, track_activation
from beatgrid.audio.features import FeatureSpec
from beatgrid.networks.crnn import CRNN


@pytest.fixture
def network() -> CRNN:
    torch.manual_seed(0)
    # On decibels as they are, untrained gates saturate and remember for ever.
    scale = {"input_mean_db": -40.0, "input_scale_db": 20.0}
    return CRNN(16, (4,), (3, 3), (2,), (1,), hidden_size=8, n_outputs=2, **scale).eval()


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(-40, 10, (2500, 16)).astype(np.float32)


def test_chunks_agree_with_the_whole_track_where_the_margin_covers_the_memory(network, features):
    whole = network_logits(network, features, 100.0, chunk_s=60.0)
    chunked = network_logits(network, features, 100.0, chunk_s=3.0, margin_s=2.0)
    assert chunked.shape == whole.shape == (2500, 2)
    np.testing.assert_allclose(chunked, whole, atol=1e-4)


def test_chunks_of_dilated_convolutions_equal_the_whole_track(features):
    torch.manual_seed(0)
    network = CRNN(16, (4,), (3, 3), (2,), (1,), tcn_layers=3, num_layers=0).eval()
    whole = network_logits(network, features, 100.0, chunk_s=60.0)
    # They see 14 frames to either side, the CNN one more.
    chunked = network_logits(network, features, 100.0, chunk_s=3.0, margin_s=0.15)
    np.testing.assert_allclose(chunked, whole, rtol=1e-4, atol=1e-4)
    short = network_logits(network, features, 100.0, chunk_s=3.0, margin_s=0.08)
    assert np.abs(short - whole).max() > 1e-3


@pytest.mark.parametrize("n_frames", [1, 299, 300, 301, 700, 901])
def test_every_frame_comes_once(network, features, n_frames):
    logits = network_logits(network, features[:n_frames], 100.0, chunk_s=3.0, margin_s=1.0)
    assert logits.shape == (n_frames, 2)
    assert np.isfinite(logits).all()


def test_a_long_track_never_enters_the_network_whole(network, features):
    seen = []
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[1]))
    network_logits(network, features, 100.0, chunk_s=3.0, margin_s=1.0)
    assert max(seen) <= 500


def test_cached_half_precision_features_do(network, features):
    single = network_logits(network, features, 100.0)
    half = network_logits(network, features.astype(np.float16), 100.0)
    np.testing.assert_allclose(half, single, atol=0.05)


def test_probabilities_follow_the_temperatures():
    logits = np.array([[0.0, 2.0], [800.0, -800.0]], dtype=np.float32)
    found = track_activation(logits, np.zeros((2, 8)), FeatureSpec(n_mels=8), 0.02, (1.0, 2.0))
    np.testing.assert_allclose(found.beat, [0.5, 1.0])
    np.testing.assert_allclose(found.downbeat, [1 / (1 + np.exp(-1)), 0.0], atol=1e-12)
    assert found.onset.shape[0] == 2


def test_one_output_has_no_downbeat_channel():
    found = track_activation(np.zeros((3, 1)), np.zeros((3, 8)), FeatureSpec(n_mels=8), 0.03)
    assert found.downbeat is None
