import json

import pytest

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.datamodule import BeatDataModule
from beatgrid.data.labels import SUFFIX
from beatgrid.errors import BeatgridError


@pytest.fixture
def labels(click_folder, tmp_path):
    """The click tracks' labels: one suspect, one under another licence."""
    extra = {
        "click_a": {"split": "train", "suspect": "octave"},
        "click_b": {"split": "train", "license": "CC BY-SA 3.0"},
        "click_c": {"split": "train", "license": "CC BY 4.0"},
        "click_d": {"split": "val"},
    }
    for name, keys in extra.items():
        label = json.loads((click_folder.path / "labels" / f"{name}{SUFFIX}").read_text())
        (tmp_path / f"{name}{SUFFIX}").write_text(json.dumps(label | keys))
    return tmp_path


def module(click_folder, labels, **arguments):
    data = BeatDataModule(
        click_folder.path / "audio",
        labels,
        FeatureSpec(n_mels=16).to_dict(),
        click_folder.path / "cache",
        **arguments,
    )
    data.setup()
    return data


def weights(data):
    return {track.name: track.weight for track in data.splits["train"]}


def test_weight_is_that_of_the_labelled_folder_and_less_for_suspects(click_folder, labels):
    data = module(click_folder, labels, weight=4.0, suspect_weight=0.25)
    assert weights(data) == {"click_a": 1.0, "click_b": 4.0, "click_c": 4.0}


def test_suspects_and_licences_can_be_left_out_of_training(click_folder, labels):
    data = module(click_folder, labels, suspect_weight=0.0, exclude_licenses=["CC BY-SA"])
    assert weights(data) == {"click_c": 1.0}
    assert [track.name for track in data.splits["val"]] == ["click_d"]


def test_a_rendered_folder_set_to_null_is_left_out(click_folder, labels):
    data = module(click_folder, labels, rendered={"own": None})
    assert len(data.splits["train"]) == 3


def test_nothing_left_to_train_on_is_an_error(click_folder, labels):
    with pytest.raises(BeatgridError, match="no track is left to train on"):
        module(click_folder, labels, weight=0.0)
