"""What becomes of faults and damaged input: the table of the tests' own records.

    python experiments/reliability/run.py [--records FILE]

Runs all of ``tests/faults``, the slow ones too (an hour on two busy cores), with a record of each
fault and its outcome, and writes the counts to ``results.md`` beside this script. With
``--records`` it reads the record of a former run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# tests/faults/conftest.py writes there.
VARIABLE = "BEATGRID_FAULT_RECORDS"


def main() -> None:
    """Run the tests, or read their record, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path)
    path = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder) / "records.jsonl"
            run_tests(path)
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    write_text(HERE / "results.md", "\n".join(table(lines)) + "\n")


def run_tests(records: Path) -> None:
    """Run the tests of faults; one that fails leaves its faults out of the record."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", "tests/faults"]
    environment = os.environ | {VARIABLE: str(records), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        print("some tests failed: what they tried is not in the table", file=sys.stderr)


def table(lines: list[dict[str, Any]]) -> list[str]:
    """Return a row for each subject, fault and outcome, with its count."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        counts[line["subject"], line["fault"], line["outcome"]] += line["count"]
    rows = [(*key, count) for key, count in sorted(counts.items())]
    rows.append(("all", "", "", sum(counts.values())))
    return markdown_table(["subject", "fault", "outcome", "cases"], rows)


if __name__ == "__main__":
    main()
