"""Mono from channels: the mean, and the signs that keep what the mean would cancel."""

import numpy as np
import pytest
import soundfile

from beatgrid.audio.mixdown import Mixdown
from beatgrid.audio.reader import load_audio, open_audio


def noise(n, seed):
    return np.random.default_rng(seed).normal(0, 0.1, n).astype(np.float32)


def opposed(*channels):
    mixdown = Mixdown()
    block = np.stack(channels, axis=1)
    np.testing.assert_allclose(mixdown(block), block.mean(axis=1), atol=1e-7)
    signs = mixdown.opposed()
    return None if signs is None else signs.tolist()


def test_what_the_mean_keeps_is_left_alone():
    a, b, c = (noise(10_000, seed) for seed in range(3))
    assert opposed(a) is None
    assert opposed(a, a) is None
    assert opposed(a, b) is None  # unrelated: half of the power is left
    assert opposed(a, 0 * a) is None
    assert opposed(a, b, c) is None
    assert opposed(0 * a, 0 * a) is None
    assert opposed(a, -0.3 * a) is None  # weaker, but all of the music


@pytest.mark.parametrize("level", [1.0, 0.9, 0.75])
def test_opposed_channels_are_turned(level):
    a, b = noise(10_000, 1), noise(10_000, 2)
    assert opposed(a, -level * a) == [1, -1]
    assert opposed(-level * a, a) == ([1, -1] if level == 1 else [-1, 1])
    assert opposed(a + 0.05 * b, -a) == [1, -1]
    assert opposed(a, -a, a, -a) == [1, -1, 1, -1]


def test_a_changing_number_of_channels_has_no_verdict():
    mixdown = Mixdown()
    a = noise(1000, 1)
    mixdown(np.stack((a, -a), axis=1))
    mixdown(a[:, None])
    mixdown(np.stack((a, -a, a), axis=1))
    assert mixdown.opposed() is None


def test_right_that_is_left_upside_down(tmp_path):
    music = noise(44100 * 2, 3)
    soundfile.write(tmp_path / "a.wav", np.stack((music, -music), axis=1), 44100, "FLOAT")
    audio = load_audio(tmp_path / "a.wav")
    assert audio.info.mix == "opposed"
    assert audio.info.peak == pytest.approx(np.abs(music).max())
    np.testing.assert_allclose(audio.samples, music, atol=1e-7)
    soundfile.write(tmp_path / "b.wav", np.stack((music, music), axis=1), 44100, "FLOAT")
    assert load_audio(tmp_path / "b.wav").info.mix == "mean"


def test_a_stream_is_decoded_twice_only_where_it_must(tmp_path):
    music = noise(44100 * 2, 3)
    for name, other, passes in (("a.wav", -music, 2), ("b.wav", music, 1)):
        soundfile.write(tmp_path / name, np.stack((music, other), axis=1), 44100, "FLOAT")
        calls = []
        total = open_audio(tmp_path / name).consume(
            lambda blocks, calls=calls: calls.append(1) or sum(map(len, blocks))
        )
        assert (len(calls), total) == (passes, len(music))
