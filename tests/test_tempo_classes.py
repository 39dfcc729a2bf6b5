"""Tempo classes: twelve to the octave, targets that sum to 1, values between classes."""

import numpy as np
import pytest

from beatgrid.tempo_classes import (
    CLASSES_PER_OCTAVE,
    LOWEST_BPM,
    N_CLASSES,
    class_position,
    class_target,
    log_probability_at,
)


def test_twice_the_tempo_lies_an_octave_above():
    assert class_position(LOWEST_BPM) == 0
    difference = class_position(174.0) - class_position(87.0)
    assert difference == pytest.approx(CLASSES_PER_OCTAVE)
    assert class_position(330.0) < N_CLASSES - 1


@pytest.mark.parametrize("bpm", [55.0, 61.7, 128.0, 300.0])
def test_a_targets_mean_is_its_tempo(bpm):
    target = class_target(bpm)
    assert target.sum() == pytest.approx(1)
    assert target @ np.arange(N_CLASSES) == pytest.approx(class_position(bpm), abs=0.06)


def test_tempi_beyond_the_classes_belong_to_the_last_one():
    assert class_target(20.0).argmax() == 0
    assert class_target(500.0).argmax() == N_CLASSES - 1


@pytest.mark.parametrize("unknown", [0.0, float("nan")])
def test_an_unknown_tempo_is_no_target(unknown):
    assert not class_target(unknown).any()


def test_between_classes_log_probabilities_are_interpolated():
    values = np.arange(N_CLASSES, dtype=float)
    between = LOWEST_BPM * 2 ** (3.25 / CLASSES_PER_OCTAVE)
    assert log_probability_at(values, between) == pytest.approx(3.25)
    assert log_probability_at(values, 10.0) == 0
    assert log_probability_at(values, 1000.0) == N_CLASSES - 1
