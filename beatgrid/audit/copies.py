"""Corrected copies of labels: never in place, every other key kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import beatgrid
from beatgrid.data.label_fields import decode
from beatgrid.data.labels import parse_label
from beatgrid.errors import BeatgridError, LabelError
from beatgrid.files import write_json
from beatgrid.grid import Grid

KEY = "corrected"
"""Under it a copy says what was changed: ``{"kind", "reason", "from": {...}, "version"}``."""

# Ten microseconds, and 2 ms an hour at 200 BPM.
_OFFSET_DECIMALS = 5
_BPM_DECIMALS = 5


def write_corrected(
    label_path: Path, target: Path, grid: Grid, kind: str, reason: str
) -> dict[str, Any]:
    """Write a copy of a label with another grid.

    Args:
        label_path: The label; it is only read.
        target: The copy.
        grid: What its ``bpm`` and ``downbeatOffset`` become.
        kind: Of fault that is corrected.
        reason: Its evidence, in words.

    Returns:
        What was written.

    Raises:
        LabelError: The label changed meanwhile, or copy and label are one file.
    """
    if target.resolve() == label_path.resolve():
        raise LabelError(f"{target}: is the label itself; name another folder for the copies")
    try:
        content, _ = decode(label_path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise LabelError(f"{label_path}: cannot be read any more ({error})") from error
    if not isinstance(content, dict):
        raise LabelError(f"{label_path}: is no label any more; audit again")
    corrected = correct(content, grid, kind, reason)
    parse_label(corrected, target)
    write_json(target, corrected)
    return corrected


def correct(content: Mapping[str, Any], grid: Grid, kind: str, reason: str) -> dict[str, Any]:
    """Return the content of a label with another grid, and what was changed."""
    new: dict[str, Any] = {"downbeatOffset": round(grid.offset_s, _OFFSET_DECIMALS)}
    if abs(grid.bpm - content["bpm"]) >= 0.5 * 10**-_BPM_DECIMALS:
        new["bpm"] = round(grid.bpm, _BPM_DECIMALS)
    before = {key: content.get(key) for key in new}
    note = {"kind": kind, "reason": reason, "from": before, "version": beatgrid.__version__}
    return {**content, **new, KEY: note}


def check_elsewhere(folder: Path, label_dir: Path) -> None:
    """Refuse to write copies among the labels themselves.

    Raises:
        BeatgridError: Both folders are one.
    """
    if folder.resolve() == label_dir.resolve():
        raise BeatgridError(
            f"{folder}: holds the labels themselves; corrected copies need another folder, out=..."
        )
