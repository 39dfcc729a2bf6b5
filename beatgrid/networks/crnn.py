"""The convolutional recurrent network: log-mel frames in, one logit per frame and channel out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class DilatedStack(nn.Module):
    """Residual convolutions in time, the i-th with dilation 2^i: a temporal convolutional network.

    Sees ``(kernel_size - 1) * (2 ** num_layers - 1) / 2`` frames to either side. After Davies and
    Böck, "Temporal convolutional networks for musical audio beat tracking", EUSIPCO 2019.

    Args:
        width: Channels in and out.
        num_layers: Convolutions.
        kernel_size: Frames each of them spans before dilation, odd.
        dropout: Drop-out after each of them.
    """

    def __init__(self, width: int, num_layers: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(width, width, kernel_size, padding="same", dilation=2**i),
                nn.ELU(),
                nn.Dropout(dropout),
                nn.Conv1d(width, width, 1),
            )
            for i in range(num_layers)
        )

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """(batch, frames, width) to the same; frames where ``valid`` is 0 are heard as 0."""
        x = x.transpose(1, 2)
        for layer in self.layers:
            x = x + layer(x if valid is None else x * valid)
        return x.transpose(1, 2)


class CRNN(nn.Module):
    """A small CNN over time and frequency, then a bidirectional LSTM, then a linear layer.

    The defaults are the notebook's BeatCRNN, parameter by parameter and key by key, so that its
    ``beat_crnn_mvp.pth`` loads. Striding the convolutions in frequency and projecting their
    output before the LSTM makes the light variants (``conf/model/crnn_small.yaml``).

    Args:
        n_mels: Mel bands of the input.
        channels: Output channels of each convolution.
        kernel_size: Extent of each convolution in (frames, mels), odd.
        frequency_strides: Stride in frequency of each convolution.
        frequency_pools: Max-pooling in frequency after each convolution; 1 for none.
        projection_size: Width between CNN and LSTM; 0 feeds the CNN's output as it is.
        tcn_layers: Dilated convolutions between projection and LSTM; 0 for none.
        tcn_kernel_size: Frames each of them spans before dilation, odd.
        hidden_size: Width of the LSTM in each direction.
        num_layers: LSTM layers; 0 for none, which leaves the time to the dilated convolutions.
        dropout: Drop-out before the LSTM, between its layers and before the output.
        n_outputs: Logits per frame: 1 (beat) or 2 (beat, downbeat).
        input_mean_db: Subtracted from the log-mel input.
        input_scale_db: The log-mel input is divided by it.
    """

    def __init__(
        self,
        n_mels: int = 128,
        channels: Sequence[int] = (32, 64),
        kernel_size: Sequence[int] = (3, 3),
        frequency_strides: Sequence[int] = (1, 1),
        frequency_pools: Sequence[int] = (2, 2),
        projection_size: int = 0,
        tcn_layers: int = 0,
        tcn_kernel_size: int = 5,
        hidden_size: int = 128,
        num_layers: int = 2,
        dropout: float = 0.0,
        n_outputs: int = 1,
        input_mean_db: float = 0.0,
        input_scale_db: float = 1.0,
    ) -> None:
        super().__init__()
        if not len(channels) == len(frequency_strides) == len(frequency_pools):
            raise ValueError(
                "channels, frequency_strides and frequency_pools need one value per convolution, "
                f"not {len(channels)}, {len(frequency_strides)} and {len(frequency_pools)}"
            )
        self.input_mean_db = input_mean_db
        self.input_scale_db = input_scale_db
        kernel = (kernel_size[0], kernel_size[1])
        padding = (kernel[0] // 2, kernel[1] // 2)
        layers: list[nn.Module] = []
        in_channels, bands = 1, n_mels
        for out_channels, stride, pool in zip(
            channels, frequency_strides, frequency_pools, strict=True
        ):
            layers += [
                nn.Conv2d(in_channels, out_channels, kernel, (1, stride), padding),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(),
            ]
            if pool > 1:
                layers.append(nn.MaxPool2d((1, pool)))
            in_channels, bands = out_channels, -(-bands // stride) // pool
        # Channels last: the same numbers, a quarter faster on a CPU (twice with bfloat16).
        self.cnn = nn.Sequential(*layers)
        self.cnn.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        width = in_channels * bands
        self.projection = nn.Linear(width, projection_size) if projection_size else nn.Identity()
        width = projection_size or width
        self.dropout = nn.Dropout(dropout)
        if tcn_layers:
            self.tcn = DilatedStack(width, tcn_layers, tcn_kernel_size, dropout)
        if num_layers:
            self.rnn = nn.LSTM(
                width,
                hidden_size,
                num_layers,
                batch_first=True,
                bidirectional=True,
                dropout=dropout if num_layers > 1 else 0.0,
            )
            # Beside an LSTM the stack keeps a way of its own to the output: through the LSTM
            # alone both stay on the plateau of a constant prediction for long.
            width = 2 * hidden_size + (width if tcn_layers else 0)
        self.has_tcn, self.has_rnn = tcn_layers > 0, num_layers > 0
        self.output = nn.Linear(width, n_outputs)

    def forward(self, features: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Logits of every frame.

        Args:
            features: Log-mel in dB, (batch, frames, mels).
            n_frames: Valid frames of each item, int64 (batch,), where the batch is padded; the
                LSTM then starts its way back at the last valid frame. None: all are valid.

        Returns:
            (batch, frames, outputs). Frames beyond ``n_frames`` hold no meaning.
        """
        x = (features - self.input_mean_db) / self.input_scale_db
        x = self.cnn(x.unsqueeze(1))  # (batch, channels, frames, bands)
        x = x.transpose(1, 2).flatten(2)  # (batch, frames, channels * bands)
        x = self.dropout(self.projection(x))
        padded = n_frames is not None and bool((n_frames != x.shape[1]).any())
        if self.has_tcn:
            x = self.tcn(x, _valid(n_frames, x) if padded else None)
        if self.has_rnn:
            recurred = self._recur(x, n_frames if padded else None)
            x = torch.cat((x, recurred), dim=-1) if self.has_tcn else recurred
        return self.output(self.dropout(x))

    def _recur(self, x: Tensor, n_frames: Tensor | None) -> Tensor:
        if n_frames is None:
            return self.rnn(x)[0]
        packed = pack_padded_sequence(x, n_frames.cpu(), batch_first=True, enforce_sorted=False)
        packed, _ = self.rnn(packed)
        return pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])[0]


def _valid(n_frames: Tensor | None, x: Tensor) -> Tensor:
    """1 for frames before each item's end, else 0, (batch, 1, frames)."""
    assert n_frames is not None
    frames = torch.arange(x.shape[1], device=x.device)
    return (frames < n_frames.to(x.device)[:, None]).to(x.dtype)[:, None]


def count_parameters(module: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
