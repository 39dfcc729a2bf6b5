"""Every edit against what it must lead to."""

import numpy as np
import pytest

from beatgrid.grid import Grid
from beatgrid.review.edits import EDITS, EditError, Sources, apply_edit
from beatgrid.review.reviewed_grid import ReviewedGrid, Stretch
from tests.review.activations import activation_of

DURATION_S = 60.0
START = Grid(120.0, 0.5)


def of(*stretches, known=True):
    return ReviewedGrid(DURATION_S, tuple(stretches), known)


CONSTANT = of(Stretch(0.0, START))
TWO = of(Stretch(0.0, START), Stretch(30.0, Grid(100.0, 30.0)))
NONE = of()
FOUND = Sources(CONSTANT, [(60.0, 0.0), (180.0, 0.5), (120.0, 0.25)])


def edited(grid, op, sources=FOUND, **arguments):
    return apply_edit(grid, {"op": op, **arguments}, sources)


def only(grid):
    (stretch,) = grid.stretches
    return stretch.grid


@pytest.mark.parametrize("ms", [1, -1, 10, -10, 0.5])
def test_nudge(ms):
    new = only(edited(CONSTANT, "nudge", at_s=3, ms=ms))
    assert (new.bpm, new.offset_s) == (120.0, pytest.approx(0.5 + ms / 1000, abs=1e-12))


@pytest.mark.parametrize(("beats", "offset_s"), [(0.5, 0.75), (1, 1.0), (-1, 0.0), (-0.5, 0.25)])
def test_shift_by_beats(beats, offset_s):
    assert only(edited(CONSTANT, "shift", at_s=3, beats=beats)).offset_s == offset_s


@pytest.mark.parametrize("at_s", [1.4, 1.6])
def test_this_beat_is_one(at_s):
    grid = edited(of(Stretch(0.0, START), known=False), "one", at_s=at_s)
    assert only(grid).offset_s == 1.5
    assert grid.downbeat_known
    np.testing.assert_allclose(grid.beats().downbeat_times_s[:2], [1.5, 3.5])


@pytest.mark.parametrize(("ratio", "bpm"), [(2, 240), (0.5, 60), (1.5, 180), (2 / 3, 80)])
def test_scale_keeps_the_downbeat_at_the_cursor(ratio, bpm):
    new = only(edited(CONSTANT, "scale", at_s=4.7, ratio=ratio))
    assert new.bpm == pytest.approx(bpm)
    assert new.offset_s == 4.5


@pytest.mark.parametrize("true_s", [0.5, 2.5])  # the old bars of 2 s begin at both
@pytest.mark.parametrize(
    "edit", [{"op": "scale", "ratio": 0.5, "at_s": 4.7}, {"op": "alternative", "number": 1}]
)
def test_bars_of_a_slower_tempo_follow_the_activation(true_s, edit):
    truth = Grid(60.0, true_s)
    sources = Sources(CONSTANT, [(59.999, 0.5004)], activation_of(truth, DURATION_S))
    new = only(apply_edit(CONSTANT, edit, sources))
    assert new.bpm == pytest.approx(60.0, rel=1e-4)
    bars = (new.offset_s - true_s) / 4.0
    assert bars == pytest.approx(round(bars), abs=1e-3)


def test_half_of_double_is_the_same():
    there = edited(CONSTANT, "scale", at_s=2.2, ratio=2)
    assert edited(there, "scale", at_s=2.2, ratio=0.5).same_beats(CONSTANT)


def test_a_typed_tempo_keeps_the_beat_at_the_cursor():
    new = edited(CONSTANT, "bpm", at_s=20.1, bpm=125)
    beats = new.beats()
    at = int(np.argmin(np.abs(beats.times_s - 20.0)))
    assert beats.times_s[at] == pytest.approx(20.0, abs=1e-9)
    assert beats.bar_position[at] == 4  # 0.5 + 39 beats
    assert only(new).bpm == 125


def test_a_typed_tempo_makes_a_grid_where_there_is_none():
    new = edited(NONE, "bpm", at_s=3.3, bpm=90)
    assert (only(new).bpm, only(new).offset_s) == (90, 3.3)
    assert not new.downbeat_known


