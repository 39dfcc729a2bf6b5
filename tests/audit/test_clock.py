"""Offsets that labels share are told from those that scatter."""

import numpy as np
import pytest

from beatgrid.audit.clock import find_clusters


def scattered(rng, n, low=-70.0, high=70.0):
    return list(rng.uniform(low, high, n))


@pytest.mark.parametrize("delay", [25.06, -25.06, 23.2, 26.12, 51.2, -51.2, 47.9])
def test_a_decoders_delay_is_found_among_right_labels(delay):
    rng = np.random.default_rng(0)
    offsets = [*rng.normal(0, 2, 80), *rng.normal(delay, 0.7, 6)]
    (cluster,) = find_clusters(offsets)
    assert cluster.offset_ms == pytest.approx(delay, abs=1.0)
    assert cluster.labels == tuple(range(80, 86))
    assert cluster.chance < 1e-6


def test_two_clocks_in_one_data_set():
    rng = np.random.default_rng(1)
    offsets = [*rng.normal(0, 2, 50), *rng.normal(25, 1, 8), *rng.normal(51, 1, 5)]
    assert [len(c.labels) for c in find_clusters(offsets)] == [8, 5]


def test_labels_that_scatter_make_no_clock():
    found = [find_clusters(scattered(np.random.default_rng(seed), 60)) for seed in range(40)]
    assert sum(map(bool, found)) <= 2


def test_a_clock_stands_out_of_labels_that_scatter():
    rng = np.random.default_rng(2)
    (cluster,) = find_clusters([*scattered(rng, 60), *rng.normal(25, 0.5, 25)])
    assert cluster.offset_ms == pytest.approx(25, abs=0.5)


@pytest.mark.parametrize(
    "offsets", [[], [None, None], [25.0], [25.0, 25.1], [0.1, None, -3.0], [30.0] * 20, [8.0] * 20]
)
def test_few_labels_unknown_offsets_and_other_delays_make_none(offsets):
    assert find_clusters(offsets) == []
