from dataclasses import replace

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
    tempo_target,
    whole_track,
)
from beatgrid.grid import Grid
from beatgrid.tempo_classes import class_target
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
    with pytest.raises(ValueError, match="downbeat_trust=blind: must be one of reliable, likely"):
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


def test_augmentation_depends_on_the_crops_seed_alone():
    dataset = CropDataset([make_track()], FeatureSpec(), NOTEBOOK_TARGET, Augment(probability=1.0))
    crop = Crop(0, 0, 50, seed=(0, 1, 2))
    first, again = dataset[crop]["features"], dataset[crop]["features"]
    other = dataset[crop._replace(seed=(0, 1, 3))]["features"]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("suspect", "expected"), [(None, 125.0), ("octave", 0.0)])
def test_tempo_of_a_crop_is_that_at_its_speed_unless_the_octave_is_in_doubt(suspect, expected):
    track = track_of(np.zeros((400, 8), np.float32), Grid(100.0, 0.0), 4.0)
    track = replace(track, label=replace(track.label, suspect=suspect))
    crop = Crop(0, 0, 200, stretch=1.25)
    np.testing.assert_array_equal(tempo_target(track, crop), class_target(expected))
