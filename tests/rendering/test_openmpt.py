"""Tracker modules through libopenmpt: samples, and the time of every row."""

import numpy as np
import pytest

from beatgrid.errors import BeatgridError
from beatgrid.rendering import openmpt
from beatgrid.rendering.openmpt import BLOCK, SAMPLE_RATE
from beatgrid.rendering.tracker_grid import find_steady
from tests.rendering.tracker_files import mod_file

needs_libopenmpt = pytest.mark.skipif(
    openmpt.library() is None, reason="libopenmpt, a library of the system, is not installed"
)


@needs_libopenmpt
@pytest.mark.parametrize(("speed", "tempo"), [(6, 125), (6, 131), (3, 140)])
def test_clicks_lie_on_the_grid(speed, tempo):
    samples, rows = openmpt.play(mod_file(6, 4 * 6 // speed, speed, tempo), 240.0)
    steady = find_steady(rows, len(samples), 10.0)
    tick = int(2.5 * SAMPLE_RATE / tempo)
    assert steady.grid.bpm == pytest.approx(60 * SAMPLE_RATE / (24 * tick), rel=1e-9)
    assert steady.rows_per_beat == 24 // speed
    # The first tick of a ProTracker module is played at 125, whatever the tempo.
    assert (steady.first == 0) == (tempo == 125)
    assert steady.first <= 0.5 * SAMPLE_RATE
    part = np.abs(samples[steady.first : steady.last])
    loud = np.flatnonzero(part > 0.05)
    clicks = loud[np.flatnonzero(np.diff(loud, prepend=-SAMPLE_RATE) > SAMPLE_RATE // 10)]
    beats = steady.grid.beat_times(len(part) / SAMPLE_RATE)
    assert len(clicks) == len(beats) > 30
    np.testing.assert_allclose(clicks / SAMPLE_RATE, beats, atol=0.002)


@needs_libopenmpt
def test_playing_stops_at_the_repeat_or_the_limit():
    samples, rows = openmpt.play(mod_file(2), 240.0)
    assert len(samples) == 2 * 64 * 6 * 882
    assert len(rows) == 128
    assert len(openmpt.play(mod_file(2), 3.0)[0]) == 3 * SAMPLE_RATE // BLOCK * BLOCK


@needs_libopenmpt
def test_what_is_no_module_is_one_line():
    with pytest.raises(BeatgridError, match="no tracker module"):
        openmpt.play(b"not a module", 10.0)


def test_a_missing_library_is_one_line(monkeypatch):
    monkeypatch.setattr(openmpt, "library", lambda: None)
    with pytest.raises(BeatgridError, match=r"libopenmpt.*is missing; .*install\.sh"):
        openmpt.play(b"", 10.0)
