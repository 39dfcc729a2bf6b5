"""A click at a known time comes back at that time, through every stage that could move it."""

import numpy as np
import pytest
import soundfile

from beatgrid.audio.features import FeatureSpec, log_mel
from beatgrid.audio.reader import load_audio
from beatgrid.data.targets import beat_target
from beatgrid.grid import Activation, Grid
from beatgrid.rendering.generator import click_track
from beatgrid.search import GridSearch
from beatgrid.search.notebook import NotebookSearch


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_energy_of_a_click_lies_at_its_time(tmp_path, suffix, rate):
    """File to features: the centre of a short click's energy, in seconds, is the click."""
    samples = np.zeros(3 * rate, dtype=np.float32)
    samples[rate] = 0.9  # one sample, at exactly 1.000 s
    path = tmp_path / f"click.{suffix}"
    soundfile.write(path, samples, rate)
    spec = FeatureSpec()
    features = log_mel(load_audio(path, spec.sample_rate).samples, spec)
    power = (10 ** (features / 10)).sum(axis=1).astype(np.float64)
    power[power < 1e-3 * power.max()] = 0
    time_s = (power * np.arange(len(power))).sum() / power.sum() / spec.frame_rate
    assert time_s == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize(
    ("bpm", "offset_s"),
    [(120.0, 0.25), (174.3, 0.111), (97.531, 0.42), (60 * 44100 / 512 / 40, 0.3)],
)
def test_target_of_a_label_leads_the_search_back_to_the_label(bpm, offset_s):
    """Label to grid: the last tempo has a period of exactly 40 frames, where rounding biases."""
    spec = FeatureSpec()
    grid = Grid(bpm, offset_s)
    duration_s = 120.0
    n_frames = spec.n_frames(int(duration_s * spec.sample_rate))
    times_s = grid.beat_times(duration_s)
    beat = 0.01 + 0.95 * beat_target(times_s, n_frames, spec.frame_rate, "soft", 0.015)
    downbeats_s = grid.downbeat_times(duration_s)
    downbeat = 0.01 + 0.95 * beat_target(downbeats_s, n_frames, spec.frame_rate, "soft", 0.015)
    found = GridSearch()(Activation(beat, spec.frame_rate, duration_s, downbeat))
    assert found.bpm == pytest.approx(bpm, abs=0.002)
    assert found.offset_s == pytest.approx(grid.first_downbeat_s, abs=0.002)
    error_s = found.grid.beat_times(duration_s) - times_s
    assert np.abs(error_s).max() < 0.002


def test_the_notebooks_search_misses_a_fractional_tempo_by_design():
    spec = FeatureSpec()
    beat = beat_target(Grid(174.3, 0.1).beat_times(180.0), 15504, spec.frame_rate, "box", 0.03)
    found = NotebookSearch()(Activation(beat, spec.frame_rate, 180.0))
    assert abs(found.bpm - 174.3) > 0.1  # 0.1 BPM are 100 ms after three minutes


def test_clicks_are_exact_where_stepping_by_whole_samples_is_17_ms_off():
    samples = click_track(137.0, 0.0, 180.0, 22050)
    last = Grid(137.0, 0.0).beat_times(179.9)[-1]
    tail = round((last - 0.1) * 22050)
    found = tail + np.argmax(np.abs(samples[tail:]))
    assert found / 22050 == pytest.approx(last, abs=1 / 22050)
