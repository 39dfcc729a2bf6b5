import numpy as np
import pytest
import torch

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.augment import Augment
from beatgrid.data.dataset import (
    NOTEBOOK_TARGET,
    Crop,
    CropDataset,
    TargetSpec,
    collate,
    frame_targets,
    source_frames,
    whole_track,
)
from beatgrid.data.sampler import CropSampler
from beatgrid.grid import Grid
from tests.data.memory import track_of

RATE = 100.0  # frames per second: beats on whole frames are easy to read
ONE_FRAME = TargetSpec("box", 0.001, "likely")


def make_track(n_frames=1000, grid=None, downbeat="reliable", duration_s=None, name="t"):
    features = np.broadcast_to(np.arange(n_frames, dtype=np.float16)[:, None] % 100, (n_frames, 4))
    grid = grid or Grid(120.0, 0.25)
    return track_of(features, grid, duration_s or n_frames / RATE, name, downbeat)


def test_targets_of_a_crop_stand_at_the_labels_beats():
    target, mask = frame_targets(make_track(), Crop(0, 300, 200), RATE, ONE_FRAME)
    # Beats every 0.5 s from 0.25 s: inside the crop from 3 s to 5 s they are at 3.25, 3.75, ...
    assert np.flatnonzero(target[:, 0]).tolist() == [25, 75, 125, 175]
    assert np.flatnonzero(target[:, 1]).tolist() == [125]  # downbeats at 0.25 + 2 k: 4.25 s
    assert mask.min() == 1


def test_beats_before_the_offset_are_positive():
    track = make_track(grid=Grid(120.0, 2.25))
    target, _ = frame_targets(track, Crop(0, 0, 100), RATE, ONE_FRAME)
    assert np.flatnonzero(target[:, 0]).tolist() == [25, 75]
    assert np.flatnonzero(target[:, 1]).tolist() == [25]


@pytest.mark.parametrize(
    ("downbeat", "trust", "known"),
    [
        ("reliable", "reliable", 1),
        ("likely", "reliable", 0),
        ("likely", "likely", 1),
        ("unknown", "likely", 0),
    ],
)
def test_bars_are_learnt_only_where_they_are_trusted(downbeat, trust, known):
    spec = TargetSpec("soft", 0.02, trust)
    _, mask = frame_targets(make_track(downbeat=downbeat), Crop(0, 0, 50), RATE, spec)
    assert mask[:, 0].min() == 1
    assert (mask[:, 1] == known).all()


def test_frames_past_the_labels_duration_are_unknown():
    _, mask = frame_targets(make_track(duration_s=0.3), Crop(0, 0, 50), RATE, NOTEBOOK_TARGET)
    assert mask[:, 0].tolist() == [1.0] * 30 + [0.0] * 20


def test_unknown_trust_is_refused():
    with pytest.raises(ValueError, match="downbeat_trust='blind'"):
        TargetSpec("soft", 0.02, "blind")


def test_crop_holds_the_features_of_its_frames():
    dataset = CropDataset([make_track()], FeatureSpec(), NOTEBOOK_TARGET)
    item = dataset[Crop(0, 210, 5)]
    assert item["features"].dtype == torch.float32
    assert item["features"][:, 0].tolist() == [10, 11, 12, 13, 14]
    assert whole_track(dataset.tracks[0]) == Crop(0, 0, 1000)


def test_unequal_items_are_padded_and_masked():
    dataset = CropDataset([make_track()], FeatureSpec(), NOTEBOOK_TARGET)
    batch = collate([dataset[Crop(0, 0, 30)], dataset[Crop(0, 0, 50)]])
    assert batch["features"].shape == (2, 50, 4)
    assert batch["n_frames"].tolist() == [30, 50]
    assert batch["mask"][0, 30:].abs().max() == 0
    assert batch["mask"][1].min() == 1


