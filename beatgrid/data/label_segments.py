"""Labels of tracks whose tempo changes: a list of segments instead of one tempo.

Such a label has no ``bpm`` of its own, so that no program takes it for a constant tempo::

    {"fileName": "song.mp3", "duration": 212.4, "beatsPerBar": 4, "segments": [
      {"start": 0.0, "bpm": 120.0, "downbeatOffset": 0.352},
      {"start": 96.1, "bpm": 124.0, "downbeatOffset": 96.1}]}

A segment ends where the next one begins, the last with the track; its beats are
``downbeatOffset + k * 60 / bpm`` for every integer k inside. Training and evaluation take constant
tempi only: ``beatgrid.data.labels`` refuses such a file by a line, and ``discover`` passes it over.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beatgrid.data.label_fields import MAX_BEATS_PER_BAR, MAX_BPM, MAX_DURATION_S, Fields
from beatgrid.errors import LabelError
from beatgrid.files import write_json
from beatgrid.grid import Grid

_SEGMENTS = "segments"


class PiecewiseLabelError(LabelError):
    """A label that is right, but of a track whose tempo changes."""


@dataclass(frozen=True)
class LabelSegment:
    """A stretch of a label.

    Attributes:
        start_s: Where it begins.
        grid: Its beats; the offset is the time of a downbeat.
    """

    start_s: float
    grid: Grid


def is_piecewise(content: Mapping[str, Any]) -> bool:
    """Tell whether the content of a label is of this form."""
    return content.get("bpm") is None and isinstance(content.get(_SEGMENTS), list)


def parse_segments(content: Mapping[str, Any], path: str | os.PathLike[str]) -> list[LabelSegment]:
    """Check the segments of a label.

    Args:
        content: The decoded JSON object.
        path: Its file, for messages.

    Raises:
        LabelError: A segment lacks a key or has an absurd value, or they are not in order.
    """
    path = Path(path)
    beats_per_bar = Fields(content, path).whole_number("beatsPerBar", 1, MAX_BEATS_PER_BAR) or 4
    found: list[LabelSegment] = []
    for number, entry in enumerate(content[_SEGMENTS], start=1):
        where = f"{path}: segment {number}"
        if not isinstance(entry, dict):
            raise LabelError(
                f'{where} is no object; write {{"start": ..., "bpm": ..., "downbeatOffset": ...}}'
            )
        fields = Fields(entry, Path(where))
        values = {key: fields.number(key) for key in ("start", "bpm", "downbeatOffset")}
        if lacking := [key for key, value in values.items() if value is None]:
            raise LabelError(f'{where} lacks "{lacking[0]}"; see data/README.md')
        start_s, bpm, offset_s = (float(value or 0.0) for value in values.values())
        if not 0 < bpm <= MAX_BPM:
            raise LabelError(f"{where}: bpm is {bpm:g}; it must be above 0 and at most {MAX_BPM:g}")
        if max(abs(start_s), abs(offset_s)) > MAX_DURATION_S:
            raise LabelError(f"{where}: lies beyond {MAX_DURATION_S:g} s; write seconds")
        if found and start_s <= found[-1].start_s:
            raise LabelError(
                f"{where}: start is {start_s:g}, not after the one before; put them in order"
            )
        found.append(LabelSegment(start_s, Grid(bpm, offset_s, beats_per_bar)))
    if not found:
        raise LabelError(f'{path}: "{_SEGMENTS}" is empty; write one or more, or "bpm"')
    return found


def refuse_piecewise(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Refuse a label of this form where one tempo is needed.

    Raises:
        PiecewiseLabelError: It is right, but has several tempi.
        LabelError: As ``parse_segments``.
    """
    n_segments = len(parse_segments(content, path))
    raise PiecewiseLabelError(
        f"{path}: has {n_segments} segments of different tempi, a constant one is needed here; "
        'remove the label, or give it one "bpm" and "downbeatOffset"'
    )


def write_piecewise_label(
    path: str | os.PathLike[str],
    segments: Sequence[LabelSegment],
    duration_s: float | None,
    file_name: str | None,
    downbeat: str = "reliable",
    **extra: Any,
) -> None:
    """Write a label with segments atomically, numbers at full precision.

    Args:
        path: Destination, ``NAME.labels.json``.
        segments: In order, of equal bars.
        duration_s: Length of the track in seconds, or None.
        file_name: Path of the audio relative to the audio folder, or None.
        downbeat: As in other labels.
        **extra: Further keys.

    Raises:
        LabelError: ``parse_segments`` would refuse the result; nothing is written.
    """
    bars = {segment.grid.beats_per_bar for segment in segments}
    if len(bars) > 1:
        raise LabelError(f"{path}: segments have bars of {sorted(bars)} beats; make them equal")
    content: dict[str, Any] = {
        "fileName": file_name,
        "duration": duration_s,
        "beatsPerBar": next(iter(bars), 4),
        "downbeat": downbeat,
        **extra,
        _SEGMENTS: [
            {
                "start": segment.start_s,
                "bpm": segment.grid.bpm,
                "downbeatOffset": segment.grid.offset_s,
            }
            for segment in segments
        ],
    }
    content = {key: value for key, value in content.items() if value is not None}
    parse_segments(content, path)
    write_json(path, content)
