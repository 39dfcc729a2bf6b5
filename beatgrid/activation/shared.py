"""One network for several processes: they bring the pieces of their tracks, it computes batches.

Decoding, features and grid search need many cores, a GPU one process that feeds it. The network
stays in the process that loaded it; each other one has a source of activations that sends pieces
over a local socket. Worker processes can come, be ended and die: none has more of the network than
its connection.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Client, Connection, Listener
from typing import TYPE_CHECKING

from beatgrid.activation.batches import Batches, in_groups
from beatgrid.activation.chunks import FloatArray, TrackLogits
from beatgrid.activation.evidence import LogitsSource, ModelFacts
from beatgrid.processes import portable

if TYPE_CHECKING:
    from beatgrid.activation.network import NetworkSource

# Processes that may ask for a connection at the same moment.
_BACKLOG = 128


@contextlib.contextmanager
def shared(source: NetworkSource) -> Iterator[Callable[[], LogitsSource]]:
    """Let further processes of this program compute with a source's network.

    Args:
        source: Its network computes batches of its ``batch_size`` pieces.

    Yields:
        What makes a source of the same activations in another process. It may travel to those
        that ``multiprocessing`` starts, and needs no torch there.
    """
    batches = Batches(source.compute_batch, source.batch_size)
    key = multiprocessing.current_process().authkey
    with Listener(backlog=_BACKLOG, authkey=key) as listener:
        is_open = threading.Event()
        is_open.set()
        server = threading.Thread(
            target=_accept, args=(listener, batches, is_open), name="shared network", daemon=True
        )
        server.start()
        try:
            yield functools.partial(_connect, listener.address, source.facts, source.batch_size)
        finally:
            is_open.clear()
            batches.close()
            Client(listener.address).close()  # nothing but a connection wakes the thread up
            server.join()


def _accept(listener: Listener, batches: Batches, is_open: threading.Event) -> None:
    """Serve each process in a thread of its own, until the network is not shared any more."""
    while is_open.is_set():
        try:
            channel = listener.accept()
        except (OSError, EOFError, multiprocessing.AuthenticationError):
            continue  # the process died as it connected
        threading.Thread(target=_serve, args=(channel, batches), daemon=True).start()


def _serve(channel: Connection, batches: Batches) -> None:
    """Answer a process with the logits of its pieces, until it ends."""
    with channel, contextlib.suppress(EOFError, OSError):
        while True:
            pieces = channel.recv()
            answer: list[TrackLogits] | Exception
            try:
                answer = list(batches(pieces))
            except Exception as error:
                answer = portable(error)
            channel.send(answer)


def _connect(address: str, facts: ModelFacts, batch_size: int) -> LogitsSource:
    """Return a source whose logits another process computes."""
    channel = Client(address, authkey=multiprocessing.current_process().authkey)

    def compute(pieces: Iterable[FloatArray]) -> Iterator[TrackLogits]:
        for group in in_groups(pieces, batch_size):
            channel.send(group)
            answer = channel.recv()
            if isinstance(answer, Exception):
                raise answer
            yield from answer

    return LogitsSource(facts, compute)
