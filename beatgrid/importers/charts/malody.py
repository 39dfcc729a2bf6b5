"""Malody: ``.mc``, also inside ``.mcz``.

Source: the converter malody2osu (github.com/Jakads/malody2osu), whose timing others have taken
over; the format itself is not documented.

The file is JSON. ``time`` has tempi at beats ``[whole, numerator, denominator]``. The audio is the
``sound`` of a note of ``type`` 1; its ``offset`` is where the audio is, in milliseconds, when the
chart begins, so that beat 0 is at minus the offset. ``sign`` of tempi and effects is the beats of a
bar; where bars begin is "likely" only.
"""

from __future__ import annotations

from typing import Any

from beatgrid.importers.charts.json_file import numeric, objects, read_object, textual
from beatgrid.importers.charts.tempo_map import marks_of_beats
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.track import ImportedTrack


def read(source: SourceFile) -> list[ImportedTrack]:
    """Read a chart.

    Raises:
        ImportFileError: It has no tempo.
    """
    content = read_object(source)
    meta = content["meta"] if isinstance(content.get("meta"), dict) else {}
    song = meta["song"] if isinstance(meta.get("song"), dict) else {}
    sounds = [note for note in objects(content.get("note")) if textual(note.get("sound"))]
    sound = next((note for note in sounds if numeric(note.get("type"))), {})
    offset_ms = numeric(sound.get("offset", 0)) or 0.0
    changes = [*objects(content.get("time")), *objects(content.get("effect"))]
    tempi, signatures = [], [(0.0, 4)]
    for change in changes:
        beat, bpm = _beat(change.get("beat")), numeric(change.get("bpm"))
        sign = numeric(change.get("sign"))
        if beat is not None and bpm is not None:
            tempi.append((beat, bpm))
        if beat is not None and sign is not None and sign >= 1:
            signatures = [*(s for s in signatures if s[0] != beat), (beat, int(sign))]
    marks = tuple(marks_of_beats(tempi, signatures, -offset_ms / 1000))
    if not marks:
        raise ImportFileError(f"{source}: has no tempo above 0; nothing to import")
    return [
        ImportedTrack(
            audio=textual(sound.get("sound")) or None,
            marks=marks,
            title=textual(song.get("title")),
            artist=textual(song.get("artist")),
            part=textual(meta.get("version")),
            downbeat="likely",
        )
    ]


def _beat(value: Any) -> float | None:
    """Return a beat that is given as [whole, numerator, denominator]."""
    if not isinstance(value, list) or len(value) != 3:
        return None
    whole, top, bottom = (numeric(part) for part in value)
    if whole is None or top is None or not bottom:
        return None
    return whole + top / bottom
