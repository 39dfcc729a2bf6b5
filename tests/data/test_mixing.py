"""Two tracks at once: their clicks coincide, and the draws are those of seed and epoch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.augment import FLOOR_DB, Augment
from beatgrid.data.dataset import Crop, CropDataset, TargetSpec
from beatgrid.data.mixing import CROSSOVER, Second, Seconds, mix, place_second, read_placed
from beatgrid.data.sampler import CropSampler
from beatgrid.grid import Grid
from tests.data.memory import track_of

SPEC = FeatureSpec(sample_rate=51200)  # 100 frames per second
RATE = SPEC.frame_rate
TARGET = TargetSpec("soft", 0.015, "likely")
MELS = 4


def clicks(bpm, offset_s, n_frames, downbeat="reliable", band=0, beats_per_bar=4, name="t"):
    """A track with a peak of two frames' width at each beat in one band, louder on downbeats."""
    grid = Grid(bpm, offset_s, beats_per_bar)
    x = np.full((n_frames, MELS), FLOOR_DB)
    frames = np.arange(n_frames)
    duration_s = n_frames / RATE
    for t, place in zip(grid.beat_times(duration_s), grid.bar_positions(duration_s), strict=True):
        peak = -10.0 if place == 1 else -30.0
        x[:, band] = np.maximum(x[:, band], peak - 20 * np.abs(frames - t * RATE))
    return track_of(x.astype(np.float16), grid, duration_s, name, downbeat)


def peaks(x, above_db):
    """Return the frames of the local maxima above a level."""
    inner = (x[1:-1] >= x[:-2]) & (x[1:-1] > x[2:]) & (x[1:-1] > above_db)
    return np.flatnonzero(inner) + 1


@pytest.mark.parametrize("position", [0.0, 0.37, 0.99])
@pytest.mark.parametrize(("stretch", "second_bpm"), [(1.0, 120.0), (1.1, 140.0), (0.9, 101.3)])
def test_clicks_of_both_tracks_coincide_bar_by_bar_at_the_right_speed(
    stretch, second_bpm, position
):
    first = clicks(120.0, 0.33, 3000, band=0)
    second = clicks(second_bpm, 0.71, 4000, band=2)
    crop = Crop(0, 417, 1200, stretch, second=Second(1, position, 0.0))
    item = CropDataset([first, second], SPEC, TARGET)[crop]
    features, target = item["features"].numpy(), item["target"].numpy()
    for level_db, channel in ((-55.0, 0), (-25.0, 1)):
        of_first, of_second = (peaks(features[:, band], level_db) for band in (0, 2))
        assert len(of_first) == len(of_second) >= 5
        assert np.abs(of_first - of_second).max() <= 1
        assert np.abs(of_second - peaks(target[:, channel], 0.5)).max() <= 1
    assert item["mask"].min() == 1


@pytest.mark.parametrize(
    ("first", "second", "known"),
    [("reliable", "likely", 1), ("reliable", "unknown", 0), ("unknown", "reliable", 0)],
)
def test_bars_of_a_mix_are_learnt_only_where_both_tracks_are_trusted(first, second, known):
    tracks = [clicks(120.0, 0.33, 3000, first), clicks(130.0, 0.71, 3000, second, band=2)]
    item = CropDataset(tracks, SPEC, TARGET)[Crop(0, 0, 800, second=Second(1, 0.5, 0.0))]
    assert item["mask"][:, 0].min() == 1
    assert (item["mask"][:, 1] == known).all()
    beats = [peaks(item["features"][:, band].numpy(), -55.0) for band in (0, 2)]
    assert np.abs(beats[0] - beats[1]).max() <= 1


def test_untrusted_tracks_begin_at_any_beat():
    tracks = [clicks(120.0, 0.33, 3000, "unknown"), clicks(120.0, 0.33, 3000, "unknown")]
    starts = {
        round(place_second(*tracks, 0, 500, 1.0, RATE, position, by_bars=False).start)
        for position in np.linspace(0, 0.99, 200)
    }
    assert starts == set(range(0, 2500, 50))


def test_a_second_that_is_shorter_ends_in_silence_and_at_its_labels_duration():
    first = clicks(120.0, 0.0, 3000)
    second = clicks(120.0, 0.0, 900, band=2)
    second = replace(second, label=replace(second.label, duration_s=7.0))
    placement = place_second(first, second, 0, 2000, 1.0, RATE, 0.9, by_bars=True)
    assert placement == (0.0, 1.0, 700)
    item = CropDataset([first, second], SPEC, TARGET)[Crop(0, 0, 2000, second=Second(1, 0.9, 0.0))]
    assert item["features"][650, 2] > -55
    assert item["features"][700:, 2].max() == FLOOR_DB


def test_a_second_of_less_than_a_bar_mixes_nothing_where_none_of_it_fits():
    first, second = clicks(120.0, 0.0, 3000), clicks(120.0, 0.0, 60)
    placement = place_second(first, second, 100, 500, 1.0, RATE, 0.0, by_bars=True)
    assert placement.n_frames == 0
    assert read_placed(second, placement).shape == (0, MELS)


