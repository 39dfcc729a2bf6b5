"""Charts and audio for the tests of imports, and the beats that labels say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.data.label_segments import is_piecewise, parse_segments
from beatgrid.grid import Grid
from beatgrid.importers.folders import DiskFolder, SourceFile
from beatgrid.importers.grid import LabelGrid


def audio(path: Path, duration_s: float = 20.0) -> Path:
    """Write silence, at a low rate: only its length counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(8000 * duration_s)), 8000)
    return path


def source(path: Path, content: str | bytes) -> SourceFile:
    """Write a file, and return it as readers get it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return SourceFile(DiskFolder(path.parent), path.name, path.parent)


def beats(grid: LabelGrid, duration_s: float) -> np.ndarray:
    """Return the beats of a grid, (beats,), each segment's inside of it."""
    ends = [*(segment.start_s for segment in grid.segments[1:]), duration_s]
    return _inside([(s.start_s, e, s.grid) for s, e in zip(grid.segments, ends, strict=True)])


def label_beats(path: Path) -> np.ndarray:
    """Return the beats that a label file says, (beats,)."""
    content = json.loads(path.read_text(encoding="utf-8"))
    duration_s = content["duration"]
    if not is_piecewise(content):
        return Grid(content["bpm"], content["downbeatOffset"]).beat_times(duration_s)
    segments = parse_segments(content, path)
    ends = [*(segment.start_s for segment in segments[1:]), duration_s]
    return _inside([(s.start_s, e, s.grid) for s, e in zip(segments, ends, strict=True)])


def _inside(stretches: list[tuple[float, float, Grid]]) -> np.ndarray:
    found = []
    for start_s, end_s, grid in stretches:
        times_s = grid.beat_times(end_s + 1.0)
        found.append(times_s[(times_s >= start_s) & (times_s < end_s)])
    return np.concatenate(found)
