"""Networks of the table: shapes, padding, how far they see; a new one is a class and a line."""

import pytest
import torch
from torch import nn

from beatgrid.errors import BeatgridError
from beatgrid.networks import NETWORKS, Network, build_network, count_parameters
from beatgrid.networks.legacy import NOTEBOOK
from beatgrid.networks.network import NetworkOutput
from beatgrid.training.module import BeatModule
from tests.networks.small import FRONT_END, SMALL, TRAINING

# Two convolutions: what the first one makes of padding must not reach the second.
TWO_CONVOLUTIONS = {"channels": [4, 4], "frequency_strides": [2, 1], "frequency_pools": [1, 1]}


def small(name: str, n_mels: int = 16, **changes) -> Network:
    torch.manual_seed(0)
    return build_network(name, n_mels=n_mels, **SMALL[name] | changes).eval()


@pytest.fixture(params=sorted(NETWORKS))
def name(request) -> str:
    return request.param


def test_every_network_is_tested():
    assert set(SMALL) == set(NETWORKS)


def test_crnn_holds_the_notebooks_network_to_the_parameter():
    network = build_network(**NOTEBOOK)
    assert count_parameters(network) == 2_644_801
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes["cnn.0.weight"] == (32, 1, 3, 3)
    assert shapes["cnn.1.running_mean"] == (32,)
    assert shapes["cnn.4.weight"] == (64, 32, 3, 3)
    assert shapes["cnn.5.weight"] == (64,)
    assert shapes["rnn.weight_ih_l0"] == (512, 2048)
    assert shapes["rnn.weight_hh_l1_reverse"] == (512, 128)
    assert shapes["output.weight"] == (1, 256)
    assert not [name for name in shapes if name.split(".")[0] not in {"cnn", "rnn", "output"}]


@pytest.mark.parametrize("n_frames", [1, 2, 101])
def test_one_logit_per_frame_and_output(name, n_frames):
    assert small(name)(torch.zeros(3, n_frames, 16)).logits.shape == (3, n_frames, 2)


@pytest.mark.parametrize("n_mels", [30, 33, 81])
@pytest.mark.parametrize("projection_size", [0, 6])
def test_any_number_of_mel_bands_fits_the_strides_and_pools(name, n_mels, projection_size):
    network = small(
        name,
        n_mels,
        channels=[4, 4],
        frequency_strides=[4, 1],
        frequency_pools=[1, 2],
        projection_size=projection_size,
    )
    assert network(torch.zeros(1, 5, n_mels)).logits.shape == (1, 5, 2)


@pytest.mark.parametrize("name", ["tcn", "tcn_lstm", "crnn"])
def test_padding_leaves_the_shorter_item_as_it_is_alone(name):
    """The backward pass starts at the last valid frame, and padding is masked in convolutions."""
    network = small(name, **TWO_CONVOLUTIONS)
    short = torch.randn(1, 30, 16) * 20 - 40
    padded = nn.functional.pad(short, (0, 0, 0, 200), value=5.0)
    batch = torch.cat([padded, torch.randn(1, 230, 16) * 20 - 40])
    n_frames = torch.tensor([30, 230])
    alone = network(short).logits[0]
    torch.testing.assert_close(network(batch, n_frames).logits[0, :30], alone, atol=1e-5, rtol=0)
    assert (network(batch).logits[0, :30] - alone).abs().max() > 1e-3
    torch.testing.assert_close(network(batch, n_frames).logits[1], network(batch[1:]).logits[0])


def test_convolutions_see_exactly_as_far_as_they_say():
    network = small("tcn", channels=[4, 4], frequency_strides=[2, 1], frequency_pools=[1, 1])
    assert network.context_frames == 2 + 14  # two kernels of 3; (5 - 1) / 2 * (2 ** 3 - 1)
    features = (torch.randn(1, 101, 16) * 20 - 40).requires_grad_()
    network(features).logits[0, 50].sum().backward()
    seen = torch.nonzero(features.grad.abs().sum((0, 2)))[:, 0]
    assert (int(seen.min()), int(seen.max())) == (50 - 16, 50 + 16)


@pytest.mark.parametrize("name", ["crnn", "tcn_lstm"])
def test_lstms_see_past_and_future(name):
    features = torch.full((1, 50, 16), -60.0, requires_grad=True)
    small(name)(features).logits[0, 25, 0].backward()
    seen = features.grad.abs().sum((0, 2))
    assert seen[0] > 0
    assert seen[-1] > 0


