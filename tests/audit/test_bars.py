"""The downbeat of a label beside the one of the fitted model of bars, where chords are known."""

from dataclasses import replace

import numpy as np
import pytest

from beatgrid.audit.evidence import measure
from beatgrid.audit.track import NUMBERS
from beatgrid.audit.verdict import BARS_ODDS, judge
from beatgrid.calibration.synthetic import pulses
from beatgrid.grid import Grid
from beatgrid.search.ranker import LinearModel, packaged
from tests.audit.tracks import DURATION_S, TRUTH, evidence_of, found, track

CHORDS = LinearModel(("shape_4_mid",), np.array([3.0]))
N_BEATS = len(TRUTH.beat_times(DURATION_S))


def ranker(model):
    return replace(packaged("generic"), bars=model)


def chords_db(late=0):
    """Return levels of one chord a bar, which begins ``late`` beats after the downbeat.

    Args:
        late: Beats, or those of each bar of the grid.
    """
    n_frames = len(track())
    times_s = np.arange(n_frames) / track().frame_rate
    beat = np.floor((times_s - TRUTH.offset_s) / TRUTH.period_s + 1e-6).astype(int)
    bar = (beat - np.broadcast_to(late, n_frames)) // 4 + 1
    return np.random.default_rng(1).uniform(-40, 0, (bar.max() + 1, 32))[bar]


def label(turned):
    """Return a label whose downbeats are that many beats early."""
    return Grid(TRUTH.bpm, TRUTH.offset_s - turned * TRUTH.period_s, TRUTH.beats_per_bar)


def measured(of_label, spectrum_db, model=CHORDS, **channels):
    activation = replace(track(), spectrum_db=spectrum_db, **channels)
    return measure(of_label, activation, found(), ranker(model))


def bars_of(*args, **kwargs):
    return measured(*args, **kwargs).bars


@pytest.mark.parametrize("turned", range(4))
def test_the_margin_is_the_difference_of_the_model_s_scores(turned):
    """All boundaries are on one beat: the feature is 1 there and 0 on the others, less the mean."""
    bars = bars_of(label(turned), chords_db())
    assert (bars.later_beats, bars.lasting, bars.fitted) == (turned, True, True)
    assert bars.margin == pytest.approx(3.0 if turned else -3.0, abs=1e-6)


def test_the_model_outvotes_the_network_s_downbeats():
    spectrum_db = chords_db(late=2)
    assert bars_of(label(0), spectrum_db, model=None).later_beats == 0
    assert bars_of(label(0), spectrum_db).later_beats == 2
    assert bars_of(label(2), spectrum_db).later_beats == 0


@pytest.mark.parametrize(("beats", "lasting"), [(1, True), (2, False)])
def test_each_half_is_asked_whether_the_label_s_place_is_worse(beats, lasting):
    """The chords of the last third move by a beat, or by two to the label's own downbeats."""
    n_frames = len(track())
    moved = np.where(np.arange(n_frames) < 0.65 * n_frames, 0, beats)
    bars = bars_of(label(2), chords_db(moved))
    assert (bars.later_beats, bars.lasting) == (2, lasting)


@pytest.mark.parametrize(("beats", "lasting"), [(0, True), (1, False), (2, False)])
def test_of_the_network_s_downbeats_each_half_must_have_the_best_place(beats, lasting):
    downbeats_s = TRUTH.downbeat_times(DURATION_S)
    downbeats_s = downbeats_s + (downbeats_s > 0.65 * DURATION_S) * beats * TRUTH.period_s
    heights = np.full(len(downbeats_s), 0.8)
    downbeat = np.maximum(pulses(downbeats_s, heights, len(track()), track().frame_rate), 0.01)
    bars = bars_of(label(2), None, downbeat=downbeat)
    assert (bars.later_beats, bars.lasting, bars.fitted) == (2, lasting, False)


def test_that_the_second_half_begins_says_nothing_of_its_bars():
    """It begins on another beat of the bar than the music does."""
    assert N_BEATS // 2 % 4 != 0
    model = LinearModel(("first", "shape_4_mid"), np.array([9.0, 3.0]))
    bars = bars_of(label(1), chords_db(), model)
    assert (bars.later_beats, bars.lasting) == (1, True)
    assert bars.margin == pytest.approx(12.0, abs=1e-6)


@pytest.mark.parametrize("missing", ["model", "spectrum_db"])
def test_without_model_or_spectrum_the_network_s_downbeats_tell(missing):
    spectrum_db, model = chords_db(late=2), CHORDS
    if missing == "model":
        model = None
    else:
        spectrum_db = None
    bars = bars_of(label(1), spectrum_db, model)
    assert bars == evidence_of(label(1)).bars
    assert (bars.later_beats, bars.fitted) == (1, False)


def test_the_network_s_downbeats_tell_of_bars_of_three():
    beats_s = TRUTH.beat_times(DURATION_S)
    in_three = np.where(np.arange(len(beats_s)) % 3 == 1, 0.9, 0.0)
    downbeat = np.maximum(pulses(beats_s, in_three, len(track()), track().frame_rate), 0.01)
    of_three = replace(TRUTH, beats_per_bar=3)
    bars = bars_of(of_three, chords_db(), downbeat=downbeat)
    assert (bars.later_beats, bars.lasting, bars.fitted) == (1, True, False)


@pytest.mark.parametrize(("model", "by"), [(CHORDS, "model"), (None, "downbeats")])
def test_reports_say_whose_nats_a_margin_has(model, by):
    assert NUMBERS["bars_by"](measured(label(1), chords_db(), model)) == by


@pytest.mark.parametrize(("share", "kind"), [(0.9, "ok"), (1.0, "bars"), (3.0, "bars")])
def test_bars_are_suspected_from_the_odds_on_that_other_faults_are(share, kind):
    odds = share * BARS_ODDS * (1 + 1e-9)
    evidence = evidence_of(label(1))
    bars = replace(evidence.bars, fitted=True, margin=float(np.log(odds)))
    verdict = judge(replace(evidence, bars=bars))
    assert verdict.kind == kind
    assert verdict.score == pytest.approx(share / (1 + share))
    if kind == "bars":
        assert verdict.reason == f"the downbeat is 1 beat later ({np.log(odds):.1f} nats)"


def test_overwhelming_odds_have_a_score_of_at_most_one():
    evidence = evidence_of(label(1))
    verdict = judge(replace(evidence, bars=replace(evidence.bars, fitted=True, margin=2000.0)))
    assert verdict.kind == "bars"
    assert 0.99 < verdict.score <= 1.0
