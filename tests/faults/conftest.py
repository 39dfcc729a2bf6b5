"""What the faults' tests share: a record of outcomes, for the table in experiments/reliability."""

from __future__ import annotations

import json
import os
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
        if RECORDS in os.environ:
            line = {"subject": subject, "fault": fault, "outcome": outcome, "count": count}
            with Path(os.environ[RECORDS]).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | {"test": request.node.name}) + "\n")

    return note
