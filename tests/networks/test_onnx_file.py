"""Networks as ONNX files: they run as in torch, say what checkpoints say, and may be damaged."""

import json

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import CheckpointError
from beatgrid.networks import build_network
from beatgrid.networks.checkpoint import LoadedModel, load_model
from beatgrid.networks.description import KEY
from beatgrid.networks.onnx_export import onnx_bytes
from beatgrid.networks.onnx_file import OnnxNetwork, load_onnx
from beatgrid.tempo_classes import N_CLASSES
from tests.networks.small import SMALL

N_MELS = 16


@pytest.fixture(scope="module")
def model():
    """A network with all kinds of layers, that somebody has left in training mode."""
    torch.manual_seed(0)
    changes = {"dropout": 0.5, "tempo_size": 7}
    network = build_network("tcn_lstm", n_mels=N_MELS, **SMALL["tcn_lstm"] | changes)
    return LoadedModel(
        network.train(),
        FeatureSpec(n_mels=N_MELS),
        {"name": "tcn_lstm"},
        "run/best.ckpt",
        training_data={"hours": 1.5},
        licence="CC0-1.0",
        calibration={"temperatures": [1.5, 2.0]},
        weights_hash="00ff",
    )


@pytest.fixture(scope="module")
def exported(model):
    return onnx_bytes(model)


@pytest.fixture
def file(exported, tmp_path):
    path = tmp_path / "run" / "checkpoints" / "best.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(exported[0])
    return path


def noise(n_frames):
    return np.random.default_rng(n_frames).normal(-40, 15, (n_frames, N_MELS)).astype(np.float32)


@pytest.mark.parametrize("n_frames", [1, 3, 32, 33, 777])
def test_logits_of_any_length_equal_those_of_torch_in_evaluation_mode(model, file, n_frames):
    network = load_onnx(file).network
    log_mel = noise(n_frames)
    with torch.inference_mode():
        expected = model.network.eval()(torch.from_numpy(log_mel)[None])
    found = network(log_mel)
    assert list(found) == ["logits", "tempo"]
    for name, shape in (("logits", (n_frames, 2)), ("tempo", (N_CLASSES,))):
        assert found[name].shape == shape
        theirs = getattr(expected, name)[0].numpy()
        np.testing.assert_allclose(found[name], theirs, rtol=0, atol=1e-5)


def test_the_difference_that_is_told_is_that_of_rounding(exported):
    assert 0 < exported[1] < 1e-5


def test_a_file_says_what_its_checkpoint_says(model, file):
    loaded = load_onnx(file)
    for name in ("features", "training_data", "licence", "calibration", "weights_hash"):
        assert getattr(loaded, name) == getattr(model, name), name
    assert loaded.context_frames == model.network.context_frames
    assert loaded.model_id == "run/best.onnx"


def test_a_file_holds_no_path_of_the_machine_that_made_it(exported):
    assert b"site-packages" not in exported[0]
    assert b"onnx_export.py" not in exported[0]


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.onnx: no such file; beatgrid export-model"):
        load_onnx(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"no ONNX file", b"\x08\x0a" * 1000])
def test_a_file_that_is_no_onnx_is_named(content, tmp_path, capfd):
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.onnx: cannot be run by ONNX Runtime \("):
        load_onnx(tmp_path / "a.onnx")
    assert capfd.readouterr().err == ""


def test_half_a_file_is_named(exported, tmp_path):
    (tmp_path / "a.onnx").write_bytes(exported[0][: len(exported[0]) // 2])
    with pytest.raises(CheckpointError, match=r"a\.onnx: cannot be run by ONNX Runtime"):
        load_onnx(tmp_path / "a.onnx")


def test_another_programs_network_is_named(tmp_path):
    shapes = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "frames", 4])
        for name in ("log_mel", "logits")
    ]
    node = helper.make_node("Identity", ["log_mel"], ["logits"])
    graph = helper.make_graph([node], "g", shapes[:1], shapes[1:])
    opset = [helper.make_opsetid("", 20)]
    content = helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()
    assert OnnxNetwork(content).n_mels == 4
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"none of beatgrid's: its metadata have no"):
        load_onnx(tmp_path / "a.onnx")
    graph.input[0].name = node.input[0] = "sound"
    del graph.node[:]
    graph.node.append(node)
    other = helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()
    with pytest.raises(ValueError, match="its inputs are not log_mel"):
        OnnxNetwork(other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "model format 99, this version reads 2: export it again"),
        ({"features": {"n_mels": 8}}, "n_mels 16 of the network, 8 of features"),
        ({"features": {"hop": 8}}, "unknown feature setting hop"),
        ({"features": {"n_mels": N_MELS, "n_fft": 1 << 18}}, "n_fft 262144 exceeds"),
        ({"features": 3}, "metadata disagree"),
        ({"context_frames": -1}, "context_frames -1"),
        ({"context_frames": "far"}, "metadata disagree"),
        ({"calibration": [1]}, "metadata disagree"),
        ({"weights_hash": None}, "weights_hash"),
    ],
)
def test_metadata_that_cannot_be_are_named(exported, changes, message, tmp_path):
    proto = onnx.load_from_string(exported[0])
    (entry,) = proto.metadata_props
    about = json.loads(entry.value) | changes
    entry.value = json.dumps({k: v for k, v in about.items() if v is not None})
    (tmp_path / "a.onnx").write_bytes(proto.SerializeToString())
    with pytest.raises(CheckpointError, match=r"ckpt=.*a\.onnx: .*" + message):
        load_onnx(tmp_path / "a.onnx")


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "null"])
def test_metadata_that_are_no_json_are_named(exported, text, tmp_path):
    proto = onnx.load_from_string(exported[0])
    assert proto.metadata_props[0].key == KEY
    proto.metadata_props[0].value = text
    (tmp_path / "a.onnx").write_bytes(proto.SerializeToString())
    with pytest.raises(CheckpointError, match="model format None, this version reads 2"):
        load_onnx(tmp_path / "a.onnx")


def test_an_onnx_file_is_no_checkpoint(file):
    with pytest.raises(CheckpointError, match="predicts and no more; give the checkpoint"):
        load_model(file)