@pytest.mark.parametrize("n", [3, 6, 1])
def test_beats_per_bar_keep_the_downbeat_at_the_cursor(n):
    new = edited(CONSTANT, "beats_per_bar", at_s=10.6, beats=n)
    assert (only(new).beats_per_bar, only(new).offset_s) == (n, 10.5)
    both = edited(TWO, "beats_per_bar", at_s=40, beats=3)
    assert [s.grid.beats_per_bar for s in both.stretches] == [3, 3]
    assert both.stretches[1].grid.offset_s == pytest.approx(39.6)


def test_split_changes_no_beat_and_merge_takes_it_back():
    halves = edited(CONSTANT, "split", at_s=20.5)
    assert [s.start_s for s in halves.stretches] == [0.0, 20.5]
    np.testing.assert_allclose(halves.beats().times_s, CONSTANT.beats().times_s)
    assert edited(halves, "merge", at_s=3).same_beats(CONSTANT)
    assert edited(halves, "merge", at_s=50).same_beats(CONSTANT)


def test_merge_keeps_the_stretch_at_the_cursor():
    assert only(edited(TWO, "merge", at_s=3)) == START
    assert only(edited(TWO, "merge", at_s=33)).bpm == 100.0


def test_an_edit_is_of_the_stretch_at_the_cursor():
    for op, arguments in {
        "nudge": {"ms": 5},
        "shift": {"beats": 0.5},
        "scale": {"ratio": 2},
        "bpm": {"bpm": 70},
        "one": {},
    }.items():
        new = edited(TWO, op, at_s=35.4, **arguments)
        assert new.stretches[0] == TWO.stretches[0]
        assert new.stretches[1] != TWO.stretches[1]


def test_two_points_give_tempo_and_phase():
    truth = Grid(120.3, 0.62)
    start = of(Stretch(0.0, Grid(120.0, 0.6)))
    last_s = truth.offset_s + 100 * truth.period_s
    new = edited(start, "fit", first_s=last_s, last_s=truth.offset_s + 3 * truth.period_s)
    assert only(new).bpm == pytest.approx(120.3, abs=1e-9)
    assert only(new).offset_s == pytest.approx(0.62, abs=1e-9)


def test_taps_give_the_tempo_and_the_activation_makes_it_exact():
    truth = Grid(126.0, 0.4)
    rng = np.random.default_rng(3)
    taps_s = truth.beat_times(30.0)[10:30] + rng.normal(0, 0.02, 20)
    taps_s = np.delete(taps_s, [4, 5, 11])  # some were missed
    wrong = of(Stretch(0.0, Grid(84.0, 0.1)))
    edit = {"at_s": 0.0, "times_s": taps_s.tolist()}
    rough = only(edited(wrong, "tap", **edit))
    assert rough.bpm == pytest.approx(126, rel=0.01)
    exact = only(edited(wrong, "tap", Sources(wrong, (), activation_of(truth, 60.0)), **edit))
    assert exact.bpm == 126.0
    away_s = (exact.offset_s - 0.4 + 0.1) % truth.period_s - 0.1
    assert abs(away_s) < 0.002


def test_taps_beside_the_music_give_the_tempo_alone():
    times_s = (1000 + np.arange(9) * 0.6).tolist()
    new = edited(CONSTANT, "tap", at_s=10.0, times_s=times_s, placed=False)
    assert only(new).bpm == pytest.approx(100)
    beats_s = new.beats().times_s
    assert np.abs(beats_s - 10.0).min() < 1e-9
    assert only(edited(NONE, "tap", at_s=2.0, times_s=times_s, placed=False)).offset_s == 2.0


def test_snap_is_held_near_the_grid():
    truth = Grid(120.4, 0.52)
    sources = Sources(CONSTANT, (), activation_of(truth, DURATION_S))
    new = only(edited(CONSTANT, "snap", sources, at_s=1.0))
    assert new.bpm == 120.4
    assert new.offset_s == pytest.approx(0.52, abs=0.002)


def test_snap_needs_the_activation():
    with pytest.raises(EditError, match="not known yet"):
        edited(CONSTANT, "snap", at_s=1.0)


