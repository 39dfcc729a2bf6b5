"""Friday Night Funkin': charts before 0.3 and of Psych, metadata since, ``.fnfc``.

Source: "FNFC Specification" and ``SongData.hx``, ``FNFLegacyImporter.hx`` of the game
(github.com/FunkinCrew/Funkin).

*Charts before 0.3* (``song/song-hard.json``): ``song.bpm`` counts from where the audio begins;
``notes`` is a list of sections of ``sectionBeats`` (or ``lengthInSteps`` / 4) beats, a section with
``changeBPM`` has another tempo from its beginning on. Sections are taken for bars, so those are
"likely" only.

*Metadata* (``song-metadata.json``): ``timeChanges`` with the time ``t`` in milliseconds, ``bpm`` in
quarter notes, ``n``/``d`` for the bar. ``offsets.instrumental`` of -10 lets the audio begin 10 ms
before the chart: what the chart has at ``t`` sounds at ``t`` minus the offset.

The audio is ``Inst.ogg`` beside the file, as in a ``.fnfc``, or in ``songs/NAME`` beside ``data``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from beatgrid.importers.charts.json_file import numeric, objects, read_object, textual
from beatgrid.importers.charts.tempo_map import quarters_in_bar
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.track import ImportedTrack, TempoMark

_METADATA = "-metadata"
# Labels of this program have "notes" and "bpm" as well.
_SECTION_KEYS = {"sectionNotes", "lengthInSteps", "sectionBeats", "mustHitSection"}
_SUFFIXES = (".ogg", ".mp3", ".wav", ".opus")
# From data/NAME, data/songs/NAME and a mod's own folder to the folder of songs.
_UP = ("../../songs", "../../../songs", "../songs")


def read(source: SourceFile) -> list[ImportedTrack]:
    """Read a JSON file, if it is one of these.

    Raises:
        ImportFileError: It seems to be one, and is damaged.
    """
    data = source.read()
    is_metadata = b'"timeChanges"' in data
    if not is_metadata and not (b'"notes"' in data and b'"bpm"' in data):
        return []
    content = read_object(source)
    if is_metadata:
        return _metadata(source, content)
    song = content["song"] if isinstance(content.get("song"), dict) else content
    return _legacy(source, song)


def _metadata(source: SourceFile, content: dict[str, Any]) -> list[ImportedTrack]:
    if content.get("timeFormat", "ms") != "ms":
        raise ImportFileError(
            f"{source}: timeFormat is {content['timeFormat']!r}; only milliseconds are read"
        )
    offsets = content["offsets"] if isinstance(content.get("offsets"), dict) else {}
    offset_s = (numeric(offsets.get("instrumental")) or 0.0) / 1000
    marks = []
    bpm = None
    for change in objects(content.get("timeChanges")):
        bpm = numeric(change.get("bpm")) or bpm
        time_ms = numeric(change.get("t", 0))
        if bpm is None or time_ms is None:
            continue
        top, bottom = (numeric(change.get(key, 4)) or 4.0 for key in ("n", "d"))
        bar = quarters_in_bar(top, bottom)
        # Before the first change there is nothing: some begin at -1.
        marks.append(TempoMark(max(time_ms, 0.0) / 1000 - offset_s, bpm, bar, bar and 1))
    if not marks:
        raise ImportFileError(f"{source}: has no timeChanges with a bpm; nothing to import")
    stem = source.stem
    name, _, variation = stem.partition(_METADATA)
    return [
        ImportedTrack(
            audio=_audio(source, name, variation),
            marks=tuple(marks),
            title=textual(content.get("songName")),
            artist=textual(content.get("artist")),
        )
    ]


def _legacy(source: SourceFile, song: dict[str, Any]) -> list[ImportedTrack]:
    sections = song.get("notes")
    if isinstance(sections, dict):  # by difficulty
        sections = next((value for value in sections.values() if isinstance(value, list)), None)
    bpm = numeric(song.get("bpm"))
    sections = objects(sections)
    if bpm is None or not any(_SECTION_KEYS & section.keys() for section in sections):
        return []  # another program's
    if not bpm > 0:
        raise ImportFileError(f"{source}: its bpm is {song['bpm']!r}; nothing to import")
    doubts = []
    offset_ms = numeric(song.get("offset"))
    if offset_ms:
        doubts.append(f"its offset of {offset_ms:g} ms, on whose sign engines differ, is left out")
    name = textual(song.get("song")) or os.path.basename(str(source.folder))
    return [
        ImportedTrack(
            audio=_audio(source, name, ""),
            marks=tuple(_sections(sections, bpm)),
            title=textual(song.get("song")),
            artist=textual(song.get("artist")),
            part=source.stem,
            downbeat="likely",
            doubts=tuple(doubts),
        )
    ]


def _sections(sections: list[dict[str, Any]], bpm: float) -> Iterator[TempoMark]:
    """Yield a mark where a tempo or another length of sections begins."""
    time_s = 0.0
    stated: tuple[float, float] | None = None
    for section in sections:
        changed = numeric(section.get("bpm")) if section.get("changeBPM") is True else None
        bpm = changed if changed is not None and changed > 0 else bpm
        steps = numeric(section.get("lengthInSteps"))
        n_beats = numeric(section.get("sectionBeats")) or (steps / 4 if steps else 4.0)
        if stated != (bpm, n_beats) or n_beats != int(n_beats):
            bar = quarters_in_bar(n_beats, 4)
            yield TempoMark(time_s, bpm, bar, bar and 1)
            stated = (bpm, n_beats)
        time_s += max(n_beats, 0.0) * 60 / bpm


def _audio(source: SourceFile, song: str, variation: str) -> str | None:
    """Return the instrumental's name relative to the file; None where it is nowhere."""
    names = [f"Inst{v}{suffix}" for v in dict.fromkeys((variation, "")) for suffix in _SUFFIXES]
    for name in names:
        if source.neighbour(name) is not None:
            return name
    if source.path is None:
        return None
    spellings = dict.fromkeys(
        (song, song.lower(), song.lower().replace(" ", "-"), source.path.parent.name)
    )
    for up in _UP:
        for spelt in spellings:
            for name in names:
                place = f"{up}/{spelt}/{name}"
                if spelt and "/" not in spelt and (source.path.parent / place).is_file():
                    return place
    return None