def test_convolutions_have_a_skip_connection_past_the_lstm():
    network = small("tcn_lstm")
    assert network.output.in_features == 6 + 2 * 5
    with torch.no_grad():
        network.output.weight[:, 6:] = 0  # nothing of the LSTM reaches the output
    features = torch.randn(2, 40, 16) * 20 - 40
    assert network(features).logits.std() > 1e-3


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("crnn", {"channels": [8, 8, 8]}, "one value per convolution, not 3, 1 and 1"),
        ("crnn", {"kernel_size": [2, 3]}, r"two odd numbers, not \[2, 3\]"),
        ("tcn", {"tcn_layers": 0}, "model.tcn_layers=0: must be a whole number from 1 to 64"),
        ("tcn", {"tcn_kernel_size": 4}, "tcn_kernel_size must be odd, not 4"),
        ("crnn", {"frequency_pools": [0]}, r"model.frequency_pools=\[0\]: must be a list, each a"),
        ("crnn", {"frequency_pools": [17]}, "16 mel bands are too few"),
        ("crnn", {"n_outputs": 3}, "model.n_outputs=3: must be one of 1, 2"),
        ("crnn", {"dropout": 1.5}, "model.dropout=1.5: must be a number from 0 to 1"),
        ("crnn", {"num_layers": 0}, "model.num_layers=0: must be a whole number from 1"),
        ("crnn", {"hidden_size": "wide"}, "model.hidden_size=wide: must be a whole number"),
        ("crnn", {"hidden_size": -1}, "model.hidden_size=-1: must be a whole number"),
        ("crnn", {"hidden_size": True}, "model.hidden_size=true: must be a whole number from 1"),
        ("crnn", {"channels": 4}, "model.channels=4: must be a list, each a whole number"),
        ("crnn", {"dropout": float("nan")}, "model.dropout=nan: must be a number from 0 to 1"),
    ],
)
def test_values_that_cannot_be_are_named(name, changes, message):
    with pytest.raises(BeatgridError, match=message) as caught:
        small(name, **changes)
    assert "\n" not in str(caught.value)


def test_an_argument_that_would_do_nothing_is_refused():
    with pytest.raises(BeatgridError, match=r"model\.hidden_size=48: network 'tcn' has no such"):
        small("tcn", hidden_size=48)
    with pytest.raises(BeatgridError, match=r"model\.tcn_layers=9: network 'crnn' has no such"):
        small("crnn", tcn_layers=9)


def test_what_is_missing_is_named():
    with pytest.raises(BeatgridError, match="network 'crnn' needs hidden_size, n_mels, num_layers"):
        build_network("crnn", **FRONT_END)
    with pytest.raises(BeatgridError, match=r"model\.network=lstm: must be one of crnn, tcn"):
        build_network("lstm")


class Toy(Network):
    """A toy network: each frame by itself."""

    context_frames = 0

    def __init__(self, *, n_mels: int, gain: float) -> None:
        super().__init__()
        self.gain = gain
        self.output = nn.Linear(n_mels, 1)

    def forward(self, features, n_frames=None):
        return NetworkOutput(self.gain * self.output(features))


def test_a_new_network_is_one_class_and_one_line(monkeypatch, tmp_path):
    """Train a step, save, load, and find an activation with it."""
    from beatgrid.activation.network import NetworkSource
    from beatgrid.networks.checkpoint import load_model
    from tests.networks.test_checkpoint import save

    monkeypatch.setitem(NETWORKS, "toy", Toy)
    module = BeatModule(features={"n_mels": 8}, network="toy", gain=2.0, **TRAINING)
    monkeypatch.setattr(module, "log", lambda *values, **options: None)  # there is no trainer
    batch = {
        "features": torch.randn(2, 30, 8),
        "n_frames": torch.tensor([30, 30]),
        "target": torch.rand(2, 30, 2),
        "mask": torch.ones(2, 30, 2),
    }
    module.training_step(batch, 0).backward()
    assert module.network.output.weight.grad.abs().max() > 0
    save(module, tmp_path / "toy.ckpt")
    source = NetworkSource(load_model(tmp_path / "toy.ckpt"))
    features = batch["features"][0]
    expected = module.network(features[None]).logits[0, :, 0].sigmoid()
    found = source(features.numpy(), 0.4).beat
    torch.testing.assert_close(torch.tensor(found), expected.double().detach())
    with pytest.raises(BeatgridError, match=r"model\.hidden_size=3: neither network 'toy' nor"):
        BeatModule(features={"n_mels": 8}, network="toy", gain=1.0, hidden_size=3, **TRAINING)
