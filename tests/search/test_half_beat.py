"""Edits by half a beat, in evidence that is known at every beat and off-beat."""

import numpy as np
import pytest

from beatgrid.search.evidence import Evidence
from beatgrid.search.half_beat import (
    BLOCK_BEATS,
    ENOUGH_BEATS,
    MIN_CONTRAST,
    HalfBeatEdit,
    find_half_beat_edit,
)
from beatgrid.search.line import Line

FRAME_RATE = 100.0
PERIOD_S = 0.5


def track(contrasts):
    """Evidence that is higher by given amounts at each beat than between, and its grid."""
    n_frames = round(PERIOD_S * FRAME_RATE)
    coefficients = np.zeros(n_frames * len(contrasts))
    for beat, contrast in enumerate(contrasts):
        at = beat * n_frames + 10 + (0 if contrast > 0 else n_frames // 2)
        coefficients[at - 2 : at + 3] = abs(contrast)  # the spline is constant in the middle
    duration_s = PERIOD_S * len(contrasts)
    evidence = Evidence(coefficients, np.ones(len(coefficients)), 1.0, FRAME_RATE, duration_s)
    return evidence, Line.through(0.1, PERIOD_S, 0.0, duration_s)


def found(contrasts, log_odds_scale=1.0):
    """Look for the edit where the other channels move along with the beat channel."""
    evidence, line = track(contrasts)

    def phase_log_odds(part):
        return log_odds_scale * float(
            np.mean(contrasts[part.first - line.first : part.last - line.first + 1])
        )

    edit = find_half_beat_edit(evidence, line, phase_log_odds)
    return None if edit is None else HalfBeatEdit(edit.beat - line.first, edit.before)


def steps(*parts):
    """Contrasts of stretches of (beats, contrast)."""
    return np.concatenate([np.full(n_beats, contrast) for n_beats, contrast in parts])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("n_beats", "place"), [(64, 16), (100, 71), (400, 64), (400, 199)])
def test_the_place_is_found_to_the_beat(n_beats, place, sign):
    contrasts = sign * steps((place, 2.0), (n_beats - place, -1.5))
    assert found(contrasts) == HalfBeatEdit(place, sign > 0)


def test_both_sides_need_a_contrast():
    weak, enough = 0.95 * MIN_CONTRAST, 1.05 * MIN_CONTRAST
    assert found(steps((100, 3.0), (100, -weak))) is None
    assert found(steps((100, weak), (100, -3.0))) is None
    assert found(steps((100, 3.0), (100, -enough))) == HalfBeatEdit(100, True)


def test_passages_that_return_to_the_beat_are_no_edit():
    assert found(steps((100, 3.0), (80, -3.0), (100, 3.0))) is None
    # Most of what lies behind the place is still on the off-beat.
    assert found(steps((100, 3.0), (100, -3.0), (BLOCK_BEATS, 1.0))) == HalfBeatEdit(100, True)


def test_short_sides_are_introductions():
    assert found(steps((ENOUGH_BEATS - 2, -3.0), (400, 3.0))) == HalfBeatEdit(ENOUGH_BEATS, False)
    assert found(steps((ENOUGH_BEATS // 2, -3.0), (400, 3.0))) is None
    assert found(steps((22, -3.0), (74, 3.0))) == HalfBeatEdit(24, False)
    assert found(steps((10, -3.0), (20, 3.0))) is None


def test_other_channels_have_to_move_along():
    contrasts = steps((100, 3.0), (100, -3.0))
    assert found(contrasts, -1.0) is None
    evidence, line = track(contrasts)
    assert find_half_beat_edit(evidence, line, lambda part: 3.0) is None
    assert find_half_beat_edit(evidence, line, lambda part: -3.0) is None


@pytest.mark.parametrize("before", [True, False])
def test_the_sides_of_an_edit(before):
    line = Line(10.0, 0.5, -10, 9)
    left, right = HalfBeatEdit(3, before).sides(line)
    first_s, second_s = 5.0 + 0.5 * np.arange(13), 11.5 + 0.5 * np.arange(7)
    np.testing.assert_allclose(left.times_s, first_s + (0.0 if before else 0.25))
    np.testing.assert_allclose(right.times_s, second_s + (0.25 if before else 0.0))
