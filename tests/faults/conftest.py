"""What the tests of faults share: chance, and a record for experiments/reliability."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

# A file that gets one JSON line for each kind of fault and outcome.
RECORDS = "BEATGRID_FAULT_RECORDS"

Record = Callable[..., None]


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Return ``record(subject, fault, outcome, count=1)``, which notes what came of a fault."""

    def note(subject: str, fault: str, outcome: str, count: int = 1) -> None:
        if count and RECORDS in os.environ:
            line = {"subject": subject, "fault": fault, "outcome": outcome, "count": count}
            with Path(os.environ[RECORDS]).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | {"test": request.node.name}) + "\n")

    return note


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Return a source of random moments; ``--hypothesis-seed`` repeats a run's."""
    seed = request.config.getoption("--hypothesis-seed", None)
    seed = random.SystemRandom().randrange(2**32) if seed is None else int(seed)
    print(f"--hypothesis-seed={seed}")  # seen where the test fails
    return random.Random(f"{seed} {request.node.name}")
