"""A hint weighs in the choice of tempo, and only there."""

import numpy as np
import pytest

from beatgrid.calibration.synthetic import noisy_activation
from beatgrid.grid import Grid
from beatgrid.search import GridSearch, TempoHint

TRUTH = Grid(84.0, 0.3)


def ambiguous(seed=0):
    """Half-beats nearly as strong as the beats: 84 BPM, or 168."""
    return noisy_activation(
        TRUTH, 90.0, np.random.default_rng(seed), offbeat=0.85, offbeat_height=(0.5, 0.9)
    )


@pytest.mark.parametrize(("hint", "bpm"), [(84, 84.0), (168, 168.0), ([80, 90], 84.0)])
def test_a_hint_decides_where_the_music_leaves_it_open(hint, bpm):
    estimate = GridSearch()(ambiguous(), hint=TempoHint.of(hint))
    assert estimate.bpm == pytest.approx(bpm, abs=0.02)


@pytest.mark.parametrize("hint", [83.0, 86.0, 84.5])
def test_the_tempo_is_measured_and_not_the_hints(hint):
    estimate = GridSearch()(ambiguous(), hint=TempoHint.of(hint))
    assert estimate.bpm == pytest.approx(84.0, abs=0.02)


def test_a_wrong_hint_does_not_outweigh_clear_evidence():
    clear = noisy_activation(TRUTH, 90.0, np.random.default_rng(1), offbeat=0.0)
    for hint in (100.0, 126.0):
        hint = TempoHint.of(hint)
        estimate = GridSearch()(clear, hint=hint)
        assert estimate.bpm == 84.0
        assert not hint.agrees(estimate.bpm)


def test_a_hint_names_what_is_within_four_percent():
    hint = TempoHint.of(100)
    assert [hint.agrees(bpm) for bpm in (95, 97, 100, 103.9, 105, 50, 200)] == [
        *(False, True, True, True, False, False, False),
    ]
    assert [TempoHint.of([80, 100]).agrees(bpm) for bpm in (76, 78, 90, 103, 105)] == [
        *(False, True, True, True, False),
    ]
    assert hint.plain == 100.0
    assert TempoHint.of((80, 100)).plain == [80.0, 100.0]


@pytest.mark.parametrize("value", [0, -90, "fast", [90], [100, 80], [80, 90, 100], True, None])
def test_what_is_no_tempo_is_refused(value):
    with pytest.raises(ValueError, match="a hint is a tempo, or a range"):
        TempoHint.of(value)
