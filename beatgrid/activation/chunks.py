"""A network over a whole track in overlapping chunks, whatever computes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# What memory is bounded by, beside a network's context: 120 s at 86 frames per second.
CHUNK_FRAMES = 10336


class TrackLogits(NamedTuple):
    """What a network says of a track, or of a piece of one.

    Attributes:
        frames: float32 (frames, outputs): beat, and downbeat if the network has it.
        tempo: Of the tempo classes, float32 (classes,); None without a tempo head.
    """

    frames: FloatArray
    tempo: FloatArray | None = None


Compute = Callable[[Iterable[FloatArray]], Iterable[TrackLogits]]
"""Maps pieces of a track, features (frames, mels) each, to the logits of each, in order."""


def in_chunks(
    compute: Compute,
    features: NDArray[np.floating],
    context_frames: int,
    chunk_frames: int = CHUNK_FRAMES,
) -> TrackLogits:
    """Compute the logits of a track, frames and tempo; memory is bounded by a few chunks.

    Each chunk is computed with ``context_frames`` to either side, whose outputs are dropped: the
    result is that of the whole track but for rounding (about 1e-6). Those of the tempo are the
    mean over chunks, by their lengths.

    Args:
        compute: Maps the track's pieces to their logits; it takes them one by one, or several
            to compute them at once.
        features: Log-mel in dB, (frames, mels), at least one frame.
        context_frames: How many frames to either side of a frame its outputs depend on.
        chunk_frames: Length of a chunk; a track up to one chunk and its margins is computed in
            one piece.
    """
    n_frames = len(features)
    if n_frames <= chunk_frames + 2 * context_frames:
        chunk_frames = n_frames
    starts = range(0, n_frames, chunk_frames)

    def pieces() -> Iterator[FloatArray]:
        for start in starts:
            first, last = max(0, start - context_frames), start + chunk_frames + context_frames
            yield np.asarray(features[first:last], dtype=np.float32)

    frames: list[FloatArray] = []
    tempo: list[FloatArray] = []
    for start, computed in zip(starts, compute(pieces()), strict=True):
        stop = min(n_frames, start + chunk_frames)
        margin = min(start, context_frames)
        frames.append(computed.frames[margin : margin + stop - start])
        if computed.tempo is not None:
            tempo.append(computed.tempo * np.float32((stop - start) / n_frames))
    return TrackLogits(np.concatenate(frames), np.sum(tempo, axis=0) if tempo else None)
