"""How many cases a fuzzing test tries: a fixed sample always, thousands in the slow tier."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

T = TypeVar("T")


def tiers(sample: int, slow: int) -> pytest.MarkDecorator:
    """Parametrize ``n_cases``: some cases in the fast tier, many in the slow one."""
    return pytest.mark.parametrize(
        "n_cases",
        [
            pytest.param(sample, id="sample"),
            pytest.param(slow, id="many", marks=pytest.mark.slow),
        ],
    )


def fuzz(case: st.SearchStrategy[T], n_cases: int, check: Callable[[T], object]) -> None:
    """Try ``check`` on cases; hypothesis minimises one that fails and names it.

    Args:
        case: Makes them.
        n_cases: How many. Up to 50 are always the same ones, so that a merge does not fail by
            chance; more are new ones each time (``--hypothesis-seed`` repeats them).
        check: Raises where something is wrong.
    """

    @settings(
        max_examples=n_cases,
        derandomize=n_cases <= 50,
        database=None,
        deadline=None,  # the sandbox has its own
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(case)
    def run(made: T) -> None:
        check(made)

    run()
