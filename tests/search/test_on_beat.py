"""Which segments lie on the off-beat, against every possible choice."""

from itertools import product

import numpy as np
import pytest

from beatgrid.search.line import Line
from beatgrid.search.on_beat import APART, JOINT_NATS, best_sides, on_the_beat
from beatgrid.search.segmentation import FittedSegment


def total(votes, gaps, sides):
    """Nats of one choice of sides."""
    nats = sum(0.5 * vote * (-1 if side else 1) for vote, side in zip(votes, sides, strict=True))
    for i, gap in enumerate(gaps):
        apart = gap + 0.5 * sides[i + 1] - 0.5 * sides[i]
        nats -= JOINT_NATS * min(1.0, abs(apart - round(apart)) / APART)
    return nats


@pytest.mark.parametrize("seed", range(20))
def test_the_best_of_all_choices(seed):
    rng = np.random.default_rng(seed)
    votes, gaps = rng.normal(0, 6, 7), rng.uniform(0.3, 2.2, 6)
    every = list(product((0, 1), repeat=len(votes)))
    best = every[int(np.argmax([total(votes, gaps, sides) for sides in every]))]
    assert best_sides(votes, gaps).tolist() == [bool(side) for side in best]


@pytest.mark.parametrize(
    ("votes", "gaps", "expected"),
    [
        # One segment follows its own vote.
        ([3.0], [], [0]),
        ([-0.1], [], [1]),
        # A weak segment that is half a beat off on both sides goes with its neighbours.
        ([20.0, 5.0, 20.0], [1.5, 0.5], [0, 1, 0]),
        # So does a weak first one.
        ([2.0, 20.0], [1.5], [1, 0]),
        # Half a beat was cut out: either side is sure of itself.
        ([20.0, 15.0], [1.5], [0, 0]),
        # A gap of a quarter tells nothing, the votes decide.
        ([20.0, -1.0], [1.25], [0, 1]),
        # The beats go on, although the features of one segment favour its off-beats.
        ([20.0, -5.0, 20.0], [1.0, 1.0], [0, 0, 0]),
    ],
)
def test_votes_and_joints(votes, gaps, expected):
    found = best_sides(np.array(votes), np.array(gaps))
    assert found.tolist() == [bool(side) for side in expected]


def test_a_segment_between_the_beats_is_moved_onto_them():
    """Beats at 0.25 + k / 2; the second of three segments was found on their off-beats."""
    edges_s = (0.0, 20.0, 40.0, 60.0)
    segments = [
        FittedSegment(start_s, end_s, Line.through(time_s, 0.5, 0.0, 60.0))
        for start_s, end_s, time_s in zip(edges_s, edges_s[1:], (0.25, 0.5, 0.25), strict=False)
    ]

    def phase_log_odds(line):  # surer of the others than of the second, which it has wrong
        return 1.0 if 20 < line.time_s < 40 else 4.0

    moved = on_the_beat(segments, phase_log_odds)
    times_s = np.concatenate([segment.beat_times_s for segment in moved])
    np.testing.assert_allclose(times_s, np.arange(0.25, 60.0, 0.5), atol=1e-9)