def test_an_epoch_is_all_of_the_audio_about_once():
    frames = [1000, 3000, 100]
    sampler = CropSampler(frames, crop_frames=100, weights=[1, 1, 1], seed=1)
    crops = list(sampler)
    assert len(crops) == len(sampler) == 41
    assert np.bincount([crop.track for crop in crops]).tolist() == [10, 30, 1]
    for crop in crops:
        assert 0 <= crop.first_frame <= frames[crop.track] - crop.n_frames
    assert {crop.n_frames for crop in crops} == {100}


def test_weights_change_how_often_a_track_is_drawn():
    sampler = CropSampler([1000, 1000], crop_frames=100, weights=[3.0, 0.5])
    assert np.bincount([crop.track for crop in sampler]).tolist() == [30, 5]


def test_short_track_gives_all_it_has():
    assert next(iter(CropSampler([40], crop_frames=100, weights=[1]))) == Crop(0, 0, 40)


def test_whole_tracks_come_once_each_in_a_new_order():
    sampler = CropSampler([50] * 20, crop_frames=None, weights=[1] * 20)
    first = [crop.track for crop in sampler]
    sampler.set_epoch(1)
    second = [crop.track for crop in sampler]
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second


def test_draw_depends_on_seed_and_epoch_alone():
    def draw(seed, epoch):
        sampler = CropSampler([5000] * 3, 100, [1] * 3, seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert draw(0, 3) == draw(0, 3)
    assert draw(0, 3) != draw(0, 4)
    assert draw(0, 3) != draw(1, 3)


def test_processes_share_an_epoch_without_overlap():
    whole = list(CropSampler([1000, 500], 100, [1, 1]))
    parts = [list(CropSampler([1000, 500], 100, [1, 1], rank=r, world_size=3)) for r in range(3)]
    assert [len(part) for part in parts] == [5, 5, 5]
    assert sorted(crop for part in parts for crop in part) == sorted(whole)


def test_faster_crop_moves_its_beats_with_the_music():
    """A feature that counts frames shows where each frame of a stretched crop comes from."""
    track = make_track()
    item = CropDataset([track], FeatureSpec(sample_rate=51200), TargetSpec("box", 0.002, "likely"))[
        Crop(0, 100, 100, stretch=1.25)
    ]
    source = 100 + np.arange(100) * 1.25
    wrapped = item["features"][:, 0].numpy()
    exact = (source % 100) < 98  # the counter wraps between two frames there
    np.testing.assert_allclose(wrapped[exact], (source % 100)[exact], atol=1e-3)
    # Beats at 0.25 + 0.5 k s, in the crop from 1 s on at 1.25 times the speed.
    expected = [(t - 1.0) / 1.25 * 100 for t in (1.25, 1.75)]
    beats = np.flatnonzero(item["target"][:, 0].numpy())
    np.testing.assert_allclose(beats, expected, atol=0.2)


def test_augmented_epoch_varies_speed_within_its_range_and_stays_inside():
    augment = Augment(probability=0.5, stretch=(0.8, 1.25))
    sampler = CropSampler([3000, 120], 100, [1, 1], seed=3, augment=augment)
    crops = list(sampler)
    speeds = np.array([crop.stretch for crop in crops])
    assert 0.2 < np.mean(speeds != 1.0) < 0.8
    assert speeds.min() >= 0.8
    assert speeds.max() <= 1.25
    for crop in crops:
        assert (
            crop.first_frame + source_frames(crop.n_frames, crop.stretch)
            <= (sampler.track_frames[crop.track])
        )
    assert len({crop.seed for crop in crops}) == len(crops)


def test_augmentation_depends_on_the_crops_seed_alone():
    dataset = CropDataset([make_track()], FeatureSpec(), NOTEBOOK_TARGET, Augment(probability=1.0))
    crop = Crop(0, 0, 50, seed=(0, 1, 2))
    first, again = dataset[crop]["features"], dataset[crop]["features"]
    other = dataset[crop._replace(seed=(0, 1, 3))]["features"]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
