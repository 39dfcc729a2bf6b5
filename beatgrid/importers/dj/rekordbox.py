"""rekordbox's collection as XML: ``TRACK`` with its grid in ``TEMPO``.

Format: https://cdn.rekordbox.com/files/20200410160904/xml_format_list.pdf. From ``Inizio``
(seconds) on there is a beat every 60 / ``Bpm``, up to the next ``TEMPO``; ``Battito`` is the place
of its first beat in a bar of ``Metro``. Seconds have three decimals and BPM two.

The analysis sets bars as well as beats: whether a person has looked at them the file does not say,
so they are "likely".
"""

from __future__ import annotations

from collections.abc import Iterator

from beatgrid.export.dj.paths import from_uri
from beatgrid.export.dj.rekordbox import TRACK
from beatgrid.importers.charts.numbers import number
from beatgrid.importers.dj.xml_records import Record, read_records
from beatgrid.importers.folders import SourceFile
from beatgrid.importers.track import ImportedTrack, TempoMark, WithoutGrid


def read(source: SourceFile) -> Iterator[ImportedTrack | WithoutGrid]:
    """Yield the tracks of a collection.

    Raises:
        ImportFileError: It is damaged.
    """
    for record in read_records(source, TRACK):
        path = from_uri(record.get("Location"))
        marks = tuple(mark for tempo in record.named("TEMPO") for mark in _marks(tempo))
        if not path or not marks:
            reason = "it has no TEMPO: analyse it in rekordbox" if path else "it names no file"
            yield WithoutGrid(path or record.get("Name"), reason)
            continue
        duration_s = number(record.get("TotalTime"))
        yield ImportedTrack(
            audio=path,
            marks=marks,
            title=record.get("Name"),
            artist=record.get("Artist"),
            downbeat="likely",
            stated_duration_s=duration_s if duration_s and duration_s > 0 else None,
        )


def _marks(tempo: Record) -> Iterator[TempoMark]:
    """Yield the tempo of an element; nothing where it holds none."""
    inizio_s, bpm = number(tempo.get("Inizio")), number(tempo.get("Bpm"))
    if inizio_s is None or bpm is None or bpm <= 0:
        return
    beats_per_bar = number(tempo.get("Metro").partition("/")[0])
    position = number(tempo.get("Battito"))
    if beats_per_bar is None or position is None or not 1 <= position <= beats_per_bar:
        yield TempoMark(inizio_s, bpm)
    else:
        yield TempoMark(inizio_s, bpm, int(beats_per_bar), int(position))
