"""A network of torch as a source of activations."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from beatgrid.activation.batches import Batches
from beatgrid.activation.chunks import CHUNK_FRAMES, FloatArray, TrackLogits, in_chunks
from beatgrid.activation.evidence import Calibration, LogitsSource, ModelFacts
from beatgrid.errors import BeatgridError
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.networks.network import Network


@torch.inference_mode()
def batch_logits(
    network: Network, pieces: Sequence[FloatArray], device: torch.device | str = "cpu"
) -> list[TrackLogits]:
    """Compute the logits of several pieces at once, padded to the longest.

    Each has the logits that it has alone, but for rounding.

    Args:
        network: In evaluation mode, on ``device``.
        pieces: Log-mel in dB, (frames, mels) each, at least one.
        device: Where to compute.
    """
    n_frames = [len(piece) for piece in pieces]
    padded = pad_sequence([torch.as_tensor(piece) for piece in pieces], batch_first=True)
    out = network(padded.to(device), torch.tensor(n_frames) if len(pieces) > 1 else None)
    logits = out.logits.cpu().numpy()
    tempo = [None] * len(pieces) if out.tempo is None else out.tempo.cpu().numpy()
    return [
        TrackLogits(of_piece[:n], of_tempo)
        for of_piece, n, of_tempo in zip(logits, n_frames, tempo, strict=True)
    ]


def network_logits(
    network: Network,
    features: np.ndarray,
    chunk_frames: int = CHUNK_FRAMES,
    device: torch.device | str = "cpu",
) -> TrackLogits:
    """Compute the logits of a track, frames and tempo; see ``in_chunks``.

    Args:
        network: In evaluation mode, on ``device``.
        features: Log-mel in dB, (frames, mels), at least one frame.
        chunk_frames: Length of a chunk.
        device: Where to compute.
    """
    compute = functools.partial(_one_by_one, network, device)
    return in_chunks(compute, features, network.context_frames, chunk_frames)


def _one_by_one(
    network: Network, device: torch.device | str, pieces: Iterable[FloatArray]
) -> Iterator[TrackLogits]:
    for piece in pieces:
        yield from batch_logits(network, [piece], device)


class NetworkSource(LogitsSource):
    """A trained network.

    Args:
        model: A loaded checkpoint.
        device: Where the network computes, as torch names it.
        num_threads: Of torch, in the whole process; None leaves them as they are.
        batch_size: Pieces of tracks (``in_chunks``) that are computed at once, at most: those of a
            long track, and those of the tracks that other threads call the source with.

    Raises:
        CheckpointError: The checkpoint's calibration is damaged or of another version.
        BeatgridError: The device is not there.
    """

    def __init__(
        self,
        model: LoadedModel,
        device: str = "cpu",
        num_threads: int | None = None,
        batch_size: int = 1,
    ) -> None:
        if num_threads is not None:
            torch.set_num_threads(num_threads)
        try:
            self.network = model.network.to(device)
        except Exception as error:  # torch raises what it likes, AssertionError for one
            reason = str(error).splitlines()[0]
            raise BeatgridError(f"device={device}: cannot be used ({reason}); take cpu") from error
        self.device = device
        self.batch_size = batch_size
        calibration = Calibration.from_dict(model.calibration, model.model_id)
        facts = ModelFacts(
            model.model_id,
            model.weights_hash,
            model.features,
            calibration,
            self.network.context_frames,
        )
        # Alone, each thread computes for itself.
        super().__init__(
            facts,
            functools.partial(_one_by_one, self.network, device)
            if batch_size == 1
            else Batches(self.compute_batch, batch_size),
        )

    def compute_batch(self, pieces: Sequence[FloatArray]) -> list[TrackLogits]:
        """Return the logits of pieces of log-mel, float32 (frames, mels) each, at once."""
        return batch_logits(self.network, pieces, self.device)
