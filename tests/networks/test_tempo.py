"""The tempo head: pooled over valid frames, its loss, and networks that grow one."""

import math

import numpy as np
import pytest
import torch

from beatgrid.activation.evidence import track_activation
from beatgrid.activation.network import network_logits
from beatgrid.audio.features import FeatureSpec
from beatgrid.networks import build_network
from beatgrid.networks.grow import differences, take_over
from beatgrid.networks.tempo import TempoHead, tempo_loss
from beatgrid.tempo_classes import N_CLASSES, class_target
from tests.networks.small import SMALL


def small(name, tempo_size=0, **changes):
    torch.manual_seed(1)
    arguments = SMALL[name] | {"tempo_size": tempo_size} | changes
    return build_network(name, n_mels=16, **arguments).eval()


@pytest.mark.parametrize("name", ["crnn", "tcn", "tcn_lstm"])
def test_padding_does_not_change_the_tempo(name):
    network = small(name, 7)
    short = torch.randn(1, 30, 16) * 20 - 40
    padded = torch.nn.functional.pad(short, (0, 0, 0, 60), value=5.0)
    batch = torch.cat([padded, torch.randn(1, 90, 16) * 20 - 40])
    found = network(batch, torch.tensor([30, 90])).tempo
    assert found.shape == (2, N_CLASSES)
    torch.testing.assert_close(found[0], network(short).tempo[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[1], network(batch[1:]).tempo[0], atol=1e-5, rtol=0)
    assert (network(batch).tempo[0] - found[0]).abs().max() > 1e-4


def test_the_head_answers_for_the_mean_of_frames():
    head = TempoHead(3, 5, 0.0)
    frame = torch.randn(1, 1, 3)
    once, often = head(frame), head(frame.expand(1, 50, 3))
    torch.testing.assert_close(once, often)


def test_loss_is_cross_entropy_over_crops_of_known_tempo():
    target = torch.from_numpy(np.stack([class_target(120.0), class_target(0.0)]))
    uniform = torch.zeros(2, N_CLASSES)
    assert float(tempo_loss(uniform, target)) == pytest.approx(math.log(N_CLASSES), rel=1e-5)
    right = (target + 1e-9).log()
    assert float(tempo_loss(right, target)) < float(tempo_loss(uniform, target))
    assert float(tempo_loss(uniform, torch.zeros_like(target))) == 0


def test_a_track_in_chunks_has_the_mean_tempo_of_its_pieces():
    network = small("tcn", 7)
    features = np.random.default_rng(0).normal(-40, 10, (90, 16)).astype(np.float32)
    margin = network.context_frames
    found = network_logits(network, features, chunk_frames=50)
    with torch.no_grad():
        first = network(torch.from_numpy(features[None, : 50 + margin])).tempo[0].numpy()
        second = network(torch.from_numpy(features[None, 50 - margin :])).tempo[0].numpy()
    np.testing.assert_allclose(found.tempo, (50 * first + 40 * second) / 90, atol=1e-6)
    activation = track_activation(found, features, FeatureSpec(n_mels=16), 1.0)
    assert np.exp(activation.tempo).sum() == pytest.approx(1)
    assert network_logits(small("tcn"), features).tempo is None


def test_a_grown_network_answers_as_the_trained_one():
    trained, grown = small("tcn"), small("tcn_lstm", 7)
    wanted = {"name": "tcn_lstm", **SMALL["tcn_lstm"], "tempo_size": 7, "dropout": 0.5}
    assert differences({"name": "tcn", **SMALL["tcn"]}, wanted) == []
    features = torch.randn(2, 40, 16) * 20 - 40
    assert not torch.equal(grown(features).logits, trained(features).logits)
    take_over(grown, trained)
    torch.testing.assert_close(grown(features).logits, trained(features).logits)


@pytest.mark.parametrize(
    ("trained", "wanted", "found"),
    [
        ({"name": "tcn_lstm"}, {"name": "tcn"}, ["model.network=tcn_lstm"]),
        ({"name": "tcn", "tempo_size": 7}, {"name": "tcn"}, ["model.tempo_size=7"]),
        ({"name": "tcn", "tcn_layers": 4}, {"name": "tcn_lstm"}, ["model.tcn_layers=4"]),
    ],
)
def test_networks_do_not_shrink_or_change_their_sizes(trained, wanted, found):
    arguments = {"tempo_size": 0, "tcn_layers": 3}
    assert differences(arguments | trained, arguments | wanted) == found
