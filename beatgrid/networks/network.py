"""What every network offers, and the convolutional front end that those here share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import torch
from torch import Tensor, nn

from beatgrid.checks import Count, Interval, Share
from beatgrid.networks.tempo import TempoHead
from beatgrid.networks.temporal import valid_frames

Width = Annotated[int, Interval(1, 8192)]
Layers = Annotated[int, Interval(1, 64)]
Extent = Annotated[int, Interval(1, 8192)]
Outputs = Literal[1, 2]
TempoSize = Annotated[int, Interval(0, 8192)]


class NetworkOutput(NamedTuple):
    """What a network says of a batch.

    Attributes:
        logits: Of every frame and output, (batch, frames, outputs). Those of padded frames are
            arbitrary.
        tempo: Logits of the tempo classes (``beatgrid.tempo_classes``), (batch, classes); None
            where the network has no tempo head.
    """

    logits: Tensor
    tempo: Tensor | None = None


class Network(nn.Module):
    """Log-mel frames in, one logit per frame and output (beat, downbeat) out.

    A network is built from plain keyword arguments, ``n_mels`` among them.
    """

    @property
    @abstractmethod
    def context_frames(self) -> int:
        """How many frames to either side of a frame its logits depend on."""

    @abstractmethod
    def forward(self, features: Tensor, n_frames: Tensor | None = None) -> NetworkOutput:
        """Return the logits of every frame, and of the tempo where there is a head for it.

        Args:
            features: Log-mel in dB, (batch, frames, mels).
            n_frames: Valid frames of each item, int64 (batch,), where the batch is padded. None:
                all are valid.
        """


class FrequencyCNN(nn.Sequential):
    """Convolutions over time and frequency that reduce the frequency axis.

    Args:
        n_mels: Mel bands of the input.
        channels: Output channels of each convolution.
        kernel_size: Extent of each convolution in (frames, mels), both odd.
        frequency_strides: Stride in frequency of each convolution.
        frequency_pools: Max-pooling in frequency after each convolution; 1 for none.

    Attributes:
        width: Features per frame that come out.
        context_frames: Frames to either side that one of them depends on.

    Raises:
        ValueError: Lists of different lengths, an even kernel, or no band left.
    """

    def __init__(
        self,
        n_mels: int,
        channels: Sequence[int],
        kernel_size: Sequence[int],
        frequency_strides: Sequence[int],
        frequency_pools: Sequence[int],
    ) -> None:
        if not len(channels) == len(frequency_strides) == len(frequency_pools):
            raise ValueError(
                "channels, frequency_strides and frequency_pools need one value per convolution, "
                f"not {len(channels)}, {len(frequency_strides)} and {len(frequency_pools)}"
            )
        if len(kernel_size) != 2 or not all(extent % 2 for extent in kernel_size):
            # An even kernel would shift the output by half a frame.
            raise ValueError(f"kernel_size must be two odd numbers, not {list(kernel_size)}")
        for name, values in (
            ("channels", channels),
            ("frequency_strides", frequency_strides),
            ("frequency_pools", frequency_pools),
        ):
            if min(values, default=1) < 1:
                raise ValueError(f"{name} must be positive, not {list(values)}")
        kernel = (kernel_size[0], kernel_size[1])
        padding = (kernel[0] // 2, kernel[1] // 2)
        layers: list[nn.Module] = []
        in_channels, bands = 1, n_mels
        for out_channels, stride, pool in zip(
            channels, frequency_strides, frequency_pools, strict=True
        ):
            if -(-bands // stride) < pool:
                raise ValueError(f"{n_mels} mel bands are too few for these strides and pools")
            layers += [
                nn.Conv2d(in_channels, out_channels, kernel, (1, stride), padding),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(),
            ]
            if pool > 1:
                layers.append(nn.MaxPool2d((1, pool)))
            in_channels, bands = out_channels, -(-bands // stride) // pool
        super().__init__(*layers)
        self.width = in_channels * bands
        self.context_frames = len(channels) * padding[0]
        # Channels last: the same numbers, a quarter faster on a CPU (twice with bfloat16).
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Map (batch, frames, mels) to (batch, frames, width).

        Frames beyond ``n_frames`` (batch,) are zeros to each convolution, which is what it sees
        beyond the end of an item that is not padded.
        """
        mask = None if n_frames is None else valid_frames(n_frames, x)[:, None, :, None]
        x = x.unsqueeze(1)  # (batch, channels, frames, bands)
        for layer in self:
            if mask is not None and isinstance(layer, nn.Conv2d):
                x = x * mask.to(x.dtype)  # unlike masked_fill, leaves channels last
            x = layer(x)
        return x.transpose(1, 2).flatten(2)


