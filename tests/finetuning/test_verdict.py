"""What is said at the end, and what is recommended."""

import json

import pytest

from beatgrid.finetuning.decision import Decision
from beatgrid.finetuning.verdict import Comparison, Verdict
from tests.evaluation.test_paired import RIGHT, WRONG

SCORES = {"+": RIGHT, "-": WRONG}


def comparison(before, after):
    names = tuple(f"track {i}" for i in range(len(before)))
    return Comparison(names, *(tuple(SCORES[mark] for mark in side) for side in (before, after)))


SAME = comparison("+" * 20, "+" * 20)
WON = comparison("-" * 10 + "+" * 10, "+" * 20)
LOST = comparison("+" * 20, "-" * 10 + "+" * 10)


def verdict(own=WON, elsewhere=SAME, is_taken=True, won=2, lost=0):
    return Verdict(
        own=own,
        elsewhere=elsewhere,
        unrehearsed=elsewhere.part([True] * 5 + [False] * 15),
        decision=Decision("network", is_taken, "more grids are right", won, lost),
        before="shipped",
        checkpoint="run/checkpoints/best.ckpt",
        after="run/checkpoints/after.ckpt",
        notes=("of your tracks 10 taught",),
    )


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (WON, "better on yours by 50 points (50 -> 100 % right grids of 20, +30 .. +70 points)"),
        (LOST, "worse on yours by 50 points (100 -> 50 % right grids of 20, -70 .. -30 points)"),
        (SAME, "unchanged on yours (100 -> 100 % right grids of 20, +0 .. +0 points)"),
        (
            comparison("-" * 5 + "+" * 15, "+" * 20),
            "no clear difference on yours (75 -> 100 % right grids of 20, +10 .. +45 points)",
        ),
        (comparison("--", "++"), "on yours 0 -> 2 of 2 held-out tracks right, too few to tell"),
    ],
)
def test_a_set_is_described_with_figures_and_interval(side, said):
    assert side.describe("on yours") == said


def test_what_is_better_is_recommended():
    one, two = verdict().sentences()
    assert one.startswith("better on yours by 50 points")
    assert "; unchanged elsewhere (100 -> 100 %" in one
    assert two.startswith("take it: ckpt=run/checkpoints/best.ckpt, or ckpt=latest (more grids")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_taken": False}, "more grids are right"),
        ({"own": LOST}, "it is worse on your held-out tracks"),
        ({"elsewhere": LOST}, "it is worse on other music"),
        (
            {"own": comparison("----", "+++-")},
            "of all your held-out tracks 5 are won and 0 lost, which may be chance: label more",
        ),
    ],
)
def test_what_is_not_better_is_not(changes, reason):
    found = verdict(**changes)
    assert not found.takes_tuned
    assert found.sentences()[1] == (
        "no better: keep ckpt=shipped, which ckpt=latest now is as well "
        f"({reason}); what was learnt is in run/checkpoints/after.ckpt"
    )


def test_few_tracks_that_all_say_so_are_enough():
    assert verdict(own=comparison("----", "++++"), won=4).takes_tuned
    assert not verdict(own=comparison("----", "++++"), won=4, lost=2).takes_tuned


def test_a_verdict_is_plain_values():
    plain = json.loads(json.dumps(verdict().to_json()))
    assert plain["use"] == "tuned"
    assert plain["own"]["grid_ok_21"]["difference"] == 0.5
    assert plain["own"]["grid_ok_21"]["interval"] == pytest.approx([0.3, 0.7], abs=0.051)
    assert (plain["own"]["won"], plain["own"]["lost"]) == (10, 0)
    assert plain["unrehearsed"]["n_tracks"] == 5
    assert plain["own"]["downbeat_accuracy"]["difference"] is None


def test_a_page_has_the_table_and_names_what_changed():
    page = verdict(own=comparison("-+-" * 4, "+-+" * 4)).to_markdown()
    assert "| Grid-OK@21.5 ms | 33.3 | 66.7 |" in page
    assert "Won: track 0, track 2," in page
    assert "Lost: track 1, track 4, track 7, track 10." in page
    assert "- of your tracks 10 taught" in page
