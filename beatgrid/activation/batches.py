"""Pieces of several tracks in one batch of a network, whatever computes it."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice

from beatgrid.activation.chunks import FloatArray, TrackLogits
from beatgrid.processes import describe

# Of the lengths of the pieces of a batch to that of the one that has waited longest: padding is
# computed like frames.
_MAX_RATIO = 1.25

_Brought = tuple[FloatArray, Future[TrackLogits]]


class Batches:
    """Computes the pieces of tracks that several threads bring, as many at once as are there.

    No batch waits to be filled, and there is no thread of its own: of the threads that wait, one
    computes the next batch for all whose pieces are in it: the piece that has waited longest, and
    others of about its length, for a batch is padded to the longest. What is brought meanwhile is
    the batch after it, so that batches are the larger, the more the network is behind.

    Args:
        compute: Maps pieces, each (frames, mels), to the logits of each; in one thread at a time.
        batch_size: Pieces of a batch at most.
    """

    def __init__(
        self,
        compute: Callable[[Sequence[FloatArray]], Sequence[TrackLogits]],
        batch_size: int,
    ) -> None:
        self.batch_size = batch_size
        self._compute = compute
        self._waiting: deque[_Brought] = deque()
        self._computing = threading.Lock()
        self._is_closed = False

    def __call__(self, pieces: Iterable[FloatArray]) -> Iterator[TrackLogits]:
        """Yield the logits of a track's pieces in order; at most a batch of them is in memory.

        Raises:
            Exception: What computing a piece raised; other tracks' pieces are not concerned.
        """
        for some in in_groups(pieces, self.batch_size):
            brought = [(piece, Future[TrackLogits]()) for piece in some]
            self._waiting.extend(brought)
            for _, found in brought:
                while not found.done():
                    with self._computing:
                        if not found.done():
                            self._compute_next()
                yield found.result()

    def close(self) -> None:
        """Let the batch that is computed be the last: who waits for more gets an exception."""
        self._is_closed = True
        with self._computing:
            pass

    def _compute_next(self) -> None:
        batch: list[_Brought] = []
        others: list[_Brought] = []
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        longest = _MAX_RATIO * len(waiting[0][0])
        shortest = len(waiting[0][0]) / _MAX_RATIO
        for piece, found in waiting:
            fits = len(batch) < self.batch_size and shortest <= len(piece) <= longest
            (batch if fits else others).append((piece, found))
        self._waiting.extendleft(reversed(others))
        try:
            outcomes = self._outcomes([piece for piece, _ in batch])
        except BaseException as error:  # Ctrl-C: the other threads must not wait for ever
            for _, found in batch:
                found.set_exception(error)
            raise
        for (_, found), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, TrackLogits):
                found.set_result(outcome)
            else:
                found.set_exception(outcome)

    def _outcomes(self, pieces: Sequence[FloatArray]) -> list[TrackLogits | Exception]:
        if self._is_closed:
            return [RuntimeError("no more batches are computed") for _ in pieces]
        try:
            return list(self._compute(pieces))
        except Exception as error:
            if len(pieces) == 1:
                return [error]
            reason = describe(error)
        # Outside of the handler: until its end the exception holds the memory of the attempt.
        warnings.warn(
            f"a batch of {len(pieces)} pieces cannot be computed ({reason}): it is halved; if that "
            "was for want of memory, lower batch_size",
            stacklevel=1,
        )
        middle = len(pieces) // 2
        return self._outcomes(pieces[:middle]) + self._outcomes(pieces[middle:])


def in_groups(pieces: Iterable[FloatArray], n: int) -> Iterator[list[FloatArray]]:
    """Yield lists of ``n`` pieces, the last one shorter."""
    pieces = iter(pieces)
    while group := list(islice(pieces, n)):
        yield group
