import inspect
import json
from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.datamodule import BeatDataModule
from beatgrid.data.labels import SUFFIX
from beatgrid.errors import BeatgridError
from tests.conftest import ROOT


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
    conf = OmegaConf.to_container(OmegaConf.load(ROOT / "conf/data/default.yaml"), resolve=False)
    del conf["defaults"]  # the target, see below
    usual = {key: value for key, value in conf.items() if key[0] != "_"} | {
        "audio_dir": click_folder.path / "audio",
        "label_dir": labels,
        "cache_dir": click_folder.path / "cache",
        "features": FeatureSpec(n_mels=16).to_dict(),
        "num_workers": 0,
        "seed": 0,
        "target": {},  # the defaults of TargetSpec, of which the configuration makes its own
    }
    data = BeatDataModule(**usual | arguments)
    data.setup()
    return data


def weights(data):
    return {track.name: track.weight for track in data.splits["train"]}


def test_weight_is_that_of_the_labelled_folder_and_less_for_suspects(click_folder, labels):
    data = module(click_folder, labels, weight=4.0, suspect_weight=0.25)
    assert weights(data) == {"click_a": 1.0, "click_b": 4.0, "click_c": 4.0}


def test_the_parts_left_out_of_training_make_a_whole(click_folder, labels):
    heard = [set(weights(module(click_folder, labels, fold=[k, 2]))) for k in range(2)]
    assert heard[0] | heard[1] == {"click_a", "click_b", "click_c"}
    assert not heard[0] & heard[1]
    with pytest.raises(BeatgridError, match=r"data\.fold=\[2, 2\]: parts of 2 are 0 to 1"):
        module(click_folder, labels, fold=[2, 2])


def test_tempi_have_their_shares_of_the_crops(click_folder, labels):
    tracks = module(click_folder, labels).splits["train"]
    middle = sorted(t.grid.bpm for t in tracks)[1]
    data = module(click_folder, labels, tempo_shares=[[0, 0.2], [middle, 0.8]])
    amount = {t.grid.bpm: t.weight * t.n_frames for t in data.splits["train"]}
    slow = sum(a for bpm, a in amount.items() if bpm < middle)
    assert slow / sum(amount.values()) == pytest.approx(0.2)


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


def test_the_values_of_the_configuration_are_the_only_defaults():
    parameters = inspect.signature(BeatDataModule).parameters.values()
    assert [p.name for p in parameters if p.default is not p.empty] == []


def test_labels_are_read_and_doubted_once(click_folder, labels, caplog):
    (labels / f"lost{SUFFIX}").write_text('{"bpm": 120, "Suspect": "octave"}')
    data = module(click_folder, labels)
    data.prepare_data()
    data.setup()
    assert caplog.text.count("lost.labels.json") == 2  # the key, and that it has no audio
    assert caplog.text.count("Suspect") == 1


def test_music_trained_on_is_summed_up_by_licence(click_folder, labels):
    summary = module(click_folder, labels).summary()
    assert summary["splits"]["train"]["tracks"] == 3
    assert summary["hours_by_license"] == {
        "unknown": pytest.approx(12 / 3600),
        "CC BY-SA 3.0": pytest.approx(13 / 3600),
        "CC BY 4.0": pytest.approx(14 / 3600),
    }
    assert summary["artists"] == []
    assert summary["target"] == {"shape": "soft", "width_s": 0.015, "downbeat_trust": "likely"}


def test_mistaken_sources_are_named(click_folder, labels):
    with pytest.raises(BeatgridError, match=r"data\.rendered\.own=.*takes folder, weight and"):
        module(click_folder, labels, rendered={"own": {"foldr": "x"}})
    with pytest.raises(BeatgridError, match=r"data\.sources\.mine=.*give a class"):
        module(click_folder, labels, sources={"mine": {"folder": "x"}})
    with pytest.raises(BeatgridError, match="audio_dir=null: name a folder"):
        module(click_folder, labels, audio_dir=None)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_memory_is_pinned_for_cuda_alone(device, click_folder, labels):
    data = module(click_folder, labels)
    assert data.train_dataloader().pin_memory is False
    strategy = SimpleNamespace(root_device=torch.device(device))
    data.trainer = SimpleNamespace(strategy=strategy, global_rank=0, world_size=1)
    assert data.train_dataloader().pin_memory is (device == "cuda")
    assert data.val_dataloader().pin_memory is (device == "cuda")


@pytest.mark.parametrize(("n_tracks", "world_size"), [(1, 2), (3, 2), (2, 2), (2, 3)])
def test_processes_validate_as_many_tracks_each_and_every_track_counts_once(
    n_tracks, world_size, click_folder, labels
):
    data = module(click_folder, click_folder.path / "labels", val_count=n_tracks)
    shares = []
    for rank in range(world_size):
        strategy = SimpleNamespace(root_device=torch.device("cpu"))
        data.trainer = SimpleNamespace(strategy=strategy, global_rank=rank, world_size=world_size)
        shares.append(list(data.val_dataloader()))
    assert len({len(share) for share in shares}) == 1
    batches = [batch for share in shares for batch in share]
    counted = [int(batch["track"]) for batch in batches if batch["counts"]]
    assert sorted(counted) == list(range(n_tracks))
    for batch in batches:
        assert bool(batch["mask"].any()) == bool(batch["counts"])


def test_doubtful_tracks_are_neither_mixed_nor_mixed_into(click_folder, labels):
    data = module(click_folder, labels, crop_s=0.5, augment={"mix": 1.0, "stretch": [0.3, 3.0]})
    names = [track.name for track in data.splits["train"]]
    pairs = {
        (names[crop.track], crop.second and names[crop.second.track])
        for crop in data.train_dataloader().sampler
    }
    assert pairs == {
        ("click_a", None), ("click_b", None), ("click_c", None),
        ("click_b", "click_c"), ("click_c", "click_b"),
    }  # fmt: skip


@pytest.mark.parametrize("augment", [None, {}])
def test_nothing_is_mixed_unless_asked_for(augment, click_folder, labels):
    data = module(click_folder, labels, crop_s=0.5, augment=augment)
    assert all(crop.second is None for crop in data.train_dataloader().sampler)
