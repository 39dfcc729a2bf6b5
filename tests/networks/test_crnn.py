import pytest
import torch

from beatgrid.networks.crnn import CRNN, DilatedStack, count_parameters


@pytest.fixture
def small() -> CRNN:
    torch.manual_seed(0)
    return CRNN(
        n_mels=32,
        channels=(4, 8),
        frequency_strides=(4, 2),
        frequency_pools=(1, 1),
        projection_size=16,
        hidden_size=12,
        n_outputs=2,
    ).eval()


def test_default_network_is_the_notebooks_to_the_parameter():
    network = CRNN()
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
def test_one_logit_per_frame_and_output(small, n_frames):
    assert small(torch.zeros(3, n_frames, 32)).shape == (3, n_frames, 2)


@pytest.mark.parametrize("n_mels", [30, 33, 81])
def test_any_number_of_mel_bands_fits_the_strides_and_pools(n_mels):
    network = CRNN(n_mels, (4, 4), frequency_strides=(4, 1), frequency_pools=(1, 2), hidden_size=4)
    assert network(torch.zeros(1, 5, n_mels)).shape == (1, 5, 1)


def test_padding_a_batch_leaves_the_shorter_item_as_it_was(small):
    torch.manual_seed(1)
    short, long = torch.randn(1, 40, 32) * 10 - 40, torch.randn(1, 64, 32) * 10 - 40
    alone = small(short)[0]
    padded = torch.nn.functional.pad(short, (0, 0, 0, 24))
    together = small(torch.cat([padded, long]), torch.tensor([40, 64]))
    # The convolutions see the padding where alone they see their own zeros: two frames, and what
    # the LSTM makes of them on its way back. Farther in there is no difference.
    assert torch.allclose(together[0, :20], alone[:20], atol=2e-3)
    assert torch.allclose(together[1], small(long)[0], atol=1e-5)


def test_lstm_starts_its_way_back_at_the_last_valid_frame():
    """Without packing, 200 padded frames of the way back would reach deep into a short item."""
    torch.manual_seed(0)
    network = CRNN(8, (2,), (1, 1), (1,), (1,), hidden_size=6).eval()  # no context in time
    short = torch.randn(1, 30, 8)
    padded = torch.nn.functional.pad(short, (0, 0, 0, 200), value=5.0)
    batch = torch.cat([padded, torch.randn(1, 230, 8)])
    assert torch.allclose(
        network(batch, torch.tensor([30, 230]))[0, :30], network(short)[0], atol=1e-5
    )
    assert not torch.allclose(network(batch)[0, :30], network(short)[0], atol=1e-3)


def test_every_frame_sees_past_and_future(small):
    features = torch.full((1, 50, 32), -60.0)
    features.requires_grad_()
    small(features)[0, 25, 0].backward()
    seen = features.grad.abs().sum((0, 2))
    assert seen[0] > 0
    assert seen[-1] > 0


def test_lists_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="one value per convolution, not 3, 2 and 2"):
        CRNN(channels=(8, 8, 8))


def test_dilated_stack_sees_as_far_as_it_says():
    torch.manual_seed(0)
    stack = DilatedStack(width=4, num_layers=3, kernel_size=5, dropout=0.0)
    x = torch.randn(1, 101, 4, requires_grad=True)
    stack(x)[0, 50].sum().backward()
    seen = torch.nonzero(x.grad.abs().sum((0, 2)))[:, 0]
    assert (int(seen.min()), int(seen.max())) == (50 - 14, 50 + 14)  # (5 - 1) * (2 ** 3 - 1) / 2


@pytest.mark.parametrize("num_layers", [0, 1])
def test_dilated_convolutions_stand_before_or_instead_of_the_lstm(num_layers):
    torch.manual_seed(0)
    network = CRNN(
        8, (2,), (1, 1), (1,), (1,), tcn_layers=3, hidden_size=6, num_layers=num_layers
    ).eval()  # no context in time but for the stack
    short = torch.randn(1, 30, 8)
    padded = torch.nn.functional.pad(short, (0, 0, 0, 20), value=5.0)
    batch = torch.cat([padded, torch.randn(1, 50, 8)])
    alone = network(short)[0]
    assert torch.allclose(network(batch, torch.tensor([30, 50]))[0, :30], alone, atol=1e-5)
    assert not torch.allclose(network(batch)[0, :30], alone, atol=1e-3)
