"""VirtualDJ's ``database.xml``: ``Song`` with its grid in ``Scan`` and ``Poi``.

Format: https://www.virtualdj.com/wiki/VDJ_database.html. ``Bpm`` is the time in seconds from one
beat to the next. A ``Poi`` of type "beatgrid" anchors the grid, with a tempo of its own where that
changes; ``Phase`` of ``Scan`` does where there is none. VirtualDJ counts bars of four from an
anchor, which its own analysis sets: bars are "likely".
"""

from __future__ import annotations

from collections.abc import Iterator

from beatgrid.export.dj.virtualdj import ANCHOR_TYPE, BEATS_PER_BAR, SONG
from beatgrid.importers.charts.numbers import number
from beatgrid.importers.dj.xml_records import Record, read_records
from beatgrid.importers.folders import SourceFile
from beatgrid.importers.track import ImportedTrack, TempoMark, WithoutGrid

# Seconds per beat of 10 to 1000 BPM; databases before VirtualDJ 8 had samples there.
_PERIODS_S = (0.06, 6.0)


def read(source: SourceFile) -> Iterator[ImportedTrack | WithoutGrid]:
    """Yield the songs of a database.

    Raises:
        ImportFileError: It is damaged.
    """
    for record in read_records(source, SONG):
        path = record.get("FilePath")
        marks = tuple(_marks(record))
        if not marks or "://" in path:
            reason = (
                "it is a stream" if "://" in path else "it has no grid: analyse it in VirtualDJ"
            )
            yield WithoutGrid(path, reason)
            continue
        tags = record.child("Tags")
        duration_s = number(record.child("Infos").get("SongLength"))
        yield ImportedTrack(
            audio=path,
            marks=marks,
            title=tags.get("Title"),
            artist=tags.get("Author"),
            downbeat="likely",
            stated_duration_s=duration_s if duration_s and duration_s > 0 else None,
        )


def _marks(song: Record) -> Iterator[TempoMark]:
    scan = song.child("Scan")
    period_s = _period_s(scan)
    anchors = [poi for poi in song.named("Poi") if poi.get("Type") == ANCHOR_TYPE]
    for key, anchor in [("Pos", a) for a in anchors] or [("Phase", scan)]:
        time_s = number(anchor.get(key))
        own_s = _period_s(anchor) or period_s
        if time_s is not None and own_s is not None:
            yield TempoMark(time_s, 60.0 / own_s, BEATS_PER_BAR, 1)


def _period_s(element: Record) -> float | None:
    period_s = number(element.get("Bpm"))
    return period_s if period_s and _PERIODS_S[0] <= period_s <= _PERIODS_S[1] else None
