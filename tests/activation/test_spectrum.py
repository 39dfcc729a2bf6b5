import numpy as np
import pytest

from beatgrid.activation.spectrum import CHUNK_FRAMES, coarse_spectrum_db


def test_bands_are_means_of_neighbouring_mels():
    rng = np.random.default_rng(0)
    log_mel = rng.uniform(-60, 0, (CHUNK_FRAMES + 7, 128)).astype(np.float32)
    spectrum_db = coarse_spectrum_db(log_mel)
    assert spectrum_db.dtype == np.float16
    expected = log_mel.reshape(len(log_mel), 32, 4).mean(axis=2)
    assert spectrum_db == pytest.approx(expected, abs=0.02)  # float16


def test_what_is_faint_is_silence():
    log_mel = np.full((3, 128), -80.0, np.float16)
    log_mel[1, 64:] = -69.0
    spectrum_db = coarse_spectrum_db(log_mel)
    assert np.all(spectrum_db[[0, 2]] == -70)
    assert np.all(spectrum_db[1, 16:] == -69)


@pytest.mark.parametrize(("n_mels", "n_bands"), [(128, 32), (81, 32), (8, 8), (1, 1)])
def test_any_number_of_mels_will_do(n_mels, n_bands):
    level_db = np.linspace(-60, 0, n_mels, dtype=np.float32)[np.newaxis].repeat(5, axis=0)
    spectrum_db = coarse_spectrum_db(level_db)
    assert spectrum_db.shape == (5, n_bands)
    assert np.all(np.diff(spectrum_db[0].astype(float)) > 0)
    assert coarse_spectrum_db(level_db[:0]).shape == (0, n_bands)
