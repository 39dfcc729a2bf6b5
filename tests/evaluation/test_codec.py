"""A score survives as numbers and as text, whatever it found."""

import dataclasses
import typing

import pytest

from beatgrid.evaluation import TrackScore, evaluate_track
from beatgrid.evaluation.codec import FIELDS, from_numbers, from_text, to_numbers, to_text
from beatgrid.grid import Grid

TRUE = Grid(128.0, 0.1)
SCORES = [
    evaluate_track(TRUE, grid, duration_s, confidence, downbeat_reliable=bool(i % 2))
    for i, (grid, duration_s, confidence) in enumerate(
        [
            (Grid(128.0, 0.103), 100.0, 0.9),
            (Grid(128.0, 0.112), 100.0, 0.8),
            (Grid(128.0, 0.1 + 30 / 128), 100.0, 0.6),
            (Grid(192.0, 0.1), 100.0, 0.2),
            (Grid(101.0, 0.1), 100.0, None),
            (None, 100.0, 0.0),
            (Grid(64.0, 0.1), 100.0, 0.5),
            (Grid(128.0, 0.1), 5.0, 0.7),
        ]
    )
]
"""All kinds of result."""


def test_every_field_that_can_be_none_is_so_once_and_once_not():
    for name, hint in typing.get_type_hints(TrackScore).items():
        values = [getattr(score, name) for score in SCORES]
        assert (None in values) == (type(None) in typing.get_args(hint)), name
        assert any(value is not None for value in values), name


@pytest.mark.parametrize("score", SCORES, ids=lambda score: score.level)
def test_numbers_bring_a_score_back_exactly(score):
    numbers = to_numbers(score)
    assert all(isinstance(number, float) for number in numbers)
    back = from_numbers(numbers)
    assert back == score
    for name in FIELDS:
        assert type(getattr(back, name)) is type(getattr(score, name)), name


@pytest.mark.parametrize("score", SCORES, ids=lambda score: score.level)
def test_text_brings_a_score_back_to_its_digits(score):
    back = from_text(to_text(score))
    for name in FIELDS:
        value = getattr(score, name)
        expected = pytest.approx(value, rel=1e-8) if isinstance(value, float) else value
        assert getattr(back, name) == expected, name
        assert type(getattr(back, name)) is type(value), name


def test_fields_are_those_of_a_score():
    assert tuple(field.name for field in dataclasses.fields(TrackScore)) == FIELDS


def test_a_missing_column_is_named():
    row = to_text(SCORES[0])
    del row["phase_ms"]
    with pytest.raises(ValueError, match="no column phase_ms"):
        from_text(row)
