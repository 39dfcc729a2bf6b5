"""Spectral flux: onsets are found where they are, bands apart, silence stays silent."""

import numpy as np
import pytest

from beatgrid.activation import flux
from beatgrid.activation.flux import BAND_EDGES, flux_activation, onset_strength
from beatgrid.grid import Grid
from beatgrid.search import GridSearch
from beatgrid.search.ranker import packaged

FRAME_RATE = 44100 / 512
N_MELS = 128


def log_mel_of_hits(times_s, duration_s, mels=slice(None), rise_s=0.003, decay_s=0.08):
    """Level in dB of hits with a short attack, seen through a 46 ms Hann window."""
    rate = 4000
    t = np.arange(int(duration_s * rate)) / rate
    power = np.zeros(len(t))
    for hit_s in times_s:
        age_s = np.maximum(t - hit_s, 0)
        power += (1 - np.exp(-age_s / rise_s)) * np.exp(-age_s / decay_s)
    window = np.hanning(int(2048 / 44100 * rate) + 1) ** 2
    seen = np.convolve(power, window / window.sum(), mode="same")
    frames = np.arange(int(duration_s * FRAME_RATE)) / FRAME_RATE
    level = 10 * np.log10(np.interp(frames, t, seen) + 1e-8)
    log_mel = np.full((len(frames), N_MELS), -80.0)
    log_mel[:, mels] = level[:, None]
    return log_mel - log_mel.max()


def test_onsets_come_out_at_their_times():
    grid = Grid(123.4, 0.31)
    hits_s = grid.beat_times(60.0)
    onset = onset_strength(log_mel_of_hits(hits_s, 60.0), FRAME_RATE).sum(axis=1)
    peak_s = [
        (np.argmax(onset[a : a + 16]) + a) / FRAME_RATE
        for a in np.round(hits_s * FRAME_RATE).astype(int)[1:-1] - 8
    ]
    # An ideal attack is seen early; see LEAD_S. Frames are 11.6 ms apart.
    assert np.median(peak_s - hits_s[1:-1]) == pytest.approx(-0.006, abs=0.006)


def test_bands_do_not_mix():
    low = slice(0, round(BAND_EDGES[0] * N_MELS) - 1)
    onset = onset_strength(log_mel_of_hits([1.0, 2.0], 3.0, low), FRAME_RATE)
    assert onset.shape[1] == len(BAND_EDGES)
    assert onset[:, 0].max() > 0.1
    assert np.all(onset[:, 1:] == 0)


def test_grid_of_hits_is_found():
    log_mel = log_mel_of_hits(Grid(128.5, 0.25).beat_times(90.0), 90.0)
    activation = flux_activation(log_mel, FRAME_RATE, duration_s=90.0)
    estimate = GridSearch()(activation, packaged("flux"))
    assert estimate.bpm == pytest.approx(128.5, abs=0.02)
    error_s = (estimate.offset_s - 0.25 + 0.2) % (60 / 128.5) - 0.2
    assert error_s == pytest.approx(-0.006, abs=0.006)


@pytest.mark.parametrize("n_frames", [0, 1, 2, 5000])
def test_silence_has_neither_onsets_nor_a_grid(n_frames):
    activation = flux_activation(np.full((n_frames, N_MELS), -80.0), FRAME_RATE)
    assert activation.onset.shape == (n_frames, len(BAND_EDGES))
    assert not activation.onset.any()
    assert not activation.beat.any()
    assert GridSearch()(activation).bpm is None


def test_onsets_are_probable_and_the_rest_is_not():
    activation = flux_activation(log_mel_of_hits([1.0, 2.0, 3.0], 4.0), FRAME_RATE)
    assert activation.beat.max() > 0.5
    assert np.median(activation.beat) < 0.05


def test_few_mels_leave_bands_empty_but_work():
    onset = onset_strength(log_mel_of_hits([1.0], 2.0)[:, :3], FRAME_RATE)
    assert onset.max() > 0


def test_onsets_in_pieces_equal_those_of_the_whole(monkeypatch):
    log_mel = np.random.default_rng(0).uniform(-80, 0, (1000, N_MELS)).astype(np.float32)
    whole = onset_strength(log_mel, FRAME_RATE)
    for chunk in (1, 7, 998, 999):
        monkeypatch.setattr(flux, "CHUNK_FRAMES", chunk)
        np.testing.assert_array_equal(onset_strength(log_mel, FRAME_RATE), whole)
