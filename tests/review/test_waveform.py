"""Samples as WAV, and their pyramid, against signals of known shape."""

import struct

import numpy as np
import pytest
import soundfile

from beatgrid.review.waveform import BLOCK_SAMPLES, N_LEVELS, SAMPLE_RATE, write_wav


def tone(frequency_hz, amplitude, n):
    return (amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(n) / SAMPLE_RATE)).astype(
        np.float32
    )


def blocks_of(samples, size=10007):
    return [samples[i : i + size] for i in range(0, len(samples), size)]


def test_the_wav_holds_the_samples_one_by_one(tmp_path):
    rng = np.random.default_rng(1)
    samples = rng.uniform(-1.2, 1.2, 30001).astype(np.float32)
    write_wav(tmp_path / "a.wav", blocks_of(samples))
    read, rate = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert rate == SAMPLE_RATE
    np.testing.assert_array_equal(read, np.rint(np.clip(samples, -1, 1) * 32767))
    header = (tmp_path / "a.wav").read_bytes()[:44]
    assert struct.unpack("<I", header[40:44]) == (2 * 30001,)


@pytest.mark.parametrize(("frequency_hz", "band"), [(60, 0), (700, 1), (9000, 2)])
def test_a_tone_is_in_its_band(frequency_hz, band, tmp_path):
    waveform = write_wav(tmp_path / "a.wav", blocks_of(tone(frequency_hz, 0.5, SAMPLE_RATE)))
    middle = waveform.levels[2][3:8].astype(float)
    bands = middle[:, 2:].mean(axis=0) / 255
    assert bands[band] == pytest.approx(0.5 / np.sqrt(2), rel=0.15)
    assert max(np.delete(bands, band)) < 0.35 * bands[band]
    assert middle[:, 0].max() == pytest.approx(128 - 127 * 0.5, abs=2)
    assert middle[:, 1].min() == pytest.approx(128 + 127 * 0.5, abs=2)


@pytest.mark.parametrize("size", [97, 256, 10007, 10**6])
def test_extremes_do_not_depend_on_how_the_samples_come(size, tmp_path):
    rng = np.random.default_rng(2)
    samples = rng.uniform(-1, 1, 12345).astype(np.float32)
    waveform = write_wav(tmp_path / "a.wav", blocks_of(samples, size))
    n_blocks = -(-12345 // BLOCK_SAMPLES)
    padded = np.pad(samples, (0, n_blocks * BLOCK_SAMPLES - 12345), mode="edge")
    rows = padded.reshape(n_blocks, BLOCK_SAMPLES)
    finest = waveform.levels[0]
    np.testing.assert_array_equal(finest[:, 0], np.rint(128 + 127 * rows.min(axis=1)))
    np.testing.assert_array_equal(finest[:, 1], np.rint(128 + 127 * rows.max(axis=1)))
    assert waveform.n_samples == 12345


def test_coarser_levels_hold_the_extremes_of_finer_ones(tmp_path):
    samples = np.zeros(SAMPLE_RATE, dtype=np.float32)
    samples[20000] = 1.0
    waveform = write_wav(tmp_path / "a.wav", [samples])
    assert len(waveform.levels) == N_LEVELS
    for number, level in enumerate(waveform.levels):
        block = 20000 // (BLOCK_SAMPLES * 4**number)
        assert int(np.argmax(level[:, 1])) == block
        assert level[block, 1] == 255
        assert len(level) == -(-SAMPLE_RATE // (BLOCK_SAMPLES * 4**number))
