"""The vectorised notebook search against a literal transcription of the original's loops."""

import numpy as np
import pytest

from beatgrid.calibration.synthetic import pulse_activation
from beatgrid.grid import Activation
from beatgrid.search.notebook import NotebookSearch
from tests.search.notebook_loops import original_search

FRAME_RATE = 44100 / 512


@pytest.mark.parametrize("window", [None, (5.0, 18.0), (0.3, 400.0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_answers_as_the_original(window, dtype):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        beat = rng.random(2000) ** 3
        activation = Activation(beat.astype(dtype), FRAME_RATE, duration_s=23.2 + seed / 100)
        estimate = NotebookSearch(80, 120, 2.5, window, n_offsets=30)(activation)
        bpm, offset_s, score = original_search(activation, 80, 120, 2.5, window, 30)
        assert estimate.bpm == bpm
        assert estimate.offset_s == offset_s
        assert estimate.score == score


def test_half_the_tempo_scores_as_well_and_comes_first():
    """The weakness that the grid search removes: 150 BPM at whole frames is called 75."""
    estimate = NotebookSearch()(pulse_activation(150.0, 0.06, 60.0, frame_rate=100.0))
    assert estimate.bpm == 75.0
    assert estimate.offset_s % 0.4 == pytest.approx(0.06, abs=0.005)


def test_window_outside_the_track_gives_the_lowest_tempo_and_no_confidence():
    activation = Activation(np.full(500, 0.5), FRAME_RATE)
    estimate = NotebookSearch(search_window=(100.0, 120.0))(activation)
    assert (estimate.bpm, estimate.offset_s, estimate.confidence) == (70.0, 0.0, 0.0)


def test_empty_activation_has_no_grid():
    assert NotebookSearch()(Activation(np.zeros(0), FRAME_RATE)).bpm is None


@pytest.mark.parametrize("keywords", [{"bpm_min": 0}, {"bpm_min": 90, "bpm_max": 80}])
def test_refuses_an_impossible_range(keywords):
    with pytest.raises(ValueError, match="bpm_min"):
        NotebookSearch(**keywords)


def test_refuses_a_step_of_zero():
    with pytest.raises(ValueError, match="bpm_step"):
        NotebookSearch(bpm_step=0)


def test_what_the_notebook_did_not_compute_is_unknown():
    estimate = NotebookSearch()(pulse_activation(120.0, 0.1, 20.0))
    unknown = (estimate.bpm_std, estimate.offbeat_confidence, estimate.max_drift_ms)
    assert unknown == (None, None, None)
    assert estimate.constant_tempo
