"""Clone Hero, YARG and Frets on Fire: ``.chart``, and ``notes.mid`` beside ``song.ini``.

Source: TheNathannator's GuitarGame_ChartFormats ("Core Infrastructure" of .chart and .mid, "Typical
Tags" of song.ini; github.com/TheNathannator/GuitarGame_ChartFormats), and FoFiX's ``song.py``.

``[SyncTrack]`` of a ``.chart`` has tempi, ``TICK = B BPM*1000``, and time signatures, ``TICK = TS
TOP [LOG2_BOTTOM]``, at ticks of which ``Resolution`` make a quarter note. Anchors (``A``) are the
editor's. A MIDI file says the same by its tempo map. Tick 0 is where the audio begins, but for
``delay`` of ``song.ini`` (milliseconds by which the chart is later) or, where that says nothing,
``Offset`` of the ``.chart`` (seconds at which the audio is when the chart begins: later as well).

The music may be in stems: ``song`` has the rest beside ``guitar`` and others. All begin together,
so any of them stands for the music; the label names ``song`` where it is.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from beatgrid.importers.charts.midi_file import MidiError, read_tempo_map
from beatgrid.importers.charts.numbers import number
from beatgrid.importers.charts.tempo_map import marks_of_beats, quarters_in_bar
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.text import decode
from beatgrid.importers.track import ImportedTrack

_SECTION = re.compile(r"\[([^\]\n]*)\]\s*\{([^}]*)\}")
_DEFAULT_RESOLUTION = 192.0
# The rest of the music first, then what is likely to be most of it.
_STEMS = ("song", "guitar", "rhythm", "bass", "drums", "drums_1", "keys", "vocals")
_SUFFIXES = (".ogg", ".opus", ".mp3", ".wav", ".flac", ".m4a")


def read_chart(source: SourceFile) -> list[ImportedTrack]:
    """Read a ``.chart`` file.

    Raises:
        ImportFileError: It has no tempo.
    """
    text = decode(source.read(), "cp1252")
    sections = {found[1].strip().lower(): found[2] for found in _SECTION.finditer(text)}
    song = _pairs(sections.get("song", ""))
    resolution = number(song.get("resolution", "")) or _DEFAULT_RESOLUTION
    if "synctrack" not in sections or resolution <= 0:
        raise ImportFileError(f"{source}: has no [SyncTrack] with a Resolution; it is cut short")
    tempi: list[tuple[float, float]] = []
    signatures: list[tuple[float, int | None]] = []
    doubts: list[str] = []
    for line in sections["synctrack"].splitlines():
        position, _, event = line.partition("=")
        kind, *values = event.split() or [""]
        tick, numbers = number(position), [number(value) for value in values]
        if kind not in ("B", "TS"):
            continue
        if tick is None or not numbers or None in numbers:
            doubts.append(f"ignored {line.strip()[:40]!r} in its [SyncTrack]")
            continue
        first, *rest = (float(value or 0.0) for value in numbers)
        if kind == "B":
            tempi.append((tick / resolution, first / 1000))
        else:
            bottom = 2.0 ** min(rest[0], 16.0) if rest else 4.0
            signatures.append((tick / resolution, quarters_in_bar(first, bottom)))
    track = _track(source, tempi, signatures, song, doubts)
    stream = song.get("musicstream", "")
    if stream and source.neighbour(stream) is not None:
        track = dataclasses.replace(track, audio=stream)
    return [track]


def read_midi(source: SourceFile) -> list[ImportedTrack]:
    """Read a ``notes.mid``.

    Raises:
        ImportFileError: It is no MIDI file, or has no tempo.
    """
    try:
        tempo_map = read_tempo_map(source.read())
    except MidiError as error:
        raise ImportFileError(f"{source}: {error}") from error
    doubts = list(tempo_map.doubts)
    signatures = [(beat, quarters_in_bar(top, bottom)) for beat, top, bottom in tempo_map.meters]
    return [_track(source, tempo_map.tempi, signatures, {}, doubts)]


def _track(
    source: SourceFile,
    tempi: list[tuple[float, float]],
    signatures: list[tuple[float, int | None]],
    song: Mapping[str, str],
    doubts: list[str],
) -> ImportedTrack:
    """Return the track of a tempo map, with what ``song.ini`` says of it."""
    ini = _song_ini(source)
    delay_s = (number(ini.get("delay", "")) or 0.0) / 1000
    offset_s = number(song.get("offset", "")) or 0.0
    if delay_s and offset_s and abs(delay_s - offset_s) > 5e-4:
        doubts.append(
            f"song.ini's delay of {1000 * delay_s:g} ms counts, not the chart's Offset of "
            f"{offset_s:g} s"
        )
    # Without a time signature the games draw bars of four.
    downbeat = "reliable" if signatures else "likely"
    marks = tuple(marks_of_beats(tempi, signatures or [(0.0, 4)], delay_s or offset_s))
    if not marks:
        raise ImportFileError(f"{source}: has no tempo above 0; nothing to import")
    stems = [name for stem in _STEMS for name in _named(source, stem)]
    if len(stems) > 1:
        doubts.append(f"the music is in {len(stems)} stems ({', '.join(stems)})")
    length_ms = number(ini.get("song_length", ""))
    return ImportedTrack(
        audio=stems[0] if stems else None,
        marks=marks,
        title=ini.get("name") or song.get("name", ""),
        artist=ini.get("artist") or song.get("artist", ""),
        downbeat=downbeat,
        doubts=tuple(doubts),
        stated_duration_s=length_ms / 1000 if length_ms and length_ms > 0 else None,
    )


def _named(source: SourceFile, stem: str) -> list[str]:
    found = (source.neighbour(stem + suffix) for suffix in _SUFFIXES)
    return [file.name for file in found if file is not None][:1]


def _song_ini(source: SourceFile) -> dict[str, str]:
    """Return what ``song.ini`` says; nothing where there is none, or it cannot be read."""
    ini = source.neighbour("song.ini")
    if ini is None:
        return {}
    try:
        return _pairs(decode(ini.read(), "cp1252"))
    except ImportFileError:
        return {}


def _pairs(text: str) -> dict[str, str]:
    """Return the values of lines ``KEY = VALUE`` by their keys in lower case."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