def test_powers_add():
    first = np.full((6, 10), -20.0, dtype=np.float32)
    second = np.full((4, 10), -14.0, dtype=np.float32)
    mixed = mix(first, second, Second(1, 0.0, -6.0))
    np.testing.assert_allclose(mixed[:4], -20 + 10 * np.log10(2), atol=1e-4)
    np.testing.assert_array_equal(mixed[4:], first[4:])


def test_what_is_at_the_floor_adds_nothing():
    first = np.full((6, 10), FLOOR_DB, dtype=np.float32)
    np.testing.assert_allclose(mix(first, first, Second(1, 0.0, 0.0)), FLOOR_DB, atol=1e-4)


def test_swapped_bands_are_the_seconds_alone():
    first = np.full((6, 10), -20.0, dtype=np.float32)
    second = np.full((4, 10), -30.0, dtype=np.float32)
    mixed = mix(first, second, Second(1, 0.0, -6.0, bands=(0.0, 0.3)))
    np.testing.assert_array_equal(mixed[:4, :3], -36)
    np.testing.assert_array_equal(mixed[:, 3:], -20)
    np.testing.assert_array_equal(mixed[4:], -20)


def draws(mix_share, epoch=0, **settings):
    bpm = [100.0, 104.0, 110.0, 150.0, 60.0, 105.0, 102.0]
    augment = Augment(mix=mix_share, **settings)
    sampler = CropSampler(
        [20_000] * 7, 100, [1.0, 1.0, 3.0, 1.0, 1.0, 1.0, 1.0], 5, augment=augment, bpm=bpm,
        bar_lengths=[4, 4, 4, 4, 4, 3, 0],
    )  # fmt: skip
    sampler.set_epoch(epoch)
    return bpm, list(sampler)


def test_seconds_are_playable_at_the_crops_tempo_and_drawn_by_weight():
    bpm, crops = draws(1.0, stretch=(0.9, 1.1), mix_swap=0.5, mix_db=(-9.0, -3.0))
    pairs = [(crop, crop.second) for crop in crops if crop.second is not None]
    assert {crop.track for crop, _ in pairs} == {0, 1, 2}  # 3 and 4 are alone at their tempo
    for crop, second in pairs:
        assert 0.9 <= bpm[crop.track] * crop.stretch / bpm[second.track] <= 1.1
        assert second.track != crop.track
        assert -9 <= second.gain_db <= -3
        assert 0 <= second.position < 1
    of_first = [second.track for crop, second in pairs if crop.track == 0 and crop.stretch == 1]
    counts = np.bincount(of_first, minlength=3)
    assert counts[2] / counts[1] == pytest.approx(3, rel=0.4)
    bands = [second.bands for _, second in pairs]
    assert np.mean([b is None for b in bands]) == pytest.approx(0.5, abs=0.05)
    bass = [b for b in bands if b is not None and b[0] == 0]
    treble = [b for b in bands if b is not None and b[1] == 1]
    assert len(bass) + len(treble) == sum(b is not None for b in bands)
    assert 0.4 < len(bass) / (len(bass) + len(treble)) < 0.6
    assert CROSSOVER[0] <= min(b[1] for b in bass) < max(b[1] for b in bass) <= CROSSOVER[1]


def test_mixing_moves_no_other_draw_and_comes_as_often_as_asked():
    _, without = draws(0.0)
    _, mixed = draws(0.3, stretch=(0.5, 2.0))
    _, wide = draws(0.0, stretch=(0.5, 2.0))
    assert all(crop.second is None for crop in without)
    assert [crop._replace(second=None) for crop in mixed] == wide
    suited = [crop.second is not None for crop in mixed if crop.track < 3]
    assert np.mean(suited) == pytest.approx(0.3 * (1 - 1 / 7), abs=0.1)


def test_mixes_differ_by_epoch_and_come_again_with_it():
    assert draws(0.5)[1] == draws(0.5)[1]
    seconds = [[crop.second for crop in draws(0.5, epoch)[1]] for epoch in (0, 1)]
    assert seconds[0] != seconds[1]


def test_processes_share_the_mixes_of_an_epoch():
    def draw(rank, world_size):
        return list(
            CropSampler(
                [1000, 500, 700], 100, [1] * 3, 5, rank, world_size, Augment(mix=0.5),
                bpm=[100.0, 102.0, 104.0], bar_lengths=[4] * 3,
            )
        )  # fmt: skip

    whole, shares = draw(0, 1), [draw(rank, 2) for rank in range(2)]
    assert any(crop.second is not None for crop in whole)
    dealt = [crop for step in zip(*shares, strict=True) for crop in step]
    assert [crop for crop in dealt if crop.counts] == whole


def test_a_crop_with_nothing_mixed_in_is_the_crop_of_before():
    tracks = [clicks(120.0, 0.33, 3000)]
    plain = CropDataset(tracks, SPEC, TARGET, Augment(probability=1.0))
    mixing = CropDataset(tracks, SPEC, TARGET, Augment(probability=1.0, mix=1.0))
    crop = Crop(0, 100, 300, 1.1, seed=(0, 0, 1))
    assert torch.equal(plain[crop]["features"], mixing[crop]["features"])


def test_tracks_at_a_tempo_of_their_own_find_no_second():
    seconds = Seconds(Augment(mix=1.0), [60.0, 180.0], [1.0, 1.0], [4, 4])
    drawn = seconds.draw(np.array([0, 1]), np.ones(2), np.random.default_rng(0))
    assert drawn == [None, None]