class ConvolutionalNetwork(Network):
    """Front end (CNN and projection), temporal part, output layer.

    A subclass adds the temporal part (``relate``), and what follows it by ``add_outputs``.

    Args:
        n_mels: Mel bands of the input.
        channels: Output channels of each convolution of the front end.
        kernel_size: Extent of each of them in (frames, mels), both odd.
        frequency_strides: Stride in frequency of each of them.
        frequency_pools: Max-pooling in frequency after each of them; 1 for none.
        projection_size: Width between CNN and temporal part; 0 feeds the CNN's output as it is.
        dropout: Dropout probability before the temporal part and before the output.
        n_outputs: Logits per frame: 1 (beat) or 2 (beat, downbeat).
        tempo_size: Width of the tempo head; 0 for none.
        input_mean_db: Subtracted from the log-mel input.
        input_scale_db: The log-mel input is divided by it.

    Attributes:
        width: Features per frame that the temporal part receives.
    """

    output: nn.Linear
    tempo: TempoHead | None

    def __init__(
        self,
        *,
        n_mels: Count,
        channels: Sequence[Width],
        kernel_size: tuple[Extent, Extent],
        frequency_strides: Sequence[Extent],
        frequency_pools: Sequence[Extent],
        projection_size: Annotated[int, Interval(0, 8192)],
        dropout: Share,
        n_outputs: Outputs,
        tempo_size: TempoSize,
        input_mean_db: Annotated[float, Interval(-1000, 1000)],
        input_scale_db: Annotated[float, Interval(0.001, 1000)],
    ) -> None:
        super().__init__()
        self.input_mean_db = input_mean_db
        self.input_scale_db = input_scale_db
        self.cnn = FrequencyCNN(n_mels, channels, kernel_size, frequency_strides, frequency_pools)
        self.width = projection_size or self.cnn.width
        self.projection = (
            nn.Linear(self.cnn.width, projection_size) if projection_size else nn.Identity()
        )
        self.dropout = nn.Dropout(dropout)
        self._n_outputs, self._tempo_size = n_outputs, tempo_size

    def add_outputs(self, width: int) -> None:
        """Add the layers that follow the temporal part, which puts out ``width`` features.

        Raises:
            ValueError: Another number of outputs than 1 or 2.
        """
        if self._n_outputs not in (1, 2):
            raise ValueError(
                f"n_outputs must be 1 (beat) or 2 (beat, downbeat), not {self._n_outputs}"
            )
        self.output = nn.Linear(width, self._n_outputs)
        size = self._tempo_size
        self.tempo = TempoHead(width, size, self.dropout.p) if size else None

    @abstractmethod
    def relate(self, x: Tensor, n_frames: Tensor | None) -> Tensor:
        """Relate frames to each other: (batch, frames, width) -> (batch, frames, features)."""

    def forward(self, features: Tensor, n_frames: Tensor | None = None) -> NetworkOutput:
        """Return the logits, see ``Network.forward``."""
        x = (features - self.input_mean_db) / self.input_scale_db
        padded = n_frames is not None and bool((n_frames != x.shape[1]).any())
        n_frames = n_frames if padded else None
        x = self.dropout(self.projection(self.cnn(x, n_frames)))
        x = self.relate(x, n_frames)
        tempo = None if self.tempo is None else self.tempo(x, n_frames)
        return NetworkOutput(self.output(self.dropout(x)), tempo)


def count_parameters(module: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
