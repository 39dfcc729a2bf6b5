"""Channels to mono, noticing where the mean of the channels cancels the music."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# The mean of n unrelated channels has 1/n of their power, 1/2 for stereo. Less than this share
# means that they are opposed: what is left is no longer what a listener hears in a room.
CANCELLED_SHARE = 0.05


class Mixdown:
    """The mean of a stream's channels, and whether it loses the music.

    Attributes:
        signs: Of each channel in the mean, or None for all +1.
    """

    def __init__(self, signs: FloatArray | None = None) -> None:
        """Begin a stream.

        Args:
            signs: What ``opposed`` of an earlier pass over the same stream said.
        """
        self.signs = signs
        self._products: NDArray[np.float64] | None = None
        self._steady = True

    def __call__(self, block: FloatArray) -> FloatArray:
        """Mix a block.

        Args:
            block: float32 (samples, channels).

        Returns:
            float32 (samples,).
        """
        n_channels = block.shape[1]
        if n_channels == 1:
            return block[:, 0]
        products = (block.T @ block).astype(np.float64)
        if self._products is None:
            self._products = products
        elif self._products.shape == products.shape:
            self._products += products
        else:
            self._steady = False  # the number of channels changes midway: nothing to compare
        if self.signs is not None and len(self.signs) == n_channels:
            block = block * self.signs
        return block.mean(axis=1)

    def opposed(self) -> FloatArray | None:
        """Return the signs under which the channels add up, where their plain mean cancels them.

        Returns:
            +1 or -1 per channel, float32 (channels,); None where the mean keeps the music.
        """
        products = self._products
        if products is None or not self._steady or not np.all(np.isfinite(products)):
            return None
        n_channels = len(products)
        channel_power = float(np.trace(products)) / n_channels
        mean_power = float(products.sum()) / n_channels**2
        if mean_power >= CANCELLED_SHARE * channel_power:
            return None
        loudest = int(np.argmax(np.diag(products)))
        signs = np.where(products[loudest] < 0, -1.0, 1.0).astype(np.float32)
        return signs if signs.min() < 0 else None
