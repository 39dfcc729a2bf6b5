"""osu!: ``.osu`` files, also those inside ``.osz``.

Source: the osu! wiki, ".osu (file format)" (osu.ppy.sh/wiki), and the decoder of osu!lazer,
``LegacyBeatmapDecoder.cs`` (github.com/ppy/osu).

A timing point is ``time,beatLength,meter,sampleSet,sampleIndex,volume,uninherited,effects``: from
``time`` (ms from the beginning of the audio) on, beats of ``beatLength`` ms, of which every
``meter``-th begins a bar. Inherited points, whose length is negative, only change how fast things
scroll. Effect 8 leaves out the bar line of a taiko or mania map at the point: by custom (and by
this program's exports) it is used where the point is not the first of a bar, so bars count from the
next point that has a line. What precedes the first point has its tempo. AudioLeadIn is silence that
the game waits before the audio: times are the audio's all the same.

Files before version 5 were timed by a player 24 ms late: 24 ms are added, as the game does. Times
are whole milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from beatgrid.importers.charts.numbers import number
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.text import decode
from beatgrid.importers.track import ImportedTrack, TempoMark

_HEADER = re.compile(r"\s*osu file format v(\d+)")
_OLD_VERSION_S = 0.024
_OMIT_BAR_LINE = 8
_MAX_POINTS = 100_000


def read(source: SourceFile) -> list[ImportedTrack]:
    """Read a beatmap: one difficulty.

    Raises:
        ImportFileError: It is none, or has no tempo.
    """
    text = decode(source.read(), "cp1252")
    header = _HEADER.match(text)
    if header is None:
        raise ImportFileError(f"{source}: does not begin with 'osu file format v...'; it is none")
    values: dict[str, str] = {}
    points: list[str] = []
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            if section == "HitObjects":
                break
        elif not line or line.startswith("//"):
            continue
        elif section == "TimingPoints":
            points.append(line)
        elif section in ("General", "Metadata"):
            key, _, value = line.partition(":")
            values.setdefault(key.strip(), value.strip())
    doubts: list[str] = []
    if len(points) > _MAX_POINTS:
        doubts.append(f"has {len(points)} timing points, the first {_MAX_POINTS} are read")
    late_s = -_OLD_VERSION_S if int(header[1][:6]) < 5 else 0.0
    marks = tuple(_marks(points[:_MAX_POINTS], doubts))
    if not marks:
        raise ImportFileError(f"{source}: has no timing point with a tempo; nothing to import")
    return [
        ImportedTrack(
            audio=values.get("AudioFilename") or None,
            marks=marks,
            title=values.get("TitleUnicode") or values.get("Title", ""),
            artist=values.get("ArtistUnicode") or values.get("Artist", ""),
            part=values.get("Version", ""),
            late_s=late_s,
            clock="version 4 or older, 24 ms early" if late_s else "",
            doubts=tuple(doubts),
        )
    ]


def _marks(points: list[str], doubts: list[str]) -> Iterator[TempoMark]:
    for point in points:
        fields = point.split(",")
        values = [number(field) for field in fields]
        time_ms, beat_ms = [*values, None, None][:2]
        if time_ms is None or beat_ms is None:
            doubts.append(f"ignored the timing point {point[:40]!r}")
            continue
        uninherited = fields[6].strip() == "1" if len(fields) > 6 else beat_ms > 0
        if not uninherited or beat_ms <= 0:
            continue
        meter = values[2] if len(values) > 2 and values[2] else 4.0
        effects = int((values[7] if len(values) > 7 else 0) or 0)
        begins_bar = not effects & _OMIT_BAR_LINE
        yield TempoMark(time_ms / 1000, 60_000 / beat_ms, int(meter), 1 if begins_bar else None)
