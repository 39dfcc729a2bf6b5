"""Quaver: ``.qua``, also inside ``.qp``.

Source: Quaver's API, ``Qua.cs`` and ``TimingPointInfo.cs`` (github.com/Quaver/Quaver.API).

The file is YAML. ``TimingPoints`` have ``StartTime`` in milliseconds of the audio, ``Bpm``, and
``Signature`` ("Quadruple", 4 and so on), whose bars begin at the point; what is 0 or the default is
left out. ``SliderVelocities`` only change how fast notes scroll.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from beatgrid.importers.charts.json_file import numeric, objects, textual
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.text import decode
from beatgrid.importers.track import ImportedTrack, TempoMark

_WANTED = ("AudioFile", "Title", "Artist", "DifficultyName", "TimingPoints")
# A key of the top level with what is indented below it, or a list at its own level.
_BLOCK = re.compile(r"^([A-Za-z]+):(.*\n(?:[ \t-].*\n|\n)*)", re.MULTILINE)
_SIGNATURES = {"Triple": 3, "Quadruple": 4}
_MAX_BYTES = 4_000_000


def read(source: SourceFile) -> list[ImportedTrack]:
    """Read a map: one difficulty.

    Raises:
        ImportFileError: It has no timing point with a tempo.
    """
    text = decode(source.read())
    # Notes are most of the file, and YAML is slow to read.
    blocks = "".join(found[0] for found in _BLOCK.finditer(text + "\n") if found[1] in _WANTED)
    try:
        content: Any = yaml.safe_load(blocks) if len(blocks) <= _MAX_BYTES else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = " ".join(str(error).split())[:100]
        raise ImportFileError(f"{source}: is not YAML ({where}); cut short or edited") from error
    content = content if isinstance(content, dict) else {}
    marks = []
    for point in objects(content.get("TimingPoints")):
        time_ms, bpm = numeric(point.get("StartTime", 0)), numeric(point.get("Bpm"))
        signature = point.get("Signature", 4)
        bar = numeric(_SIGNATURES.get(str(signature), signature)) or 4.0
        if time_ms is not None and bpm is not None:
            marks.append(TempoMark(time_ms / 1000, bpm, int(bar), 1))
    if not any(mark.is_finite for mark in marks):
        raise ImportFileError(f"{source}: has no timing point with a tempo; nothing to import")
    return [
        ImportedTrack(
            audio=textual(content.get("AudioFile")) or None,
            marks=tuple(marks),
            title=textual(content.get("Title")),
            artist=textual(content.get("Artist")),
            part=textual(content.get("DifficultyName")),
        )
    ]
