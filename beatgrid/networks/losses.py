"""The training loss: binary cross-entropy on logits, over valid frames only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def trim_to_shortest(*tensors: Tensor, tolerance_frames: int = 1) -> tuple[Tensor, ...]:
    """Cut (batch, frames, ...) tensors to the shortest of them.

    A network that pools in time may round the number of frames by one; a larger difference means
    that features and labels do not belong together, which slicing would hide.

    Raises:
        ValueError: The lengths differ by more than ``tolerance_frames``.
    """
    lengths = [tensor.shape[1] for tensor in tensors]
    shortest = min(lengths)
    if max(lengths) - shortest > tolerance_frames:
        raise ValueError(
            f"lengths differ by more than {tolerance_frames} frame(s): {lengths}; "
            "do features and labels belong to the same track and hop_length?"
        )
    return tuple(tensor[:, :shortest] for tensor in tensors)


def masked_bce(
    logits: Tensor,
    target: Tensor,
    mask: Tensor,
    pos_weight: float = 1.0,
    channel_weights: Sequence[float] = (1.0, 1.0),
    focal_gamma: float = 0.0,
) -> Tensor:
    """Mean binary cross-entropy per channel over its valid frames, weighted and added.

    Args:
        logits: (batch, frames, channels).
        target: In [0, 1], (batch, frames, targets), targets >= channels: a network without a
            downbeat channel is trained on the beat alone.
        mask: 1 where the target is known, else 0, as ``target``.
        pos_weight: Weight of the positive part of the target.
        channel_weights: Weight of each channel's mean.
        focal_gamma: Frames weigh ``|target - probability| ** focal_gamma``, so that those
            already right count less (Lin et al., "Focal loss", ICCV 2017, for soft targets);
            0 weighs all alike.

    Returns:
        Scalar. A channel without a valid frame adds 0.
    """
    logits, target, mask = trim_to_shortest(logits, target, mask)
    channels = logits.shape[-1]
    target, mask = target[..., :channels], mask[..., :channels]
    loss = binary_cross_entropy_with_logits(
        logits, target, reduction="none", pos_weight=logits.new_tensor(pos_weight)
    )
    if focal_gamma:
        loss = loss * (target - logits.sigmoid()).abs() ** focal_gamma
    per_channel = (loss * mask).sum((0, 1)) / mask.sum((0, 1)).clamp(min=1)
    weights = torch.as_tensor(channel_weights[:channels], dtype=loss.dtype, device=loss.device)
    return (per_channel * weights).sum()
