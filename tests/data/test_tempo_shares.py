"""Tempo ranges get their shares of the data, within what their tracks can stand for."""

import numpy as np
import pytest

from beatgrid.data.tempo_shares import MAX_FACTOR, shared_weights
from beatgrid.errors import BeatgridError

SHARES = [(0, 0.25), (90, 0.5), (150, 0.25)]


def test_each_range_has_its_share():
    bpm = [60, 80, 90, 120, 149.9, 150, 200, 300]
    amount = np.array([1.0, 2, 1, 1, 1, 3, 1, 1])
    scaled = amount * shared_weights(bpm, amount, SHARES)
    np.testing.assert_allclose(
        [scaled[:2].sum(), scaled[2:5].sum(), scaled[5:].sum()], np.array([0.25, 0.5, 0.25]) * 11
    )
    assert scaled[1] / scaled[0] == pytest.approx(2)  # within a range nothing changes


def test_a_range_without_tracks_leaves_its_share_to_the_others():
    np.testing.assert_allclose(shared_weights([60, 160], [1, 1], SHARES), 1)


def test_one_track_does_not_stand_for_a_whole_range():
    factor = shared_weights([60, *[120] * 99], np.ones(100), SHARES)
    assert factor[0] == MAX_FACTOR
    assert factor[1] < 1


@pytest.mark.parametrize(
    "shares", [[], [(60, 1.0)], [(0, 1.0), (0, 1.0)], [(0, 1), (90, 1), (80, 1)], [(0, 0.0)]]
)
def test_what_is_no_division_of_tempi_is_refused(shares):
    with pytest.raises(BeatgridError, match=r"data\.tempo_shares=.*give \[BPM, share\]"):
        shared_weights([120.0], [1.0], shares)
