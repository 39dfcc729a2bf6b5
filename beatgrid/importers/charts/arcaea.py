"""Arcaea: ``.aff``.

Source: the wikis of ArcCreate, "Timing" and "Timing groups" (github.com/Arcthesia/ArcCreate/wiki),
and of Arcaea's community, "Chart format" (arcwiki.mcd.blue).

``timing(t,bpm,beats);`` holds from ``t`` milliseconds on, with bars of ``beats`` that begin there;
what the chart has at ``t`` sounds at ``t`` plus ``AudioOffset``. Timing groups have tempi of their
own for their look alone, and are passed over. The file does not name its audio (``base.ogg``).
"""

from __future__ import annotations

import re

from beatgrid.importers.charts.numbers import number
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.text import decode
from beatgrid.importers.track import ImportedTrack, TempoMark

_TIMING = re.compile(r"timing\(([^,()]*),([^,()]*),([^,()]*)\)")
_OFFSET = re.compile(r"^\s*AudioOffset:(.*)", re.MULTILINE)
_AUDIO = ("base.ogg", "base.mp3", "base.wav")


def read(source: SourceFile) -> list[ImportedTrack]:
    """Read a chart.

    Raises:
        ImportFileError: It has no timing with a tempo.
    """
    text = decode(source.read())
    offset = _OFFSET.search(text)
    offset_s = (number(offset[1]) or 0.0) / 1000 if offset else 0.0
    doubts: list[str] = []
    marks = []
    depth = 0
    for line in text.splitlines():
        if depth == 0:
            for found in _TIMING.finditer(line):
                time_ms, bpm, beats = (number(value) for value in found.groups())
                if time_ms is None or bpm is None:
                    doubts.append(f"ignored {found[0][:40]!r}")
                    continue
                bar = int(beats) if beats and beats == int(beats) and 1 <= beats <= 64 else None
                marks.append(TempoMark(time_ms / 1000 + offset_s, bpm, bar, bar and 1))
        depth = max(0, depth + line.count("{") - line.count("}"))
    if not any(mark.is_finite for mark in marks):
        raise ImportFileError(f"{source}: has no timing(...) with a tempo; nothing to import")
    audio = next((name for name in _AUDIO if source.neighbour(name) is not None), None)
    return [ImportedTrack(audio, tuple(marks), part=source.stem, doubts=tuple(doubts))]
