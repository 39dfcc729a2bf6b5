"""When a fine-tuned model is taken."""

import pytest

from beatgrid.calibration.examples import TrackOutcome
from beatgrid.finetuning.decision import decide
from beatgrid.finetuning.refit import Outcomes


def outcomes(own, rendered, nats=(1.0, 1.0)):
    """What became of tracks, by a string of + and - each."""
    return Outcomes(
        *(
            tuple(TrackOutcome(mark == "+", 0.001 if mark == "+" else 1.0, cost) for mark in marks)
            for marks, cost in zip((own, rendered), nats, strict=True)
        )
    )


BEFORE = outcomes("+---", "+" * 50)


@pytest.mark.parametrize(
    ("after", "is_taken", "reason"),
    [
        (outcomes("++--", "+" * 50), True, "more grids are right: 1 -> 2 of 4 of your tracks"),
        (outcomes("++--", "+" * 48 + "--"), True, "more grids are right"),
        (
            outcomes("++++", "+" * 47 + "---"),
            False,
            "of 50 rendered pieces to choose by it loses 3",
        ),
        (outcomes("+---", "+" * 50, (0.9, 1.0)), True, "as many grids are right, more surely"),
        (outcomes("+---", "+" * 50, (0.99, 1.0)), False, "it has no more grids right, nor"),
        (outcomes("----", "+" * 50, (0.1, 0.1)), False, "it has fewer grids right: 1 -> 0"),
    ],
)
def test_evidence_decides(after, is_taken, reason):
    decision = decide(BEFORE, {"new": after})
    assert decision.is_taken == is_taken
    assert decision.reason.startswith(reason)
    right = [[o.grid_right for o in side.own] for side in (BEFORE, after)]
    assert decision.won - decision.lost == sum(right[1]) - sum(right[0])


def test_the_best_of_several_is_looked_at():
    good, better = outcomes("++--", "+" * 50), outcomes("+++-", "+" * 50)
    assert decide(BEFORE, {"a": good, "b": better}).candidate == "b"
    surer = outcomes("++--", "+" * 50, (0.5, 0.5))
    assert decide(BEFORE, {"a": good, "b": surer}).candidate == "b"
    # A side of few tracks weighs as much as one of many.
    forgetful = outcomes("+++-", "+" * 30 + "-" * 20)
    assert decide(BEFORE, {"a": good, "b": forgetful}).candidate == "a"
