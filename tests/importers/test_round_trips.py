"""What ``beatgrid export`` writes, ``beatgrid import`` reads: the same beats and bars."""

import numpy as np
import pytest

from beatgrid.export import charts, midi
from beatgrid.export.options import ExportOptions
from beatgrid.importers.charts import osu, sequencer, stepmania
from beatgrid.importers.grid import label_grid
from tests.export.tracks import changing_track, constant_track
from tests.importers.files import audio, beats, source

# By format: what the export rounds, in seconds, for whatever length.
ROUNDED_S = {"stepmania": 1e-4, "osu": 5e-4, "midi": 4.5e-4}


def imported(name, track, folder):
    """The grid of an export of a track."""
    if name == "stepmania":
        content = charts.render_stepmania(track, ExportOptions())
        (found,) = stepmania.read_sm(source(folder / "song.mp3.sm", content))
        return found, label_grid(found.marks, track.duration_s, 1e-6)
    if name == "osu":
        content = charts.render_osu(track, ExportOptions())
        (found,) = osu.read(source(folder / "song.mp3.osu", content))
        return found, label_grid(found.marks, track.duration_s, 1e-3)
    audio(folder / "song.mp3.wav").rename(folder / "song.mp3")
    content = midi.render(track, ExportOptions())
    (found,) = sequencer.read(source(folder / "song.mp3.mid", content))
    return found, label_grid(found.marks, track.duration_s)


@pytest.mark.parametrize("name", ROUNDED_S)
@pytest.mark.parametrize(("bpm", "offset_s"), [(174.3, 0.352), (60.0, 0.0), (98.7654321, 1.9)])
def test_a_constant_track_comes_back(name, bpm, offset_s, tmp_path):
    track = constant_track(bpm, offset_s, 180.0)
    found, grid = imported(name, track, tmp_path)
    assert found.audio == "song.mp3"
    # The tempo of MIDI is whole microseconds, which the export makes up for by others.
    assert grid.is_piecewise is False
    assert abs(grid.grid.bpm / bpm - 1) < 3e-8 if name != "midi" else 1e-6
    off_s = beats(grid, track.duration_s) - track.beat_times_s()
    assert np.abs(off_s).max() < ROUNDED_S[name] + 1e-6
    assert grid.bars_known
    bar_s = 240 / bpm
    assert abs((grid.grid.offset_s - offset_s + bar_s / 2) % bar_s - bar_s / 2) < 1e-3


@pytest.mark.parametrize("name", ROUNDED_S)
def test_a_track_whose_tempo_changes_comes_back(name, tmp_path):
    track = changing_track()
    _, grid = imported(name, track, tmp_path)
    found, expected = beats(grid, track.duration_s), track.beat_times_s()
    assert len(found) == len(expected)
    assert np.abs(found - expected).max() < ROUNDED_S[name] + 1e-6
    assert grid.is_piecewise
