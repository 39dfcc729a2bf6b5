"""Every network of the table as an ONNX file, and exports that must not be kept."""

import sys

import pytest
import torch
from hydra.utils import instantiate

from beatgrid.errors import BeatgridError
from beatgrid.networks import onnx_export
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.networks.network import Network, NetworkOutput
from beatgrid.networks.onnx_export import TOLERANCE, onnx_bytes
from tests.commands.test_configs import OPTIONS, compose_config


class Toy(Network):
    """One output, the mean of the bands; ``broken`` after the example has gone through."""

    context_frames = 0

    def forward(self, features, n_frames=None):
        return NetworkOutput(self.answer(features.mean(dim=-1, keepdim=True)))

    def answer(self, mean):
        return mean


class DependsOnLength(Toy):
    """Answers short pieces otherwise, which a graph of one of them cannot know."""

    def answer(self, mean):
        return mean if mean.shape[1] < 100 else -mean


class HasNoGraph(Toy):
    def answer(self, mean):
        return mean if float(mean.sum()) > 0 else -mean


def model_of(network, n_mels=4):
    from beatgrid.audio.features import FeatureSpec

    return LoadedModel(network, FeatureSpec(n_mels=n_mels), {"name": "toy"}, "toy.ckpt")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for group, name in OPTIONS if group == "model"])
def test_every_network_equals_torch(name, tmp_path):
    torch.manual_seed(0)
    module = instantiate(compose_config("train", [f"model={name}"], tmp_path).model)
    _, difference = onnx_bytes(
        LoadedModel(module.network, module.spec, module.network_args, f"{name}.ckpt")
    )
    assert 0 < difference <= TOLERANCE


@pytest.mark.slow
def test_logits_that_differ_are_refused():
    with pytest.raises(BeatgridError, match=r"toy\.ckpt: .*(differ from torch's|cannot be)"):
        onnx_bytes(model_of(DependsOnLength()))


def test_a_tolerance_that_is_missed_is_told(monkeypatch):
    monkeypatch.setattr(onnx_export, "largest_difference", lambda *_: float("nan"))
    with pytest.raises(BeatgridError, match=r"differ from torch's by nan, more than 0\.0001"):
        onnx_bytes(model_of(Toy()))


def test_a_network_without_a_graph_is_one_line():
    with pytest.raises(BeatgridError, match=r"toy\.ckpt: its network cannot be expressed") as told:
        onnx_bytes(model_of(HasNoGraph()))
    assert str(told.value).count("\n") == 0


def test_a_package_that_is_missing_is_named(monkeypatch):
    def export(*_, **__):
        raise ModuleNotFoundError("No module named 'onnxscript'", name="onnxscript")

    monkeypatch.setattr(torch.onnx, "export", export)
    with pytest.raises(BeatgridError, match=r"needs onnxscript, .* 'beatgrid\[onnx\]'"):
        onnx_bytes(model_of(Toy()))


def test_a_torch_before_the_exporters_is_told_from_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.export._patches", None)
    with pytest.raises(BeatgridError, match=r"needs a later torch, .*--upgrade 'beatgrid\[onnx\]'"):
        onnx_bytes(model_of(Toy()))
