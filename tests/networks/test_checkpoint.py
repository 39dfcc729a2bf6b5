import pytest
import torch

from beatgrid.audio.features import FeatureSpec
from beatgrid.errors import CheckpointError
from beatgrid.networks.checkpoint import FORMAT, KEY, load_model
from beatgrid.networks.crnn import CRNN
from beatgrid.training.module import BeatModule

SMALL = {"channels": [4], "frequency_strides": [4], "frequency_pools": [1], "hidden_size": 6}


def write_checkpoint(path, **changes):
    """What Lightning would write, without training."""
    module = BeatModule(features={"n_mels": 32}, **SMALL)
    contents = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(contents)
    contents[KEY] |= changes
    torch.save(contents, path)
    return module


def test_network_and_features_come_back_with_nothing_but_the_file(tmp_path):
    module = write_checkpoint(tmp_path / "a.ckpt").eval()
    loaded = load_model(tmp_path / "a.ckpt")
    assert loaded.features == FeatureSpec(n_mels=32)
    features = torch.randn(1, 20, 32)
    assert torch.equal(loaded.network(features), module(features))
    assert not loaded.network.training


def test_notebooks_bare_state_dict_loads(tmp_path):
    torch.manual_seed(0)
    notebook = CRNN().eval()
    torch.save(notebook.state_dict(), tmp_path / "beat_crnn_mvp.pth")
    loaded = load_model(tmp_path / "beat_crnn_mvp.pth")
    assert loaded.features == FeatureSpec()
    features = torch.randn(1, 9, 128)
    assert torch.equal(loaded.network(features), notebook(features))


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
    write_checkpoint(tmp_path / "a.ckpt", format=FORMAT + 1, version="9.0")
    with pytest.raises(
        CheckpointError, match=rf"format {FORMAT + 1}, this version reads {FORMAT}; .*9\.0"
    ):
        load_model(tmp_path / "a.ckpt")


def test_weights_that_do_not_fit_their_description(tmp_path):
    module = write_checkpoint(tmp_path / "a.ckpt")
    network = {**module.network_args, "hidden_size": 7}
    write_checkpoint(tmp_path / "a.ckpt", network=network)
    with pytest.raises(CheckpointError, match="disagree"):
        load_model(tmp_path / "a.ckpt")


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "pwned"), "w"))

    torch.save({"state_dict": Attack()}, tmp_path / "evil.ckpt")
    with pytest.raises(CheckpointError, match=r"evil\.ckpt"):
        load_model(tmp_path / "evil.ckpt")
    assert not (tmp_path / "pwned").exists()
