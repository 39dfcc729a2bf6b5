"""Pieces of several threads in one batch: together, in order, and each with its own fault."""

import threading
import time
from concurrent.futures import Future

import numpy as np
import pytest

from beatgrid.activation.batches import Batches
from beatgrid.activation.chunks import TrackLogits

TOO_LARGE = "a batch of . pieces cannot be computed"


def piece(value, n_frames=2):
    return np.full((n_frames, 3), value, np.float32)


def values(logits):
    return [float(found.frames[0, 0]) for found in logits]


class Doubling:
    """A network that doubles, and notes how many pieces it was given at once."""

    def __init__(self, largest=100):
        self.largest = largest
        self.sizes = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, pieces):
        self.sizes.append(len(pieces))
        assert self.may_go_on.wait(10)
        if len(pieces) > self.largest:
            raise MemoryError("no memory")
        if any(piece[0, 0] < 0 for piece in pieces):
            raise ArithmeticError("a negative piece")
        return [TrackLogits(2 * piece) for piece in pieces]


def until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def in_threads(batches, network, tracks):
    """Bring the first track, the others while its first batch is computed; what each became."""
    outcomes = {}

    def bring(index):
        try:
            outcomes[index] = values(batches(map(piece, tracks[index])))
        except BaseException as error:
            outcomes[index] = error

    network.may_go_on.clear()
    threads = [threading.Thread(target=bring, args=(i,)) for i in range(len(tracks))]
    threads[0].start()
    until(lambda: network.sizes)
    n_brought = 0
    for thread, track in zip(threads[1:], tracks[1:], strict=True):
        thread.start()
        n_brought += len(track)
        until(lambda n=n_brought: len(batches._waiting) == n)
    network.may_go_on.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    return [outcomes[index] for index in range(len(tracks))]


def test_what_waits_is_the_next_batch():
    network = Doubling()
    batches = Batches(network, batch_size=4)
    found = in_threads(batches, network, [[1], [2, 3], [4], [5, 6, 7]])
    assert found == [[2], [4, 6], [8], [10, 12, 14]]
    assert network.sizes == [1, 4, 2]


def test_pieces_of_a_batch_are_of_about_one_length():
    """30 frames go with 27 and 33, and 10 with 11; a piece of 40 is computed alone."""
    lengths = []

    def compute(pieces):
        lengths.append([len(piece) for piece in pieces])
        return [TrackLogits(piece) for piece in pieces]

    batches = Batches(compute, batch_size=3)
    for n_frames in (30, 10, 40, 33, 27, 11, 31):
        batches._waiting.append((piece(0, n_frames), Future()))
    while batches._waiting:
        batches._compute_next()
    assert lengths == [[30, 33, 27], [10, 11], [40], [31]]


def test_a_long_track_is_taken_a_batch_at_a_time():
    network, taken = Doubling(), []

    def pieces():
        for value in range(7):
            taken.append(value)
            yield piece(value)

    logits = Batches(network, batch_size=3)(pieces())
    assert float(next(logits).frames[0, 0]) == 0
    assert taken == [0, 1, 2]
    assert values(logits) == [2, 4, 6, 8, 10, 12]
    assert network.sizes == [3, 3, 1]


def test_no_batch_waits_for_more():
    assert values(Batches(Doubling(), batch_size=100)([piece(1)])) == [2]
    assert values(Batches(Doubling(), batch_size=100)([])) == []


@pytest.mark.filterwarnings(f"ignore:{TOO_LARGE}")  # by whichever thread computes it
def test_a_piece_that_cannot_be_computed_costs_its_track_alone():
    network = Doubling()
    found = in_threads(Batches(network, batch_size=8), network, [[1], [2, 3], [4, -1], [5, 6]])
    assert found[:2] + found[3:] == [[2], [4, 6], [10, 12]]
    assert isinstance(found[2], ArithmeticError)


def test_a_batch_that_memory_is_too_small_for_is_halved_and_said_so():
    network = Doubling(largest=2)
    with pytest.warns(UserWarning, match=f"{TOO_LARGE}.*MemoryError: no memory.*lower batch_size"):
        found = values(Batches(network, batch_size=5)(map(piece, range(5))))
    assert found == [0, 2, 4, 6, 8]
    assert network.sizes == [5, 2, 3, 1, 2]


def test_ctrl_c_in_one_thread_leaves_no_other_waiting():
    network = Doubling()

    def compute(pieces):
        found = network(pieces)
        if len(network.sizes) == 2:
            raise KeyboardInterrupt
        return found

    found = in_threads(Batches(compute, batch_size=8), network, [[1], [2], [3]])
    assert found[0] == [2]
    assert [type(error) for error in found[1:]] == [KeyboardInterrupt] * 2


def test_when_closed_nothing_is_computed_any_more():
    network = Doubling()
    batches = Batches(network, batch_size=2)
    batches.close()
    with pytest.raises(RuntimeError, match="no more batches"):
        list(batches([piece(1)]))
    assert network.sizes == []
