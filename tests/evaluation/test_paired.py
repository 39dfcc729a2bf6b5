"""Paired comparison of two methods against values worked out by hand and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from beatgrid.evaluation.paired import bootstrap_difference, compare_pairs, mcnemar_exact
from tests.evaluation.test_track import TRUE, score


@pytest.mark.parametrize(
    ("first_only", "second_only", "p_value"),
    [(0, 0, 1.0), (5, 5, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (10, 2, 2 * (1 + 12 + 66) / 4096)],
)
def test_exact_test_of_small_counts(first_only, second_only, p_value):
    assert mcnemar_exact(first_only, second_only) == pytest.approx(p_value)
    assert mcnemar_exact(second_only, first_only) == pytest.approx(p_value)


@pytest.mark.parametrize(("first_only", "second_only"), [(17, 31), (400, 350)])
def test_exact_test_is_the_binomial_test(first_only, second_only):
    expected = binomtest(first_only, first_only + second_only).pvalue
    assert mcnemar_exact(first_only, second_only) == pytest.approx(expected)


def test_pairs_are_counted_and_differ_by_the_share_of_wins():
    first = [True] * 6 + [True] * 3 + [False] * 1 + [False] * 10
    second = [True] * 6 + [False] * 3 + [True] * 1 + [False] * 10
    found = compare_pairs(first, second)
    counts = (found.n_both, found.n_first_only, found.n_second_only, found.n_neither)
    assert counts == (6, 3, 1, 10)
    assert found.difference == pytest.approx(0.1)
    assert found.p_value == pytest.approx(0.625)


def test_interval_is_that_of_paired_differences():
    rng = np.random.default_rng(1)
    first = rng.random(2000) < 0.8
    second = first.copy()
    second[:100] = False  # of 2000: the difference varies far less than either share
    found = compare_pairs(list(first), list(second), n=2000)
    share = found.n_first_only / 2000
    sigma = np.sqrt(share * (1 - share) / 2000)
    assert found.interval == pytest.approx(
        (share - 1.96 * sigma, share + 1.96 * sigma), abs=0.2 * sigma
    )


def test_equal_methods_have_no_interval_to_speak_of():
    found = compare_pairs([True, False] * 20, [True, False] * 20)
    assert found.interval == (0.0, 0.0)
    assert found.p_value == 1.0


def test_no_tracks_tell_nothing():
    found = compare_pairs([], [])
    assert (found.difference, found.interval, found.p_value) == (0.0, None, 1.0)


def test_different_tracks_are_refused():
    with pytest.raises(ValueError, match="2 tracks of the first, 1 of the second"):
        compare_pairs([True, False], [True])


def test_evidence_for_a_difference_has_a_direction():
    found = [compare_pairs([True] * a + [False] * b, [False] * a + [True] * b) for a, b in PAIRS]
    assert [f.is_better for f in found] == [False, True, False, False]
    assert [f.is_worse for f in found] == [False, False, True, False]


PAIRS = [(5, 0), (6, 0), (0, 6), (9, 3)]
RIGHT, WRONG = score(TRUE.bpm), score(1.07 * TRUE.bpm)


def test_a_difference_of_summaries_is_that_of_its_pairs():
    before = [WRONG] * 10 + [RIGHT] * 10
    after = [WRONG] * 4 + [RIGHT] * 16
    low, high = bootstrap_difference(after, before, "grid_ok_21")
    assert compare_pairs(*([s.grid_ok_21 for s in side] for side in (after, before))).interval == (
        pytest.approx((low, high), abs=0.051)
    )
    assert bootstrap_difference(after, after, "grid_ok_21") == (0.0, 0.0)


def test_a_statistic_that_does_not_apply_has_no_interval():
    assert bootstrap_difference([], [], "level_ok") is None
    assert bootstrap_difference([RIGHT], [RIGHT], "downbeat_accuracy") is None
    with pytest.raises(ValueError, match="unknown statistic 'nope'"):
        bootstrap_difference([RIGHT], [RIGHT], "nope")
    with pytest.raises(ValueError, match="1 tracks of the first, 2 of the second"):
        bootstrap_difference([RIGHT], [RIGHT, WRONG], "level_ok")
