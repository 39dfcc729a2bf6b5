"""Checkpoints: all that prediction needs, earlier formats, and files that lie."""

import time
import tracemalloc

import pytest
import torch

from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import CheckpointError
from beatgrid.networks import build_network
from beatgrid.networks.checkpoint import load_model, save_model
from beatgrid.networks.description import FORMAT, KEY, SHIPPED
from beatgrid.networks.legacy import NOTEBOOK
from beatgrid.training.module import BeatModule
from tests.networks.small import SMALL, module_arguments

FEATURES = {"n_mels": 32}


def save(module, path, network=None, **changes):
    """Write what Lightning would."""
    contents = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(contents)
    if network is not None:
        contents[KEY]["network"] = network
    contents[KEY] |= changes
    torch.save(contents, path)


def module_of(name):
    torch.manual_seed(0)
    return BeatModule(features=FEATURES, **module_arguments(name)).eval()


@pytest.fixture(params=sorted(SMALL))
def module(request):
    return module_of(request.param)


def test_network_and_features_come_back_with_nothing_but_the_file(module, tmp_path):
    save(module, tmp_path / "a.ckpt")
    loaded = load_model(tmp_path / "a.ckpt")
    assert loaded.features == FeatureSpec(n_mels=32)
    assert loaded.network_args["name"] == module.hparams["network"]
    features = torch.randn(1, 20, 32)
    assert torch.equal(loaded.network(features).logits, module(features).logits)
    assert not loaded.network.training


def test_what_is_loaded_can_be_saved(module, tmp_path):
    save(module, tmp_path / "a.ckpt", licence="CC0", training_data={"hours": 1})
    first = load_model(tmp_path / "a.ckpt")
    save_model(tmp_path / "b.ckpt", first)
    second = load_model(tmp_path / "b.ckpt")
    for name in ("features", "network_args", "training_data", "licence", "calibration"):
        assert getattr(first, name) == getattr(second, name)
    for name, tensor in first.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name])


def test_notebooks_bare_state_dict_loads(tmp_path):
    torch.manual_seed(0)
    notebook = build_network(**NOTEBOOK).eval()
    torch.save(notebook.state_dict(), tmp_path / "beat_crnn_mvp.pth")
    loaded = load_model(tmp_path / "beat_crnn_mvp.pth")
    assert loaded.features == FeatureSpec()
    assert loaded.network_args == NOTEBOOK
    features = torch.randn(1, 9, 128)
    assert torch.equal(loaded.network(features).logits, notebook(features).logits)


def format_1(description):
    """Format 1's description: one class with switches, 0 layers for a part that is not there."""
    return {
        "tcn_layers": 0,
        "tcn_kernel_size": 5,
        "hidden_size": 64,
        "num_layers": 0,
        **{key: value for key, value in description.items() if key != "name"},
    }


def test_format_1_is_read_and_saved_as_this_one(module, tmp_path):
    save(module, tmp_path / "a.ckpt", network=format_1(module.network_args), format=1)
    loaded = load_model(tmp_path / "a.ckpt")
    assert loaded.network_args == module.network_args
    features = torch.randn(1, 20, 32)
    assert torch.equal(loaded.network(features).logits, module(features).logits)
    save_model(tmp_path / "b.ckpt", loaded)
    contents = torch.load(tmp_path / "b.ckpt", weights_only=True)
    assert contents[KEY]["format"] == FORMAT == 2
    assert contents[KEY]["network"] == module.network_args
    for name, tensor in contents["state_dict"].items():
        assert torch.equal(tensor, module.state_dict()[name])


def test_format_1_left_out_what_was_the_notebooks(tmp_path):
    arguments = {key: value for key, value in NOTEBOOK.items() if key not in ("name", "n_mels")}
    arguments |= {"hidden_size": 4}
    training = {k: v for k, v in module_arguments("crnn").items() if k not in SMALL["crnn"]}
    module = BeatModule(features=FEATURES, **training, **arguments)
    given = {"n_mels": 32, "hidden_size": 4, "num_layers": 2}
    save(module, tmp_path / "a.ckpt", network=given, format=1)
    assert load_model(tmp_path / "a.ckpt").network_args == module.network_args


def test_shipped_weights_are_of_this_format():
    assert torch.load(SHIPPED, weights_only=True)[KEY]["format"] == FORMAT


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere\.ckpt: no such file"):
        load_model(tmp_path / "nowhere.ckpt")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short", b"\x80"])
def test_file_that_is_no_checkpoint(tmp_path, content):
    path = tmp_path / "song.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"song\.ckpt: .*\({len(content)} bytes\)"):
        load_model(path)


def test_checkpoint_of_another_project(tmp_path):
    torch.save({"state_dict": {"layer.weight": torch.zeros(1)}}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="no checkpoint of beatgrid"):
        load_model(tmp_path / "other.ckpt")
    torch.save([torch.zeros(1)], tmp_path / "list.ckpt")
    with pytest.raises(CheckpointError, match="holds a list"):
        load_model(tmp_path / "list.ckpt")


