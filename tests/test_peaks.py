"""The vertex of a parabola from three samples."""

import numpy as np
import pytest

from beatgrid.peaks import parabolic_peak


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
