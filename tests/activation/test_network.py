"""A network over a whole track: chunks equal the whole, whatever the network and its features."""

import numpy as np
import pytest
import torch

from beatgrid.activation import network_logits, track_activation
from beatgrid.activation.chunks import TrackLogits
from beatgrid.activation.network import batch_logits
from beatgrid.audio.features import FeatureSpec
from beatgrid.networks import NETWORKS, build_network
from tests.networks.small import SMALL


def network_of(name, **changes):
    torch.manual_seed(0)
    return build_network(name, n_mels=16, **SMALL[name] | changes).eval()


def noise(n_frames):
    """Log-mel of (frames, 16)."""
    return np.random.default_rng(0).normal(-40, 10, (n_frames, 16)).astype(np.float32)


def whole_and_chunked(network, chunk_frames, n_frames):
    features = noise(n_frames)
    whole = network_logits(network, features, chunk_frames=n_frames).frames
    return whole, network_logits(network, features, chunk_frames=chunk_frames).frames


@pytest.fixture
def tcn():
    return network_of("tcn")


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_chunks_equal_the_whole_track(name):
    network = network_of(name)
    n_frames = 3 * network.context_frames + 400
    whole, chunked = whole_and_chunked(network, 150, n_frames)
    assert chunked.shape == whole.shape == (n_frames, 2)
    assert whole.std() > 0.01
    # Convolutions of other lengths add in another order: 5e-7 are a few units in the last place.
    np.testing.assert_allclose(chunked, whole, rtol=0, atol=5e-7)


def test_chunks_equal_the_whole_track_with_11_dilated_convolutions():
    network = network_of("tcn", tcn_layers=11)
    assert network.context_frames == 4095
    whole, chunked = whole_and_chunked(network, 2000, 14_000)
    np.testing.assert_allclose(chunked, whole, rtol=0, atol=5e-7)


def test_margins_are_frames_whatever_the_resolution():
    """With hop_length=1024 the context of nine layers lasts 24 s instead of 12."""
    network = network_of("tcn", tcn_layers=9)
    spec = FeatureSpec(hop_length=1024, n_mels=16)
    assert network.context_frames / spec.frame_rate == pytest.approx(23.8, abs=0.1)
    whole, chunked = whole_and_chunked(network, round(30 * spec.frame_rate), 7000)
    np.testing.assert_allclose(chunked, whole, rtol=0, atol=5e-7)


def test_margins_below_the_context_would_show(tcn, monkeypatch):
    assert tcn.context_frames == 15
    monkeypatch.setattr(type(tcn), "context_frames", 14)
    whole, chunked = whole_and_chunked(tcn, 150, 1000)
    assert np.abs(chunked - whole).max() > 1e-5


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_batch_of_pieces_of_any_length_equals_each_alone(name):
    layers = {"channels": [4, 4], "frequency_strides": [2, 1], "frequency_pools": [1, 1]}
    network = network_of(name, tempo_size=7, **layers)
    pieces = [noise(n_frames) for n_frames in (300, 1, 35, 120, 300)]
    for piece, found in zip(pieces, batch_logits(network, pieces), strict=True):
        alone = network_logits(network, piece)
        assert alone.frames.shape == (len(piece), 2)
        np.testing.assert_allclose(found.frames, alone.frames, rtol=0, atol=1e-6)
        np.testing.assert_allclose(found.tempo, alone.tempo, rtol=0, atol=1e-6)


def test_features_that_are_no_numbers_stay_with_their_track(tcn):
    pieces = [noise(50), np.full((60, 16), np.nan, np.float32)]
    good, bad = batch_logits(tcn, pieces)
    np.testing.assert_allclose(good.frames, network_logits(tcn, pieces[0]).frames, atol=1e-6)
    assert np.isnan(bad.frames).all()


@pytest.mark.parametrize("n_frames", [1, 149, 150, 151, 180, 181, 301])
def test_every_frame_comes_once(tcn, n_frames):
    logits = network_logits(tcn, noise(n_frames), chunk_frames=150).frames
    assert logits.shape == (n_frames, 2)
    assert np.isfinite(logits).all()


def test_a_long_track_never_enters_the_network_whole(tcn):
    seen = []
    tcn.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[1]))
    network_logits(tcn, noise(2500), chunk_frames=150)
    assert max(seen) == 150 + 2 * 15


def test_cached_half_precision_features_do(tcn):
    single = network_logits(tcn, noise(500)).frames
    half = network_logits(tcn, noise(500).astype(np.float16)).frames
    np.testing.assert_allclose(half, single, atol=0.05)


def test_probabilities_follow_the_temperatures():
    logits = TrackLogits(np.array([[0.0, 2.0], [800.0, -800.0]], dtype=np.float32))
    found = track_activation(logits, np.zeros((2, 8)), FeatureSpec(n_mels=8), 0.02, (1.0, 2.0))
    np.testing.assert_allclose(found.beat, [0.5, 1.0])
    np.testing.assert_allclose(found.downbeat, [1 / (1 + np.exp(-1)), 0.0], atol=1e-12)
    assert found.onset.shape[0] == 2


def test_one_output_has_no_downbeat_channel():
    found = track_activation(
        TrackLogits(np.zeros((3, 1))), np.zeros((3, 8)), FeatureSpec(n_mels=8), 0.03
    )
    assert found.downbeat is None
