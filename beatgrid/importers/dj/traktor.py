"""Traktor's collection, ``NML``: ``ENTRY`` with its grid in ``CUE_V2`` of type 4.

``beatgrid.export.dj.traktor`` describes the format. A marker's ``START`` is in milliseconds; its
tempo is in ``GRID`` (Traktor Pro 4), otherwise the track's, in ``TEMPO``. Traktor counts bars of
four from a marker, which its own analysis sets: bars are "likely".
"""

from __future__ import annotations

from collections.abc import Iterator

from beatgrid.export.dj.traktor import BEATS_PER_BAR, ENTRY, GRID_TYPE, paths
from beatgrid.importers.charts.numbers import number
from beatgrid.importers.dj.xml_records import Record, read_records
from beatgrid.importers.folders import SourceFile
from beatgrid.importers.track import ImportedTrack, TempoMark, WithoutGrid


def read(source: SourceFile) -> Iterator[ImportedTrack | WithoutGrid]:
    """Yield the tracks of a collection.

    Raises:
        ImportFileError: It is damaged.
    """
    for record in read_records(source, ENTRY):
        location = record.child("LOCATION")
        if not location.get("FILE"):
            yield WithoutGrid(record.get("TITLE"), "it names no file")
            continue
        path = paths(location.attributes)[0]
        marks = tuple(_marks(record))
        if not marks:
            yield WithoutGrid(path, "it has no grid marker: analyse it in Traktor")
            continue
        info = record.child("INFO")
        duration_s = number(info.get("PLAYTIME_FLOAT") or info.get("PLAYTIME"))
        yield ImportedTrack(
            audio=path,
            marks=marks,
            title=record.get("TITLE"),
            artist=record.get("ARTIST"),
            downbeat="likely",
            stated_duration_s=duration_s if duration_s and duration_s > 0 else None,
        )


def _marks(entry: Record) -> Iterator[TempoMark]:
    track_bpm = number(entry.child("TEMPO").get("BPM"))
    for cue in entry.named("CUE_V2"):
        start_ms = number(cue.get("START"))
        bpm = number(cue.child("GRID").get("BPM")) or track_bpm
        if cue.get("TYPE") == GRID_TYPE and start_ms is not None and bpm and bpm > 0:
            yield TempoMark(start_ms / 1000, bpm, BEATS_PER_BAR, 1)
