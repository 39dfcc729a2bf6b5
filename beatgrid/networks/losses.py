"""Training losses by name: on logits, over valid frames only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from beatgrid.checks import Interval, NotNegative
from beatgrid.networks.arguments import build

Loss = Callable[..., Tensor]
"""Logits, targets and mask, all (batch, frames, channels), to a scalar: see ``MaskedBCE``.

Where several processes train together, ``n_valid=`` comes as well.
"""


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


@dataclass(frozen=True)
class MaskedBCE:
    """Mean binary cross-entropy per channel over its valid frames, weighted and added.

    Attributes:
        pos_weight: Weight of the positive part of the target.
        downbeat_weight: Weight of the downbeat channel's mean beside the beat's 1.
        focal_gamma: Frames weigh ``|target - probability| ** focal_gamma``, so that those
            already right count less (Lin et al., "Focal loss for dense object detection", ICCV
            2017, for soft targets); 0 weighs all alike.
    """

    pos_weight: NotNegative
    downbeat_weight: NotNegative
    focal_gamma: Annotated[float, Interval(0, 100)]

    def __call__(
        self, logits: Tensor, target: Tensor, mask: Tensor, n_valid: Tensor | None = None
    ) -> Tensor:
        """Return the loss of a batch.

        Args:
            logits: (batch, frames, channels).
            target: In [0, 1], (batch, frames, targets), targets >= channels: a network without a
                downbeat channel is trained on the beat alone.
            mask: 1 where the target is known, else 0, as ``target``.
            n_valid: What the sum over each target's valid frames is divided by, (targets,); their
                count in this batch by default. Processes that train together take the mean of
                their counts, so that the mean of their losses is that of all their frames.

        Returns:
            Scalar. A channel without a valid frame adds 0.
        """
        channels = logits.shape[-1]
        target, mask = target[..., :channels], mask[..., :channels]
        loss = binary_cross_entropy_with_logits(
            logits, target, reduction="none", pos_weight=logits.new_tensor(self.pos_weight)
        )
        if self.focal_gamma:
            loss = loss * (target - logits.sigmoid()).abs() ** self.focal_gamma
        n_valid = mask.sum((0, 1)).clamp(min=1) if n_valid is None else n_valid[:channels]
        per_channel = (loss * mask).sum((0, 1)) / n_valid
        weights = torch.as_tensor(
            (1.0, self.downbeat_weight)[:channels], dtype=loss.dtype, device=loss.device
        )
        return (per_channel * weights).sum()


LOSSES: dict[str, type[Any]] = {"bce": MaskedBCE}
"""What ``model.loss`` may name."""


def build_loss(name: str, **arguments: Any) -> Loss:
    """Make a loss by its name from plain arguments.

    Raises:
        BeatgridError: An unknown name, an argument that this loss lacks or that is missing, or a
            value of the wrong type.
    """
    return build("loss", LOSSES, name, arguments)
