import math

import pytest
import torch

from beatgrid.errors import BeatgridError
from beatgrid.networks import LOSSES, build_loss
from beatgrid.networks.losses import trim_to_shortest
from beatgrid.training.module import BeatModule
from tests.networks.small import module_arguments


def bce(logits, target, mask, pos_weight=1.0, downbeat_weight=1.0, focal_gamma=0.0):
    arguments = {"pos_weight": pos_weight, "downbeat_weight": downbeat_weight}
    loss = build_loss("bce", **arguments, focal_gamma=focal_gamma)(logits, target, mask)
    return float(loss.detach())


def test_equals_mean_cross_entropy_over_valid_frames_only():
    logits = torch.tensor([[[0.0], [2.0], [50.0]]])
    target = torch.tensor([[[1.0], [0.0], [0.0]]])
    mask = torch.tensor([[[1.0], [1.0], [0.0]]])
    expected = (math.log(2) + math.log1p(math.exp(2.0))) / 2
    assert bce(logits, target, mask) == pytest.approx(expected, rel=1e-6)


def test_batch_mean_weighs_frames_not_items():
    """Two valid frames in one item, one in the other: each frame counts a third."""
    logits = torch.tensor([[[0.0], [0.0]], [[3.0], [9.0]]])
    target = torch.zeros(2, 2, 1)
    mask = torch.tensor([[[1.0], [1.0]], [[1.0], [0.0]]])
    expected = (2 * math.log(2) + math.log1p(math.exp(3.0))) / 3
    assert bce(logits, target, mask) == pytest.approx(expected, rel=1e-6)


def test_pos_weight_multiplies_the_positive_part():
    logits, mask = torch.zeros(1, 2, 1), torch.ones(1, 2, 1)
    target = torch.tensor([[[1.0], [0.0]]])
    loss = bce(logits, target, mask, pos_weight=5.0)
    assert loss == pytest.approx((5 * math.log(2) + math.log(2)) / 2, rel=1e-6)


def test_focal_loss_weighs_by_the_distance_to_the_target():
    logits, target = torch.tensor([[[0.0], [math.log(3)]]]), torch.tensor([[[1.0], [0.5]]])
    # Probabilities 1/2 and 3/4: distances 1/2 and 1/4.
    plain = (math.log(2), math.log(4) - 0.5 * math.log(3))
    expected = (plain[0] / 4 + plain[1] / 16) / 2
    loss = bce(logits, target, torch.ones(1, 2, 1), focal_gamma=2.0)
    assert loss == pytest.approx(expected, rel=1e-6)


def test_downbeats_have_their_own_weight():
    logits, target, mask = torch.zeros(1, 3, 2), torch.zeros(1, 3, 2), torch.ones(1, 3, 2)
    assert bce(logits, target, mask, downbeat_weight=0.5) == pytest.approx(1.5 * math.log(2))


def test_channel_without_a_known_frame_adds_nothing_and_has_no_gradient():
    logits = torch.zeros(1, 3, 2, requires_grad=True)
    target = torch.ones(1, 3, 2)
    mask = torch.stack([torch.ones(1, 3), torch.zeros(1, 3)], dim=-1)
    loss = build_loss("bce", pos_weight=1.0, downbeat_weight=10.0, focal_gamma=0.0)(
        logits, target, mask
    )
    assert float(loss.detach()) == pytest.approx(math.log(2), rel=1e-6)
    loss.backward()
    assert logits.grad[..., 1].abs().max() == 0
    assert torch.isfinite(logits.grad).all()


def test_one_output_is_trained_on_the_beat_channel():
    logits = torch.tensor([[[3.0]]])
    target = torch.tensor([[[1.0, 0.0]]])
    loss = bce(logits, target, torch.ones(1, 1, 2))
    assert loss == pytest.approx(math.log1p(math.exp(-3.0)), rel=1e-6)


def test_trimming_accepts_one_frame_and_refuses_two():
    a, b = torch.zeros(2, 10, 3), torch.zeros(2, 9, 1)
    assert [t.shape[1] for t in trim_to_shortest(a, b)] == [9, 9]
    with pytest.raises(ValueError, match=r"more than 1 frame\(s\): \[10, 8\]"):
        trim_to_shortest(a, b[:, :8])


def test_what_a_loss_lacks_or_misses_is_named():
    with pytest.raises(BeatgridError, match=r"model\.delta=1\.0: loss 'bce' has no such argument"):
        build_loss("bce", pos_weight=1.0, downbeat_weight=1.0, focal_gamma=0.0, delta=1.0)
    with pytest.raises(BeatgridError, match="loss 'bce' needs focal_gamma"):
        build_loss("bce", pos_weight=1.0, downbeat_weight=1.0)
    with pytest.raises(BeatgridError, match=r"model\.pos_weight=much: must be a number from 0"):
        build_loss("bce", pos_weight="much", downbeat_weight=1.0, focal_gamma=0.0)


class SquaredError:
    """A toy loss: the mean square of logit minus target, scaled, on the beat alone."""

    def __init__(self, *, scale: float) -> None:
        self.scale = scale

    def __call__(self, logits, target, mask):
        difference = (logits[..., 0] - target[..., 0]) * mask[..., 0]
        return self.scale * (difference**2).sum() / mask[..., 0].sum()


def test_a_new_loss_is_one_class_and_one_line(monkeypatch):
    monkeypatch.setitem(LOSSES, "square", SquaredError)
    arguments = module_arguments("tcn", loss="square", scale=3.0)
    for name in ("pos_weight", "downbeat_weight", "focal_gamma"):
        with pytest.raises(BeatgridError, match="nor loss 'square' has such an argument"):
            BeatModule(features={"n_mels": 8}, **arguments)
        del arguments[name]
    module = BeatModule(features={"n_mels": 8}, **arguments).eval()
    monkeypatch.setattr(module, "log", lambda *values, **options: None)  # there is no trainer
    batch = {
        "features": torch.zeros(1, 4, 8),
        "n_frames": torch.tensor([4]),
        "target": torch.ones(1, 4, 2),
        "mask": torch.tensor([[[1.0, 1.0]] * 3 + [[0.0, 0.0]]]),
    }
    beat = module(batch["features"], batch["n_frames"]).logits[0, :3, 0]
    expected = 3.0 * ((beat - 1) ** 2).mean()
    torch.testing.assert_close(module.training_step(batch, 0), expected)


def test_losses_of_shares_with_one_divisor_have_the_mean_of_the_whole():
    loss = build_loss("bce", pos_weight=3.0, downbeat_weight=2.0, focal_gamma=0.0)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 6, 2, generator=generator)
    target = torch.rand(4, 6, 2, generator=generator)
    mask = torch.ones(4, 6, 2)
    mask[0, :, 1] = 0  # the first share knows few downbeats
    mask[1, 2:, 1] = 0
    n_valid = mask.sum((0, 1)) / 2
    shares = [loss(logits[i], target[i], mask[i], n_valid) for i in (slice(2), slice(2, 4))]
    torch.testing.assert_close(sum(shares) / 2, loss(logits, target, mask))
    alone = [loss(logits[i], target[i], mask[i]) for i in (slice(2), slice(2, 4))]
    assert abs(sum(alone) / 2 - loss(logits, target, mask)) > 0.01
