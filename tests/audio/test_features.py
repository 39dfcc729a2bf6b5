"""Log-mel features against librosa's, and their time axis."""

import subprocess
import sys

import librosa
import numpy as np
import pytest

from beatgrid.audio import features
from beatgrid.audio.features import FeatureSpec, log_mel, log_mel_blocks, mel_filterbank

SPEC = FeatureSpec()


def librosa_log_mel(samples: np.ndarray, spec: FeatureSpec) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=samples,
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        hop_length=spec.hop_length,
        n_mels=spec.n_mels,
        fmin=spec.f_min,
        fmax=spec.f_max,
        power=2.0,
    )
    return librosa.power_to_db(mel, ref=np.max, top_db=spec.top_db).T


def signal(kind: str, n_samples: int, sample_rate: int = 44100) -> np.ndarray:
    rng = np.random.default_rng(1)
    time_s = np.arange(n_samples) / sample_rate
    samples = {
        "noise": rng.standard_normal(n_samples) * 0.1,
        # The hardest case for single precision: all else is 80 dB and more below one bin.
        "tone": np.sin(2 * np.pi * 5000.3 * time_s),
        "bursts": rng.standard_normal(n_samples) * np.exp(-(time_s % 0.5) / 0.01),
        "silent tail": rng.standard_normal(n_samples) * (time_s < time_s[-1] / 2),
        "quiet": rng.standard_normal(n_samples) * 1e-5,
    }[kind]
    return samples.astype(np.float32)


@pytest.mark.parametrize("kind", ["noise", "tone", "bursts", "silent tail", "quiet"])
@pytest.mark.parametrize("n_samples", [3001, 44100 * 2, 44100 * 3 + 17])
def test_equals_librosa_within_a_thousandth_of_a_db(kind, n_samples):
    samples = signal(kind, n_samples)
    ours = log_mel(samples, SPEC)
    theirs = librosa_log_mel(samples, SPEC)
    assert ours.dtype == np.float32
    assert ours.flags.c_contiguous
    assert ours.shape == theirs.shape == (SPEC.n_frames(n_samples), 128)
    np.testing.assert_allclose(ours, theirs, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "spec",
    [
        FeatureSpec(sample_rate=22050, n_fft=1024, hop_length=441, n_mels=64),
        FeatureSpec(n_fft=4096, hop_length=512, n_mels=96, f_min=30.0, f_max=16000.0, top_db=60.0),
    ],
)
def test_other_resolutions_equal_librosa(spec):
    samples = signal("bursts", spec.sample_rate * 2, spec.sample_rate)
    np.testing.assert_allclose(
        log_mel(samples, spec), librosa_log_mel(samples, spec), atol=1e-3, rtol=0
    )
    filters = librosa.filters.mel(
        sr=spec.sample_rate, n_fft=spec.n_fft, n_mels=spec.n_mels, fmin=spec.f_min, fmax=spec.f_max
    )
    np.testing.assert_allclose(mel_filterbank(spec), filters, rtol=1e-5, atol=1e-8)


