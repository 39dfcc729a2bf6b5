"""Clicks lie on the beats to the sample, from the first beat to the last."""

import numpy as np
import pytest

from beatgrid.grid import Grid
from beatgrid.output.sonify import BEAT_HZ, DOWNBEAT_HZ, click, mix_clicks

RATE = 22050
GRID = Grid(bpm=137.0, offset_s=0.3)


def onsets(samples: np.ndarray) -> np.ndarray:
    """First sample of each stretch of sound that follows at least 50 ms of silence."""
    sounding = np.flatnonzero(np.abs(samples) > 1e-6)
    return sounding[np.diff(sounding, prepend=-RATE) > 0.05 * RATE]


def test_every_click_is_rounded_on_its_own():
    mix = mix_clicks(np.zeros(180 * RATE), RATE, GRID)
    times_s = GRID.beat_times(180.0)
    found = onsets(mix)
    assert len(found) == len(times_s) == 411
    # A click is silent at its own first sample: a sine begins at 0.
    assert np.abs((found - 1) / RATE - times_s).max() <= 0.5 / RATE + 1e-9


def test_an_excerpt_has_the_clicks_of_its_place_in_the_track():
    whole = mix_clicks(np.zeros(60 * RATE), RATE, GRID)
    # 30 s are a whole number of samples, so both round alike.
    excerpt = mix_clicks(np.zeros(10 * RATE), RATE, GRID, start_s=30.0)
    first = onsets(excerpt)[0]
    np.testing.assert_allclose(excerpt[first:], whole[30 * RATE + first : 40 * RATE], atol=1e-6)


@pytest.mark.parametrize("mark_downbeats", [True, False])
def test_downbeats_are_higher(mark_downbeats):
    mix = mix_clicks(np.zeros(4 * RATE), RATE, GRID, mark_downbeats=mark_downbeats)
    length = len(click(BEAT_HZ, RATE))
    frequencies = np.fft.rfftfreq(16 * length, 1 / RATE)
    for at, position in zip(onsets(mix), GRID.bar_positions(4.0), strict=True):
        spectrum = np.abs(np.fft.rfft(mix[at : at + length], 16 * length))
        expected = DOWNBEAT_HZ if position == 1 and mark_downbeats else BEAT_HZ
        assert frequencies[spectrum.argmax()] == pytest.approx(expected, rel=0.05)


def test_never_clips_and_keeps_the_music():
    rng = np.random.default_rng(0)
    music = rng.uniform(-1, 1, 5 * RATE).astype(np.float32)
    mix = mix_clicks(music, RATE, GRID)
    assert mix.dtype == np.float32
    assert mix.shape == music.shape
    assert np.abs(mix).max() <= 1
    # 100 ms after each beat the click is over: there is only the music, lowered.
    quiet = int((0.3 + 0.1) * RATE) + np.arange(1000)
    np.testing.assert_allclose(mix[quiet], music[quiet] * 0.3 / np.abs(music).max(), atol=1e-6)


def test_quiet_music_is_not_made_louder():
    mix = mix_clicks(np.full(RATE, 0.1), RATE, Grid(60.0, 0.5))
    assert mix[0] == pytest.approx(0.1)


def test_a_click_cut_off_by_the_end_and_an_empty_excerpt():
    mix = mix_clicks(np.zeros(RATE // 2 + 10), RATE, Grid(60.0, 0.5))
    assert np.count_nonzero(mix[-9:]) == 9
    assert mix_clicks(np.zeros(0), RATE, GRID).shape == (0,)


def test_refuses_stereo_and_a_bad_level():
    with pytest.raises(ValueError, match=r"must be mono, \(samples,\), not of shape \(2, 100\)"):
        mix_clicks(np.zeros((2, 100)), RATE, GRID)
    with pytest.raises(ValueError, match="level must lie in"):
        mix_clicks(np.zeros(100), RATE, GRID, level=1.5)
