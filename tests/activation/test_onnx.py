"""The shipped network under ONNX Runtime: chunks, threads, and what torch says."""

import numpy as np
import pytest

from beatgrid.activation import NetworkSource, OnnxSource, chunks
from beatgrid.activation.source import open_source
from beatgrid.networks import load_model, load_onnx
from beatgrid.networks.description import SHIPPED, SHIPPED_ONNX


@pytest.fixture(scope="module")
def log_mel():
    return np.random.default_rng(0).normal(-40, 15, (3500, 128)).clip(-80, 0).astype(np.float32)


@pytest.fixture(scope="module")
def source():
    return open_source("network", lambda: SHIPPED_ONNX)


def test_the_suffix_tells_what_runs_a_file(source):
    assert isinstance(source, OnnxSource)
    assert isinstance(open_source("network", lambda: SHIPPED), NetworkSource)


def test_probabilities_equal_those_of_torch(source, log_mel):
    theirs = NetworkSource(load_model(SHIPPED))
    assert source.features == theirs.features
    assert source.temperatures == theirs.temperatures
    assert source.ranker.to_dict() == theirs.ranker.to_dict()
    assert source.weights_hash == theirs.weights_hash
    found, expected = source(log_mel, 40.6), theirs(log_mel, 40.6)
    for name in ("beat", "downbeat", "onset"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-5)
    assert expected.beat.std() > 0.01


def test_chunks_equal_the_whole_track(source, log_mel, monkeypatch):
    whole = source(log_mel, 40.6).beat
    monkeypatch.setattr(chunks.in_chunks, "__defaults__", (500,))
    np.testing.assert_allclose(source(log_mel, 40.6).beat, whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("asked", "threads"), [(None, 1), (1, 1), (3, 3)])
def test_threads_are_those_that_were_asked_for(asked, threads):
    network = open_source("network", lambda: SHIPPED_ONNX, num_threads=asked)._model.network
    options = network._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)


def test_the_file_runs_with_half_precision_features(log_mel):
    source = OnnxSource(load_onnx(SHIPPED_ONNX))
    half = source(log_mel.astype(np.float16), 40.6).beat
    np.testing.assert_allclose(half, source(log_mel, 40.6).beat, atol=0.05)
