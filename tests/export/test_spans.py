"""Beats as spans of constant tempo."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beatgrid.export.spans import SPAN_TOLERANCE_S, constant_span, fit_spans
from tests.export.tracks import changing_beats, changing_track


def beats_of(spans):
    return np.concatenate([span.beat_times_s for span in spans])


def positions_of(spans, n):
    return np.concatenate(
        [(s.first_bar_position - 1 + np.arange(s.n_beats)) % n + 1 for s in spans]
    )


def test_a_constant_grid_is_one_span_of_its_tempo():
    times_s = np.round(0.1 + 60 / 174.3 * np.arange(500), 6)
    (span,) = fit_spans(times_s, np.arange(500) % 4 + 1, 4, 200.0, tempi=[174.3])
    assert (span.start_s, span.bpm, span.first_beat_s) == (0.0, 174.3, 0.1)
    assert span.n_beats == 500


def test_a_change_of_tempo_is_found_to_the_beat():
    spans = changing_track().spans
    assert (spans[0].bpm, spans[-1].bpm) == (120.0, 150.7)
    assert spans[0].first_beat_s == 0.25
    # The irregular beats between have spans of a beat or two.
    assert 4 <= len(spans) - 2 <= 8
    for before, after in itertools.pairwise(spans):
        assert before.end_s == after.start_s == after.first_beat_s


@given(
    st.lists(st.floats(0.2, 1.5), min_size=1, max_size=60),
    st.integers(1, 7),
    st.integers(0, 59),
    st.booleans(),
)
def test_every_beat_is_kept_whatever_they_are(gaps_s, beats_per_bar, new_count, regular):
    gaps = np.repeat(gaps_s, 5) if regular else np.array(gaps_s)
    times_s = np.round(np.cumsum(gaps), 6)
    positions = np.arange(len(times_s))
    positions[new_count:] += 2  # an edit
    positions = positions % beats_per_bar + 1
    spans = fit_spans(times_s, positions, beats_per_bar, times_s[-1] + 0.1)
    assert np.abs(beats_of(spans) - times_s).max() <= SPAN_TOLERANCE_S + 2e-6
    np.testing.assert_array_equal(positions_of(spans, beats_per_bar), positions)
    assert spans[0].start_s == 0 < spans[0].first_beat_s


def test_an_edit_starts_a_new_count_on_its_beat():
    times_s = 0.5 * np.arange(20)
    positions = np.array([*(np.arange(10) % 4 + 1), *(np.arange(10) % 4 + 1)])
    spans = fit_spans(times_s, positions, 4, 10.0)
    assert [(s.first_beat_s, s.first_bar_position) for s in spans] == [(0.0, 1), (5.0, 1)]


def test_two_hours_of_free_playing_are_kept():
    rng = np.random.default_rng(0)
    times_s = np.cumsum(0.5 + rng.normal(0, 0.01, 15_000))
    spans = fit_spans(times_s, np.arange(15_000) % 4 + 1, 4, times_s[-1] + 1)
    assert np.abs(beats_of(spans) - times_s).max() <= SPAN_TOLERANCE_S


def test_one_grid_stands_for_the_longest_stretch():
    times_s, positions = changing_beats()
    track = changing_track()
    span = constant_span(track.spans, times_s, positions, 4, track.duration_s)
    assert span.bpm == pytest.approx(120.0, abs=1e-9)
    assert span.first_beat_s == pytest.approx(0.25, abs=1e-9)
    assert span.first_bar_position == positions[0]


def test_one_grid_stands_for_wandering_beats():
    rng = np.random.default_rng(1)
    times_s = 1.0 + 0.5 * np.arange(400) + rng.normal(0, 0.006, 400)
    positions = np.arange(400) % 4 + 1
    spans = fit_spans(times_s, positions, 4, 202.0)
    span = constant_span(spans, times_s, positions, 4, 202.0)
    assert span.bpm == pytest.approx(120.0, abs=0.01)
    # It begins before the music, on the same count.
    assert 0 <= span.first_beat_s < 0.5 + 1e-9
    at = round((1.0 - span.first_beat_s) / 0.5)
    assert span.first_beat_s + at * 0.5 == pytest.approx(1.0, abs=0.003)
    assert (span.first_bar_position - 1 + at) % 4 + 1 == 1
