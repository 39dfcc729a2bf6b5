"""Folders of results to review: generated music, faults made on purpose, many rows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beatgrid.output.index import NAME as INDEX_NAME
from beatgrid.output.result import SUFFIX
from beatgrid.rendering.generator import write_dataset
from beatgrid.review.edits import Sources, apply_edit
from beatgrid.review.reviewed_grid import ReviewedGrid
from beatgrid.review.saving import reviewed_result

ROOT = Path(__file__).resolve().parents[2]


def rendered(folder: Path, n_tracks: int, duration_s: float | tuple[float, float]) -> Path:
    """Render music and find its grids, unless that is done; returns the folder of results."""
    results = folder / "grids"
    if not (results / INDEX_NAME).exists():
        for _ in write_dataset(folder, n_tracks, seed=3, duration_s=duration_s):
            pass
        predict = [sys.executable, str(ROOT / "predict.py"), f"audio={folder}/audio"]
        options = [f"out={results}", "picture=false", "num_workers=0"]
        subprocess.run([*predict, *options], cwd=ROOT, check=True, capture_output=True)
    return results


def read(path: Path) -> dict[str, Any]:
    """Return a result."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def with_fault(result: Mapping[str, Any], *edits: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result as a search would leave that errs as the edits say."""
    grid = ReviewedGrid.from_result(result)
    for edit in edits:
        grid = apply_edit(grid, edit, Sources(grid))
    faulty = reviewed_result(result, grid, None, datetime.now(UTC))
    del faulty["locked"], faulty["reviewed"]
    return faulty


def with_many_rows(folder: Path, result: Mapping[str, Any], n_rows: int) -> Path:
    """Write a folder of so many results, copies of one with few beats."""
    small = {**result, "beats": result["beats"][:4]}
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n_rows):
        name = f"Artist {number % 731} - Title {number}.mp3"
        small |= {
            "file": f"/music/{number % 97}/{name}",
            "confidence": (number * 7919 % 1000) / 1000,
        }
        below = folder / str(number % 97)
        below.mkdir(exist_ok=True)
        (below / f"{name}{SUFFIX}").write_text(json.dumps(small), encoding="utf-8")
    return folder
