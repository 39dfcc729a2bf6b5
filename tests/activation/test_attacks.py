"""Sounds that begin out of near-silence are timed exactly; in mixes there are none."""

import numpy as np
import pytest

from beatgrid.activation import attacks
from beatgrid.activation.attacks import attack_times_s
from beatgrid.activation.source import FluxSource
from beatgrid.audio.features import FeatureSpec, log_mel
from beatgrid.grid import Grid
from beatgrid.search import GridSearch

RATE = 44100
SPEC = FeatureSpec()
NOISE = np.random.default_rng(7)


def decay(per_s, duration_s):
    return np.exp(-per_s * np.arange(int(duration_s * RATE)) / RATE)


def tone(hz, duration_s):
    return np.sin(2 * np.pi * hz * np.arange(int(duration_s * RATE)) / RATE)


SOUNDS = {
    "impulse": np.array([1.0]),
    "click": np.cos(2 * np.pi * 1500 * np.arange(1300) / RATE) * decay(230, 1300 / RATE),
    "rim": tone(1700, 0.05) * decay(90, 0.05),
    "hat": np.diff(NOISE.standard_normal(2206)) * decay(70, 0.05),
    "snare": NOISE.standard_normal(8820) * decay(22, 0.2),
    "kick": np.sin(2 * np.pi * np.cumsum(48 + 102 * decay(35, 0.3)) / RATE) * decay(9, 0.3),
}


def played(sound, times_s, duration_s):
    """Put a sound at each of the times, rounded to samples."""
    samples = np.zeros(int(duration_s * RATE))
    for start in np.round(np.asarray(times_s) * RATE).astype(int):
        end = min(start + len(sound), len(samples))
        samples[start:end] += sound[: end - start]
    return (0.8 * samples / np.abs(samples).max()).astype(np.float32)


@pytest.mark.parametrize("sound", SOUNDS)
def test_attacks_out_of_silence_are_found_within_a_millisecond(sound):
    times_s = Grid(113.7, 0.31).beat_times(5.0)
    found_s = attack_times_s(log_mel(played(SOUNDS[sound], times_s, 5.3), SPEC), SPEC)
    assert len(found_s) == len(times_s)
    assert np.abs(found_s - times_s).max() < 0.0015
    assert abs(np.median(found_s - times_s)) < 0.001


def test_noise_50_db_below_does_not_matter():
    times_s = Grid(113.7, 0.31).beat_times(5.0)
    samples = played(SOUNDS["snare"], times_s, 5.3)
    samples += 0.8 * 10 ** (-50 / 20) * NOISE.standard_normal(len(samples)).astype(np.float32)
    found_s = attack_times_s(log_mel(samples, SPEC), SPEC)
    assert len(found_s) == len(times_s)
    assert abs(np.median(found_s - times_s)) < 0.001


def test_long_attacks_are_timed_from_their_first_sample():
    swell = NOISE.standard_normal(8820) * decay(22, 0.2) * np.minimum(np.arange(8820) / 882, 1)
    times_s = Grid(113.7, 0.31).beat_times(5.0)
    found_s = attack_times_s(log_mel(played(swell, times_s, 5.3), SPEC), SPEC)
    assert abs(np.median(found_s - times_s)) < 0.0025


@pytest.mark.parametrize(
    "spec",
    [FeatureSpec(hop_length=441), FeatureSpec(n_mels=64, f_max=8000), FeatureSpec(n_fft=1024)],
)
def test_other_resolutions_give_the_same_times(spec):
    times_s = Grid(97.3, 0.4).beat_times(4.0)
    found_s = attack_times_s(log_mel(played(SOUNDS["snare"], times_s, 4.3), spec), spec)
    assert len(found_s) == len(times_s)
    assert np.abs(found_s - times_s).max() < 0.0015


def test_what_follows_another_sound_has_no_attack():
    times_s = Grid(113.7, 0.31).beat_times(5.0)
    samples = played(SOUNDS["snare"], times_s, 5.3)
    samples += 0.1 * NOISE.standard_normal(len(samples)).astype(np.float32)
    assert len(attack_times_s(log_mel(samples, SPEC), SPEC)) == 0


@pytest.mark.parametrize("n_frames", [0, 1, 4, 5, 7, 50])
def test_silence_has_no_attacks(n_frames):
    assert len(attack_times_s(np.full((n_frames, 128), -80.0), SPEC)) == 0


def test_attacks_in_pieces_equal_those_of_the_whole(monkeypatch):
    mel = log_mel(played(SOUNDS["hat"], Grid(150.0, 0.3).beat_times(5.0), 5.3), SPEC)
    whole_s = attack_times_s(mel, SPEC)
    monkeypatch.setattr(attacks, "CHUNK_FRAMES", 7)
    monkeypatch.setattr(attacks, "CHUNK_ATTACKS", 3)
    np.testing.assert_allclose(attack_times_s(mel, SPEC), whole_s, rtol=0, atol=1e-6)
    half_s = attack_times_s(mel.astype(np.float16), SPEC)
    np.testing.assert_allclose(half_s, whole_s, rtol=0, atol=2e-4)


@pytest.mark.parametrize("sound", ["click", "hat", "kick"])
def test_grids_of_bare_percussion_have_no_bias(sound):
    truth = Grid(126.0, 0.25)
    samples = played(SOUNDS[sound], truth.beat_times(19.5), 20.0)
    source = FluxSource()
    activation = source(log_mel(samples, source.features), 20.0)
    estimate = GridSearch()(activation, source.ranker)
    assert estimate.bpm == pytest.approx(126.0, abs=0.02)
    beats_s = estimate.beats_in(20.0).times_s
    assert np.abs(beats_s - truth.beat_times(20.0)).max() < 0.0015