def test_alternatives_and_back():
    half = edited(TWO, "alternative", number=1)
    assert (only(half).bpm, only(half).offset_s) == (60.0, 0.0)
    assert only(edited(TWO, "alternative", number=2)).offset_s == pytest.approx(0.5)
    assert edited(half, "alternative", number=0) is FOUND.found
    with pytest.raises(EditError, match="no alternative 4"):
        edited(TWO, "alternative", number=4)


OWN = Stretch(0.0, START, tuple((0.5 + 0.51 * k, k % 4 + 1) for k in range(100)))


def test_beats_that_glide_move_and_are_counted_anew_beat_by_beat():
    grid = of(OWN)
    moved = edited(grid, "nudge", at_s=5, ms=10)
    np.testing.assert_allclose(moved.beats().times_s, grid.beats().times_s + 0.01)
    counted = edited(grid, "one", at_s=grid.beats().times_s[6])
    assert counted.beats().bar_position[:8].tolist() == [3, 4, 1, 2, 3, 4, 1, 2]
    np.testing.assert_allclose(counted.beats().times_s, grid.beats().times_s)
    threes = edited(grid, "beats_per_bar", at_s=0.5, beats=3)
    assert threes.beats().bar_position[:4].tolist() == [1, 2, 3, 1]
    assert only(edited(grid, "scale", at_s=5, ratio=2)).bpm == 240
    assert edited(grid, "scale", at_s=5, ratio=2).is_constant


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"op": "explode"}, "no such edit; known are nudge"),
        ({}, "no such edit"),
        ({"op": ["nudge"]}, "no such edit"),
        ({"op": "nudge", "at_s": 1}, "nudge: lacks ms"),
        ({"op": "nudge", "at_s": 1, "ms": "1"}, "nudge: ms is 1, must be a number from"),
        ({"op": "nudge", "at_s": 1, "ms": 1e9}, "must be a number from -100000 to 100000"),
        ({"op": "nudge", "at_s": 1, "ms": float("nan")}, "must be a number"),
        ({"op": "nudge", "at_s": 1, "ms": 1, "grid": 3}, "nudge: takes no grid"),
        ({"op": "snap", "at_s": 1, "sources": {}}, "snap: takes no sources"),
        ({"op": "bpm", "at_s": 1, "bpm": 0}, "must be a number from 10 to 1000"),
        ({"op": "beats_per_bar", "at_s": 1, "beats": 2.5}, "must be a whole number"),
        ({"op": "split", "at_s": 0.2}, "a stretch lasts at least 1 s"),
        ({"op": "split", "at_s": 59.5}, "a stretch lasts at least 1 s"),
        ({"op": "merge", "at_s": 3}, "nothing to merge"),
        ({"op": "fit", "first_s": 3, "last_s": 3.1}, "less than a beat"),
        ({"op": "fit", "first_s": 3, "last_s": 3}, "less than a beat"),
        ({"op": "tap", "at_s": 0, "times_s": [1, 2]}, "at least 3 times"),
        ({"op": "tap", "at_s": 0, "times_s": [3, 2, 1]}, "follow each other"),
        ({"op": "tap", "at_s": 0, "times_s": [1, 1.001, 1.002]}, "tempi from 10 to 1000"),
        ({"op": "tap", "at_s": 0, "times_s": "abc"}, "must be a list"),
    ],
)
def test_absurd_edits_are_one_line(edit, message):
    with pytest.raises(EditError, match=message):
        apply_edit(CONSTANT, edit, FOUND)


def test_tempi_stay_in_a_range_that_music_has():
    grid = CONSTANT
    for _ in range(3):
        grid = edited(grid, "scale", at_s=0, ratio=2)
    with pytest.raises(EditError, match=r"1920\.00 BPM"):
        edited(grid, "scale", at_s=0, ratio=2)


@pytest.mark.parametrize("op", sorted(set(EDITS) - {"bpm", "tap", "alternative"}))
def test_without_a_grid_most_edits_say_how_to_begin(op):
    arguments = {
        "nudge": {"ms": 1},
        "shift": {"beats": 1},
        "scale": {"ratio": 2},
        "beats_per_bar": {"beats": 3},
    }.get(op, {})
    where = {"first_s": 1, "last_s": 9} if op == "fit" else {"at_s": 1}
    with pytest.raises(EditError, match=r"no grid yet|nothing to merge"):
        edited(NONE, op, **where, **arguments)
