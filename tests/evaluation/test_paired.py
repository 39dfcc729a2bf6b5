"""Paired comparison of two methods against values worked out by hand and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from beatgrid.evaluation.paired import compare_pairs, mcnemar_exact


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
