"""The networks, and the table that names them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from beatgrid.checks import Share
from beatgrid.networks.arguments import build
from beatgrid.networks.network import (
    ConvolutionalNetwork,
    Extent,
    Layers,
    Network,
    Width,
)
from beatgrid.networks.temporal import BiLSTM, DilatedConvolutions


class CRNN(ConvolutionalNetwork):
    """Front end, then a bidirectional LSTM.

    The notebook's BeatCRNN is one of these, parameter by parameter and key by key
    (``conf/model/crnn.yaml``); strides in frequency and a projection make the light one
    (``conf/model/crnn_small.yaml``).

    Args:
        hidden_size: Width of the LSTM in each direction.
        num_layers: LSTM layers.
        dropout: Dropout probability before the LSTM, between its layers and before the output.
        **front_end: See :class:`~beatgrid.networks.network.ConvolutionalNetwork`.
    """

    def __init__(
        self,
        *,
        hidden_size: Width,
        num_layers: Layers,
        dropout: Share,
        **front_end: Any,
    ) -> None:
        super().__init__(dropout=dropout, **front_end)
        self.rnn = BiLSTM(self.width, hidden_size, num_layers, dropout)
        self.add_outputs(2 * hidden_size)

    @property
    def context_frames(self) -> int:
        """That of the CNN and the LSTM's bound."""
        return self.cnn.context_frames + self.rnn.context_frames

    def relate(self, x: Tensor, n_frames: Tensor | None) -> Tensor:
        """Feed the LSTM."""
        return self.rnn(x, n_frames)


class TCN(ConvolutionalNetwork):
    """Front end, then dilated convolutions: learns the level several times sooner than an LSTM.

    Args:
        tcn_layers: Dilated convolutions.
        tcn_kernel_size: Frames each of them spans before dilation, odd.
        dropout: Dropout probability before, between and after them.
        **front_end: See :class:`~beatgrid.networks.network.ConvolutionalNetwork`.
    """

    def __init__(
        self,
        *,
        tcn_layers: Layers,
        tcn_kernel_size: Extent,
        dropout: Share,
        **front_end: Any,
    ) -> None:
        super().__init__(dropout=dropout, **front_end)
        self.tcn = DilatedConvolutions(self.width, tcn_layers, tcn_kernel_size, dropout)
        self.add_outputs(self.width)

    @property
    def context_frames(self) -> int:
        """That of all convolutions."""
        return self.cnn.context_frames + self.tcn.context_frames

    def relate(self, x: Tensor, n_frames: Tensor | None) -> Tensor:
        """Feed the dilated convolutions."""
        return self.tcn(x, n_frames)


class TCNLSTM(ConvolutionalNetwork):
    """Front end, dilated convolutions, and a bidirectional LSTM on top of them.

    The convolutions have a skip connection to the output: fed by the LSTM alone, training stays
    on the plateau of a constant prediction for long.

    Args:
        tcn_layers: Dilated convolutions.
        tcn_kernel_size: Frames each of them spans before dilation, odd.
        hidden_size: Width of the LSTM in each direction.
        num_layers: LSTM layers.
        dropout: Dropout probability around and within both.
        **front_end: See :class:`~beatgrid.networks.network.ConvolutionalNetwork`.
    """

    def __init__(
        self,
        *,
        tcn_layers: Layers,
        tcn_kernel_size: Extent,
        hidden_size: Width,
        num_layers: Layers,
        dropout: Share,
        **front_end: Any,
    ) -> None:
        super().__init__(dropout=dropout, **front_end)
        self.tcn = DilatedConvolutions(self.width, tcn_layers, tcn_kernel_size, dropout)
        self.rnn = BiLSTM(self.width, hidden_size, num_layers, dropout)
        self.add_outputs(self.width + 2 * hidden_size)

    @property
    def context_frames(self) -> int:
        """That of all convolutions and the LSTM's bound."""
        return self.cnn.context_frames + self.tcn.context_frames + self.rnn.context_frames

    def relate(self, x: Tensor, n_frames: Tensor | None) -> Tensor:
        """Feed the convolutions, and the LSTM by them."""
        x = self.tcn(x, n_frames)
        return torch.cat((x, self.rnn(x, n_frames)), dim=-1)


NETWORKS: dict[str, type[Network]] = {"crnn": CRNN, "tcn": TCN, "tcn_lstm": TCNLSTM}
"""What ``model.network`` may name."""


def build_network(name: str, **arguments: Any) -> Network:
    """Make a network by its name from plain arguments.

    Raises:
        BeatgridError: An unknown name, an argument that this network lacks or that is missing,
            or a value it cannot be built with.
    """
    return build("network", NETWORKS, name, arguments)
