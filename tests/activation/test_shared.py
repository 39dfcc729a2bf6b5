"""One network for several processes: what it answers, and what the others' end costs it."""

import contextlib
import pickle
import threading
from multiprocessing.connection import Client

import numpy as np
import pytest
import torch

from beatgrid.activation import NetworkSource, chunks
from beatgrid.activation.shared import shared
from beatgrid.audio.features import FeatureSpec
from beatgrid.networks import build_network
from beatgrid.networks.checkpoint import LoadedModel
from tests.networks.small import SMALL


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    network = build_network("tcn", n_mels=16, **SMALL["tcn"] | {"tempo_size": 7}).eval()
    calibration = {"temperatures": [0.5, 2.0]}
    return LoadedModel(
        network, FeatureSpec(n_mels=16), {}, "a model", calibration=calibration, weights_hash="1f"
    )


@pytest.fixture
def source(model):
    return NetworkSource(model, batch_size=4)


def noise(n_frames):
    return np.random.default_rng(n_frames).normal(-40, 15, (n_frames, 16)).astype(np.float32)


def server_threads():
    return [t for t in threading.enumerate() if t.name == "shared network"]


def test_processes_get_the_activations_of_the_network_that_they_share(model, source, monkeypatch):
    monkeypatch.setattr(chunks.in_chunks, "__defaults__", (200,))
    alone = NetworkSource(model)
    tracks = [noise(600), noise(40), noise(1500)]  # of 3, 1 and 8 pieces
    found = {}
    with shared(source) as connect:
        connect = pickle.loads(pickle.dumps(connect))  # as it travels to them

        def work(index):
            found[index] = connect()(tracks[index], 30.0)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(tracks))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        other = connect()
        for name in ("model_id", "weights_hash", "features", "temperatures"):
            assert getattr(other, name) == getattr(alone, name)
    for index, log_mel in enumerate(tracks):
        expected = alone(log_mel, 30.0)
        np.testing.assert_allclose(found[index].beat, expected.beat, rtol=0, atol=1e-6)
        np.testing.assert_allclose(found[index].tempo, expected.tempo, rtol=0, atol=1e-6)
    assert not server_threads()


def test_an_error_is_that_of_the_one_who_asked(source, monkeypatch):
    computed = source.compute_batch

    def compute(pieces):
        if any(len(piece) == 41 for piece in pieces):
            raise ArithmeticError("41 frames")
        return computed(pieces)

    monkeypatch.setattr(source, "compute_batch", compute)
    with shared(source) as connect:
        one, other = connect(), connect()
        with pytest.raises(ArithmeticError, match="41 frames"):
            one(noise(41), 0.5)
        assert len(other(noise(40), 0.5)) == len(one(noise(40), 0.5)) == 40


def test_a_process_that_dies_leaves_the_network_to_the_others(source):
    with shared(source) as connect:
        address, key = connect.args[0], b""
        with contextlib.suppress(Exception):  # it has not even the key
            Client(address, authkey=key)
        dying = connect()
        channel = next(
            cell.cell_contents
            for cell in dying.compute.__closure__
            if hasattr(cell.cell_contents, "send")
        )
        channel.send([noise(300)])
        channel.close()
        assert len(connect()(noise(40), 0.5)) == 40


def test_afterwards_nobody_is_served(source):
    with shared(source) as connect:
        late = connect()
    with pytest.raises(RuntimeError, match="no more batches"):
        late(noise(40), 0.5)
    with pytest.raises((ConnectionError, FileNotFoundError)):
        connect()
    assert not server_threads()
