"""Local maxima, and the vertex of a parabola from three samples."""

import numpy as np
import pytest
import scipy.signal

from beatgrid.peaks import local_maxima, parabolic_peak


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_parabola_is_met_exactly(dtype):
    vertex = np.array([-0.5, -0.2, 0.0, 0.37, 0.5])
    height = np.array([1.0, -3.0, 0.0, 5.0, 2.0])
    before, at, after = ((height - 0.7 * (x - vertex) ** 2).astype(dtype) for x in (-1.0, 0.0, 1.0))
    found_shift, found_height = parabolic_peak(before, at, after)
    assert found_shift.dtype == found_height.dtype == dtype
    assert found_shift == pytest.approx(vertex, abs=1e-6)
    assert found_height == pytest.approx(height, abs=1e-6)


def test_the_peak_stays_with_its_sample_and_no_peak_has_no_shift():
    assert parabolic_peak(0.0, 1.0, 1.9)[0] == 0.5  # the vertex lies 9.5 steps away
    for before, at, after in ((1.0, 1.0, 1.0), (2.0, 1.0, 2.0), (0.0, 1.0, 2.0)):
        shift, height = parabolic_peak(before, at, after)
        assert (shift, height) == (0.0, at)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("distance", [1, 2, 5, 40])
def test_local_maxima_are_scipys(seed, distance):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=500)
    for curve in (noise, np.cumsum(noise), np.round(noise), np.sin(np.arange(500) / 5)):
        height = curve.mean()
        expected = scipy.signal.find_peaks(curve, height=height, distance=distance)[0]
        np.testing.assert_array_equal(local_maxima(curve, height, distance), expected)


@pytest.mark.parametrize("curve", [[], [1.0], [1.0, 1.0], [0, 1], [1, 0, 0], [3, 3, 3, 3]])
def test_no_maximum_lies_at_an_end(curve):
    assert len(local_maxima(curve, height=-1.0, distance=1)) == 0


def test_a_flat_maximum_counts_in_its_middle():
    assert local_maxima([0, 1, 1, 1, 0, 2, 2, 0], 0.5, 1).tolist() == [2, 5]