def test_tracks_of_several_slabs_equal_librosa():
    spec = FeatureSpec(sample_rate=8000, n_fft=128, hop_length=64, n_mels=8)
    samples = signal("bursts", 65536 * 64 + 1000, 8000)
    assert spec.n_frames(len(samples)) > features._SLAB_FRAMES
    np.testing.assert_allclose(
        log_mel(samples, spec), librosa_log_mel(samples, spec), atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("n_samples", [1, 511, 512, 513, 1024, 2047, 2048, 128 * 512, 130 * 512])
def test_number_of_frames_at_the_edges(n_samples):
    level_db = log_mel(signal("noise", n_samples), SPEC)
    assert level_db.shape == (1 + n_samples // 512, 128)
    assert level_db.max() == 0
    assert level_db.min() >= -80


@pytest.mark.parametrize("block", [1000, 4096, 65536, 100_003, 10**6])
def test_blocks_give_the_same_bits(block):
    samples = signal("bursts", 44100 * 9 + 123)
    blocks = [samples[i : i + block] for i in range(0, len(samples), block)]
    np.testing.assert_array_equal(log_mel_blocks(iter(blocks), SPEC), log_mel(samples, SPEC))


def test_ragged_and_empty_blocks_give_the_same_bits():
    samples = signal("noise", 300_000)
    cuts = np.sort(np.random.default_rng(2).integers(0, len(samples), 40))
    blocks = np.split(samples, np.concatenate([cuts[:1], cuts]))
    assert any(len(block) == 0 for block in blocks)
    np.testing.assert_array_equal(log_mel_blocks(blocks, SPEC), log_mel(samples, SPEC))


def test_a_frames_time_is_its_centre():
    # A click on the centre of a frame; the notebook's times would place it 23.2 ms later.
    frame = 86
    samples = np.zeros(44100 * 2, dtype=np.float32)
    samples[frame * SPEC.hop_length] = 1.0
    energy = (10 ** (log_mel(samples, SPEC).astype(float) / 10)).sum(axis=1)
    energy -= energy.min()
    assert np.argmax(energy) == frame
    assert np.average(np.arange(len(energy)), weights=energy) == pytest.approx(frame, abs=1e-3)
    assert frame / SPEC.frame_rate == frame * 512 / 44100


def test_silence_is_zero_as_in_librosa():
    samples = np.zeros(44100, dtype=np.float32)
    np.testing.assert_array_equal(log_mel(samples, SPEC), librosa_log_mel(samples, SPEC))


def test_frame_rate_is_not_rounded():
    assert SPEC.frame_rate == 86.1328125


def test_spec_survives_plain_values():
    spec = FeatureSpec(n_mels=64, f_min=20, f_max=11000)
    assert FeatureSpec.from_dict(spec.to_dict()) == spec
    assert FeatureSpec.from_dict({}) == SPEC
    assert repr(FeatureSpec(f_min=0)) == repr(FeatureSpec(f_min=0.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hop": 512}, "unknown feature setting hop; known are sample_rate"),
        ({"n_fft": 2047}, "n_fft must be even, not 2047"),
        ({"n_mels": 0}, "n_mels=0: must be a whole number from 1 to 4096"),
        ({"sample_rate": 44100.0}, "sample_rate=44100.0: must be a whole number from 1"),
        ({"n_mels": True}, "n_mels=true: must be a whole number from 1"),
        ({"hop_length": 4096}, "hop_length 4096 exceeds n_fft 2048"),
        ({"f_max": 30000.0}, "f_min < f_max <= 22050 Hz"),
        ({"f_min": -1.0}, "f_min=-1.0: must be a number from 0"),
        ({"f_min": float("nan")}, "f_min=nan: must be a number from 0"),
        ({"top_db": 0}, "top_db=0: must be a number above 0"),
        ({"top_db": float("inf")}, "top_db=inf: must be a number above 0"),
    ],
)
def test_wrong_specs_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        FeatureSpec.from_dict(values)


def test_wrong_audio_is_refused():
    with pytest.raises(ValueError, match="no audio samples"):
        log_mel(np.zeros(0, dtype=np.float32), SPEC)
    with pytest.raises(ValueError, match=r"mono, \(samples,\), not of shape \(2, 100\)"):
        log_mel(np.zeros((2, 100), dtype=np.float32), SPEC)


def test_import_spares_librosa_and_numba():
    code = (
        "import sys, beatgrid.audio.features, beatgrid.audio.reader, beatgrid.audio.cache\n"
        "found = lambda: [m for m in ('librosa', 'hydra', 'lightning') if m in sys.modules]\n"
        "before = found()\n"
        "import hydra\n"
        "print(before, found())"  # the second shows that the check can fail
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] ['hydra']"


def test_a_long_track_is_kept_in_half_precision(monkeypatch):
    samples = np.random.default_rng(0).normal(0, 1, 44100 * 20).astype(np.float32)
    samples *= np.linspace(0.001, 0.5, len(samples), dtype=np.float32)  # its loudest comes last
    spec = FeatureSpec()
    exact = log_mel(samples, spec)
    assert exact.dtype == np.float32
    monkeypatch.setattr(features, "_LONG_S", 5.0)
    monkeypatch.setattr(features, "_SLAB_FRAMES", 256)
    half = log_mel(samples, spec)
    assert half.dtype == np.float16
    assert half.shape == exact.shape
    assert np.abs(half.astype(np.float32) - exact).max() <= 0.07
    assert half.max() == pytest.approx(0, abs=0.01)
    np.testing.assert_array_equal(half, features.log_mel_blocks(np.array_split(samples, 7), spec))
