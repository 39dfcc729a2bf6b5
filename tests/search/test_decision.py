"""The metrical level of tracks that half a beat was cut out of."""

import numpy as np
import pytest

from beatgrid.calibration.synthetic import DEFAULT_FRAME_RATE, pulses
from beatgrid.grid import Activation
from beatgrid.search import GridSearch, decision
from beatgrid.search.ranker import LinearModel, Ranker

DURATION_S = 90.0
# Evidence at the beats, and a little for fast tempi: of two that explain as much, the faster.
RANKER = Ranker(
    level=LinearModel(("on", "log_bpm"), np.array([1.0, 0.3])),
    phase=LinearModel(("on",), np.array([1.0])),
    confidence=LinearModel(("joint_logit",), np.array([1.0])),
)


def activation_of(jump_beats):
    """Beats of 110 BPM, and from the middle on so many beats later."""
    period_s = 60 / 110
    before_s = np.arange(0.2, DURATION_S / 2, period_s)
    behind_s = np.arange(before_s[-1] + (1 + jump_beats) * period_s, DURATION_S - 0.2, period_s)
    beats_s = np.concatenate((before_s, behind_s))
    n_frames = int(DURATION_S * DEFAULT_FRAME_RATE)
    beat = pulses(beats_s, np.full(len(beats_s), 0.9), n_frames, DEFAULT_FRAME_RATE)
    return Activation(np.maximum(beat, 0.02), DEFAULT_FRAME_RATE), beats_s


@pytest.mark.parametrize("jump_beats", [0.5, 1.5, -0.5])
def test_a_cut_does_not_double_the_tempo(jump_beats, monkeypatch):
    activation, beats_s = activation_of(jump_beats)
    found = GridSearch()(activation, RANKER)
    assert [s.bpm for s in found.segments] == pytest.approx([110.0, 110.0], abs=0.02)
    assert found.bpm == pytest.approx(110.0, abs=0.02)
    found_s = found.beats_in(DURATION_S).times_s
    assert np.mean(np.abs(beats_s[:, None] - found_s).min(axis=1) < 0.010) > 0.97
    # Twice the tempo fits the whole track without a break.
    monkeypatch.setattr(decision, "find_half_beat_edit", lambda *_: None)
    doubled = GridSearch()(activation, RANKER)
    assert doubled.bpm == pytest.approx(220.0, abs=0.04)
    assert len(doubled.segments) == 1


def test_tracks_without_a_cut_keep_their_scores(monkeypatch):
    activation, _ = activation_of(0.0)
    with_edits = GridSearch().decide(activation, RANKER)
    monkeypatch.setattr(decision, "find_half_beat_edit", lambda *_: None)
    without = GridSearch().decide(activation, RANKER)
    np.testing.assert_array_equal(with_edits.score, without.score)
    assert with_edits.best == without.best