def test_another_format_version(tmp_path):
    save(module_of("tcn"), tmp_path / "a.ckpt", format=FORMAT + 1, version="9.0")
    with pytest.raises(
        CheckpointError, match=rf"format {FORMAT + 1}, this version reads {FORMAT}; .*9\.0"
    ):
        load_model(tmp_path / "a.ckpt")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("crnn", {"hidden_size": 7}),
        ("crnn", {"hidden_size": 10**9}),
        ("crnn", {"num_layers": 10**9}),
        ("crnn", {"num_layers": 1}),
        ("crnn", {"num_layers": "2"}),
        ("crnn", {"name": "transformer"}),
        ("crnn", {"name": None}),
        ("crnn", {"name": "tcn"}),
        ("crnn", {"attention_heads": 4}),
        ("tcn", {"tcn_layers": 10**9}),
        ("tcn", {"tcn_layers": 1e9}),
        ("tcn", {"tcn_layers": -1}),
        ("tcn", {"tcn_kernel_size": 10**9 + 1}),
        ("tcn", {"projection_size": 10**18}),
        ("tcn", {"projection_size": 10**30}),
        ("tcn", {"n_mels": 33}),
        ("tcn", {"channels": [4] * 5000}),
        ("tcn", {"channels": [[4]]}),
        ("tcn", {"frequency_strides": [0]}),
        ("tcn", {"frequency_pools": [10**9]}),
        ("tcn", {"dropout": [0.1]}),
        ("tcn", {"input_scale_db": float("nan")}),
    ],
)
def test_a_description_that_does_not_fit_is_refused_at_once(name, changes, tmp_path):
    module = module_of(name)
    save(module, tmp_path / "a.ckpt", network=module.network_args | changes)
    tracemalloc.start()
    start_s = time.monotonic()
    with pytest.raises(CheckpointError, match=r"a\.ckpt: .*disagree") as caught:
        load_model(tmp_path / "a.ckpt")
    assert time.monotonic() - start_s < 5
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": ["tcn"]},
        {"network": 3},
        {"features": "mel"},
        {"features": {"n_mels": 32, "n_fft": 2**40}},
        {"features": {"n_mels": 32, "f_min": 10**400}},
        {"features": {"n_mels": 32, "windows": 3}},
        {"training_data": 7},
        {"calibration": [1]},
    ],
)
def test_entries_of_the_wrong_kind_are_refused(changes, tmp_path):
    save(module_of("tcn"), tmp_path / "a.ckpt", **changes)
    with pytest.raises(CheckpointError, match=r"a\.ckpt: .*disagree"):
        load_model(tmp_path / "a.ckpt")


def test_weights_that_claim_more_than_the_file_holds_are_refused(tmp_path):
    module = module_of("tcn")
    contents = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(contents)
    contents["state_dict"]["network.output.weight"] = torch.zeros(1).expand(2, 10**12)
    torch.save(contents, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match="weights larger than the file"):
        load_model(tmp_path / "a.ckpt")


@pytest.mark.parametrize("change", ["missing", "unknown", "no tensor"])
def test_weights_that_are_not_the_networks_are_named(change, tmp_path):
    module = module_of("tcn")
    contents = {"state_dict": dict(module.state_dict())}
    module.on_save_checkpoint(contents)
    if change == "missing":
        del contents["state_dict"]["network.output.bias"]
    elif change == "unknown":
        contents["state_dict"]["network.extra"] = torch.zeros(1)
    else:
        contents["state_dict"]["network.output.bias"] = 3
    torch.save(contents, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match=f"(output.bias|extra) is {change}"):
        load_model(tmp_path / "a.ckpt")


@pytest.mark.parametrize("value", [torch.zeros(3), 7, torch.zeros(5, 5, 5, 5)])
def test_a_notebooks_file_that_does_not_fit_is_refused(value, tmp_path):
    state = dict(build_network(**NOTEBOOK | {"hidden_size": 2}).state_dict())
    torch.save(state | {"cnn.4.weight": value}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"a\.pth: looks like the notebook's"):
        load_model(tmp_path / "a.pth")


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "pwned"), "w"))

    torch.save({"state_dict": Attack()}, tmp_path / "evil.ckpt")
    with pytest.raises(CheckpointError, match=r"evil\.ckpt"):
        load_model(tmp_path / "evil.ckpt")
    assert not (tmp_path / "pwned").exists()


def test_names_in_a_checkpoint_reach_no_terminal_as_they_are(tmp_path):
    contents = torch.load(SHIPPED, weights_only=True)
    contents[KEY]["network"]["\x1b[31m\nred"] = 1
    torch.save(contents, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match=r"\\x1b\[31m") as refusal:
        load_model(tmp_path / "a.ckpt")
    assert str(refusal.value).isprintable()


def test_torch_says_nothing_of_how_a_checkpoint_was_written(tmp_path):
    path = tmp_path / "a.ckpt"
    torch.save(torch.load(SHIPPED, weights_only=True), path, pickle_protocol=3)
    load_model(path)  # a warning would be an error here
