"""Temporal parts of networks: dilated convolutions and bidirectional LSTMs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

# An LSTM remembers without a limit in principle. Measured with `model=crnn_small` after ten epochs
# on 50 pieces of the package's generator: where 13 tracks (six real) were cut off at 188 places,
# no logit farther than 700 frames from the cut changed by more than 1.2e-6, the rounding of float32
# (farther than 500: 5e-4; 300: 0.02). Half as much again for networks that remember longer.
LSTM_CONTEXT_FRAMES = 1024


class DilatedConvolutions(nn.Module):
    """Residual convolutions in time, the i-th with dilation 2^i: a temporal convolutional network.

    After Davies and Böck, "Temporal convolutional networks for musical audio beat tracking",
    EUSIPCO 2019.

    Args:
        width: Channels in and out.
        num_layers: Convolutions, at least 1.
        kernel_size: Frames each of them spans before dilation, odd.
        dropout: Dropout probability after each of them.

    Attributes:
        context_frames: Frames to either side that an output depends on.

    Raises:
        ValueError: No layer, or an even kernel.
    """

    def __init__(self, width: int, num_layers: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"tcn_layers must be at least 1, not {num_layers}")
        if kernel_size % 2 == 0:
            raise ValueError(f"tcn_kernel_size must be odd, not {kernel_size}")
        self.layers = nn.ModuleList(
            nn.Sequential(
                _FrameConvolution(
                    width,
                    width,
                    kernel_size,
                    padding=kernel_size // 2 * 2**i,  # "same", which ONNX Runtime does not dilate
                    dilation=2**i,
                ),
                nn.ELU(),
                nn.Dropout(dropout),
                _FrameConvolution(width, width, 1),
            )
            for i in range(num_layers)
        )
        self.context_frames = (kernel_size - 1) // 2 * (2**num_layers - 1)

    def forward(self, x: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Map (batch, frames, width) to the same, masking frames beyond ``n_frames`` (batch,)."""
        mask = None if n_frames is None else valid_frames(n_frames, x)[:, None, None].to(x.dtype)
        x = x.transpose(1, 2).unsqueeze(2)
        for layer in self.layers:
            x = x + layer(x if mask is None else x * mask)
        return x.squeeze(2).transpose(1, 2)


class _FrameConvolution(nn.Conv1d):
    """A convolution in time of (batch, channels, 1, frames), which may lie channels last in memory.

    The same numbers as of ``Conv1d``, whose kernels for the CPU copy each input and gradient first:
    a training step in bfloat16 takes three quarters of the time.
    """

    def forward(self, x: Tensor) -> Tensor:
        dilation, padding = self.dilation[0], int(self.padding[0])
        return F.conv2d(
            x, self.weight.unsqueeze(2), self.bias, padding=(0, padding), dilation=(1, dilation)
        )


class BiLSTM(nn.LSTM):
    """A bidirectional LSTM over frames whose backward pass starts at the last valid one.

    Args:
        width: Features per frame in.
        hidden_size: Width in each direction.
        num_layers: Layers, at least 1.
        dropout: Dropout probability between layers.

    Attributes:
        context_frames: Beyond so many frames to either side an input changes an output by no more
            than float32's rounding: measured, not guaranteed (``LSTM_CONTEXT_FRAMES``).
    """

    context_frames = LSTM_CONTEXT_FRAMES

    def __init__(self, width: int, hidden_size: int, num_layers: int, dropout: float) -> None:
        super().__init__(
            width,
            hidden_size,
            num_layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if num_layers > 1 else 0.0,  # torch warns where there is no between
        )

    def forward(  # type: ignore[override]
        self, x: Tensor, n_frames: Tensor | None = None
    ) -> Tensor:
        """Map (batch, frames, width) to (batch, frames, 2 * hidden_size)."""
        if n_frames is None:
            return super().forward(x)[0]
        packed = pack_padded_sequence(x, n_frames.cpu(), batch_first=True, enforce_sorted=False)
        out, _ = super().forward(packed)
        return pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0]


def valid_frames(n_frames: Tensor, x: Tensor) -> Tensor:
    """Tell which frames of a padded batch are an item's own, bool (batch, frames).

    Args:
        n_frames: Valid frames of each item, int64 (batch,).
        x: The batch, (batch, frames, ...).
    """
    frames = torch.arange(x.shape[1], device=x.device)
    return frames < n_frames.to(x.device)[:, None]
