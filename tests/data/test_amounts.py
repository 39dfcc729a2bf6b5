"""How much of each an epoch holds, counted as the sampler counts."""

from collections import Counter
from dataclasses import replace

import pytest

from beatgrid.data.amounts import in_amounts
from beatgrid.data.sampler import CropSampler
from tests.data.test_dataset import RATE, make_track

CROP_S = 5.0


def epoch(tracks):
    """How many crops of each track an epoch draws."""
    sampler = CropSampler(
        [t.n_frames for t in tracks], round(CROP_S * RATE), [t.weight for t in tracks]
    )
    return Counter(crop.track for crop in sampler)


def test_a_few_own_tracks_give_half_of_an_epoch_of_given_length():
    tracks = [make_track(1000), *(make_track(2000) for _ in range(9))]
    drawn = epoch(in_amounts(tracks, 1, 0.5, 0.1, CROP_S))
    assert drawn.total() == 72  # 0.1 h in crops of 5 s
    assert drawn[0] == 36
    assert set(drawn.values()) == {36, 4}


def test_weights_within_a_side_are_kept():
    tracks = [make_track(1000), replace(make_track(1000), weight=3.0), make_track(1000)]
    heavier = in_amounts(tracks, 2, 0.8, None, CROP_S)
    assert [t.weight for t in heavier] == pytest.approx([1.0, 3.0, 1.0])
    assert sum(t.weight for t in heavier) == pytest.approx(5.0)


def test_without_other_tracks_the_own_ones_are_all():
    drawn = epoch(in_amounts([make_track(1000), make_track(1000)], 2, 0.5, 0.05, CROP_S))
    assert drawn == {0: 18, 1: 18}


def test_whole_tracks_come_once_each():
    tracks = [make_track(1000), make_track(1000)]
    assert in_amounts(tracks, 1, 0.9, 1.0, None) == tracks
