"""The tempo head: one answer for a whole crop or track, beside a logit per frame."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import elu, log_softmax

from beatgrid.networks.temporal import valid_frames
from beatgrid.tempo_classes import N_CLASSES


class TempoHead(nn.Module):
    """Mean over time of features made from each frame, then a small network over tempo classes.

    The beat's logits say where something recurs; which of its levels people count is told by the
    whole: how long harmonies last, how much happens in a bar.

    Args:
        width: Features per frame in.
        size: Width of its two hidden layers.
        dropout: Dropout probability between them.
    """

    def __init__(self, width: int, size: int, dropout: float) -> None:
        super().__init__()
        self.per_frame = nn.Linear(width, size)
        self.classes = nn.Sequential(
            nn.Linear(size, size), nn.ELU(), nn.Dropout(dropout), nn.Linear(size, N_CLASSES)
        )

    def forward(self, x: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Map (batch, frames, width) to logits of the tempo classes, (batch, classes).

        Args:
            x: Features of each frame.
            n_frames: Valid frames of each item, int64 (batch,). None: all are valid.
        """
        x = elu(self.per_frame(x)).float()
        if n_frames is None:
            return self.classes(x.mean(dim=1))
        valid = valid_frames(n_frames, x)[..., None]
        return self.classes((x * valid).sum(dim=1) / n_frames.to(x.device)[:, None])


def tempo_loss(logits: Tensor, target: Tensor, n_known: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy of crops whose tempo is known.

    Args:
        logits: (batch, classes).
        target: Distributions over the classes, all zero where the tempo is not known, as
            ``logits``.
        n_known: How many tempi are known, where it is not those of this batch alone.

    Returns:
        Scalar; 0 where no tempo is known.
    """
    n_known = target.sum().clamp(min=1) if n_known is None else n_known
    return -(target * log_softmax(logits.float(), dim=-1)).sum() / n_known
