import math

import pytest
import torch

from beatgrid.networks.losses import masked_bce, trim_to_shortest


def test_equals_mean_cross_entropy_over_valid_frames_only():
    logits = torch.tensor([[[0.0], [2.0], [50.0]]])
    target = torch.tensor([[[1.0], [0.0], [0.0]]])
    mask = torch.tensor([[[1.0], [1.0], [0.0]]])
    expected = (math.log(2) + math.log1p(math.exp(2.0))) / 2
    assert float(masked_bce(logits, target, mask)) == pytest.approx(expected, rel=1e-6)


def test_batch_mean_weighs_frames_not_items():
    """Two valid frames in one item, one in the other: each frame counts a third."""
    logits = torch.tensor([[[0.0], [0.0]], [[3.0], [9.0]]])
    target = torch.zeros(2, 2, 1)
    mask = torch.tensor([[[1.0], [1.0]], [[1.0], [0.0]]])
    expected = (2 * math.log(2) + math.log1p(math.exp(3.0))) / 3
    assert float(masked_bce(logits, target, mask)) == pytest.approx(expected, rel=1e-6)


def test_pos_weight_multiplies_the_positive_part():
    logits, mask = torch.zeros(1, 2, 1), torch.ones(1, 2, 1)
    target = torch.tensor([[[1.0], [0.0]]])
    loss = masked_bce(logits, target, mask, pos_weight=5.0)
    assert float(loss) == pytest.approx((5 * math.log(2) + math.log(2)) / 2, rel=1e-6)


def test_focal_loss_weighs_by_the_distance_to_the_target():
    logits, target = torch.tensor([[[0.0], [math.log(3)]]]), torch.tensor([[[1.0], [0.5]]])
    # Probabilities 1/2 and 3/4: distances 1/2 and 1/4.
    plain = (math.log(2), math.log(4) - 0.5 * math.log(3))
    expected = (plain[0] / 4 + plain[1] / 16) / 2
    loss = masked_bce(logits, target, torch.ones(1, 2, 1), focal_gamma=2.0)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_channel_without_a_known_frame_adds_nothing_and_has_no_gradient():
    logits = torch.zeros(1, 3, 2, requires_grad=True)
    target = torch.ones(1, 3, 2)
    mask = torch.stack([torch.ones(1, 3), torch.zeros(1, 3)], dim=-1)
    loss = masked_bce(logits, target, mask, channel_weights=(1.0, 10.0))
    assert float(loss.detach()) == pytest.approx(math.log(2), rel=1e-6)
    loss.backward()
    assert logits.grad[..., 1].abs().max() == 0
    assert torch.isfinite(logits.grad).all()


def test_one_output_is_trained_on_the_beat_channel():
    logits = torch.tensor([[[3.0]]])
    target = torch.tensor([[[1.0, 0.0]]])
    loss = masked_bce(logits, target, torch.ones(1, 1, 2))
    assert float(loss) == pytest.approx(math.log1p(math.exp(-3.0)), rel=1e-6)


def test_trimming_accepts_one_frame_and_refuses_two():
    a, b = torch.zeros(2, 10, 3), torch.zeros(2, 9, 1)
    assert [t.shape[1] for t in trim_to_shortest(a, b)] == [9, 9]
    with pytest.raises(ValueError, match=r"more than 1 frame\(s\): \[10, 8\]"):
        trim_to_shortest(a, b[:, :8])
