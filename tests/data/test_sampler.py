"""Which crops make an epoch: counts, positions and speeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beatgrid.data.augment import Augment
from beatgrid.data.dataset import Crop, source_frames
from beatgrid.data.sampler import CropSampler


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


@pytest.mark.parametrize("crop_frames", [100, None])
def test_an_epoch_has_the_same_crops_however_many_processes_share_it(crop_frames):
    def draw(rank, world_size, n_done=0):
        sampler = CropSampler([1000, 500, 80], crop_frames, [1, 1, 1], 5, rank, world_size)
        sampler.go_on(0, n_done)
        return list(sampler)

    whole = draw(0, 1)
    shares = [draw(rank, 3) for rank in range(3)]
    dealt = [crop for step in zip(*shares, strict=True) for crop in step]
    assert [crop for crop in dealt if crop.counts] == whole
    assert dealt == whole + [
        crop._replace(counts=False) for crop in whole[: len(dealt) - len(whole)]
    ]
    # A run of two processes goes on as one of three.
    rest = [draw(rank, 3, n_done=2) for rank in range(3)]
    dealt = [crop for step in zip(*rest, strict=True) for crop in step]
    assert [crop for crop in dealt if crop.counts] == whole[2:]


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


def test_playback_speeds_leave_tempi_in_their_range_and_bring_none_farther_out():
    augment = Augment(probability=1.0, stretch=(0.5, 2.0), tempi=(60, 180))
    bpm = [100.0, 70.0, 50.0, 240.0]
    sampler = CropSampler([30_000] * 4, 100, [1] * 4, seed=3, augment=augment, bpm=bpm)
    played: list[list[float]] = [[], [], [], []]
    for crop in sampler:
        played[crop.track].append(bpm[crop.track] * crop.stretch)
    assert min(played[0]) == pytest.approx(60)
    assert max(played[0]) == pytest.approx(180)
    assert min(played[1]) == pytest.approx(60)
    assert 120 < max(played[1]) <= 140
    assert min(played[2]) == 50  # not slowed any further
    assert 80 < max(played[2]) <= 100
    assert 120 <= min(played[3]) < 160
    assert max(played[3]) == 240


@settings(deadline=None)
@given(
    frames=st.lists(st.integers(1, 500), min_size=1, max_size=6),
    crop_frames=st.one_of(st.none(), st.integers(1, 200)),
    world_size=st.integers(1, 4),
    seed=st.integers(0, 2**31),
)
def test_processes_draw_as_many_crops_each_and_all_lie_inside(
    frames, crop_frames, world_size, seed
):
    samplers = [
        CropSampler(frames, crop_frames, [1] * len(frames), seed, rank, world_size)
        for rank in range(world_size)
    ]
    drawn = [list(sampler) for sampler in samplers]
    assert {len(crops) for crops in drawn} == {len(samplers[0])}
    for crop in (crop for crops in drawn for crop in crops):
        assert crop.n_frames == min(crop_frames or frames[crop.track], frames[crop.track])
        assert 0 <= crop.first_frame <= frames[crop.track] - crop.n_frames


@settings(deadline=None)
@given(
    frames=st.lists(st.integers(1, 500), min_size=1, max_size=6),
    weights=st.lists(st.floats(0.1, 4.0), min_size=6, max_size=6),
    seed=st.integers(0, 2**31),
)
def test_a_track_is_drawn_within_one_of_its_expected_count(frames, weights, seed):
    sampler = CropSampler(frames, 50, weights[: len(frames)], seed)
    counts = np.bincount([crop.track for crop in sampler], minlength=len(frames))
    expected = sampler.expected / sampler.expected.sum() * len(sampler)
    assert np.abs(counts - expected).max() <= 1 + 1e-9
