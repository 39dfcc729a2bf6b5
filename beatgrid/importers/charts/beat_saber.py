"""Beat Saber: ``Info.dat`` of all versions, with what it names.

Source: the BSMG wiki, "Map Format" (bsmg.wiki/mapping/map-format), and, for the sign of the offset,
the game's ``AudioTimeSyncController``: the time of the song is that of the audio less
``_songTimeOffset`` (seconds; given up since).

Beats of the map are those of ``_beatsPerMinute``, beat 0 is where the audio begins. Where the tempo
changes, one of these says so, the first that is there: the audio data of version 4
(``AudioData.dat``: ``bpmData`` from sample ``si`` at beat ``sb`` to ``ei`` at ``eb``),
``BPMInfo.dat`` (the same as ``_regions``), ``bpmEvents`` of a difficulty's version 3, its events of
type 100 in version 2. ``_BPMChanges`` of older editors move only their own bar lines, so they tell
where the music's tempo changes in beats of the one tempo that counts in the game.

Bars are not known. The audio is Ogg Vorbis, ``.egg`` being ``.ogg``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from beatgrid.importers.charts.json_file import numeric, objects, read_object, textual
from beatgrid.importers.charts.tempo_map import marks_of_beats
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.track import ImportedTrack, TempoMark

_BPM_EVENT = 100


def read(source: SourceFile) -> list[ImportedTrack]:
    """Read an ``Info.dat``: a track, or one for each timing that its difficulties have.

    Raises:
        ImportFileError: It has no tempo.
    """
    info = read_object(source)
    if "audio" in info and "_beatsPerMinute" not in info:
        return [_version_4(source, info)]
    bpm = numeric(info.get("_beatsPerMinute"))
    if bpm is None or bpm <= 0:
        raise ImportFileError(f"{source}: _beatsPerMinute is {info.get('_beatsPerMinute')!r}")
    offset_s = numeric(info.get("_songTimeOffset")) or 0.0
    doubts: list[str] = []
    regions = _regions(source, "BPMInfo.dat", bpm, doubts)
    timings = [regions] if regions else _difficulties(source, info, bpm, doubts)
    return [
        ImportedTrack(
            audio=textual(info.get("_songFilename")) or None,
            marks=tuple(mark.earlier(-offset_s) for mark in timing),
            title=textual(info.get("_songName")),
            artist=textual(info.get("_songAuthorName")),
            downbeat="unknown",
            doubts=tuple(doubts),
        )
        for timing in timings
    ]


def _version_4(source: SourceFile, info: dict[str, Any]) -> ImportedTrack:
    audio = info["audio"] if isinstance(info["audio"], dict) else {}
    song = info["song"] if isinstance(info.get("song"), dict) else {}
    bpm = numeric(audio.get("bpm")) or 0.0
    doubts: list[str] = []
    name = textual(audio.get("audioDataFilename")) or "AudioData.dat"
    marks = _regions(source, name, bpm, doubts)
    if not marks:
        if bpm <= 0:
            raise ImportFileError(f"{source}: its bpm is {audio.get('bpm')!r}; nothing to import")
        marks = [TempoMark(0.0, bpm)]
    stated_s = numeric(audio.get("songDuration"))
    return ImportedTrack(
        audio=textual(audio.get("songFilename")) or None,
        marks=tuple(marks),
        title=textual(song.get("title")),
        artist=textual(song.get("author")),
        downbeat="unknown",
        doubts=tuple(doubts),
        stated_duration_s=stated_s if stated_s and stated_s > 0 else None,
    )


def _regions(source: SourceFile, name: str, bpm: float, doubts: list[str]) -> list[TempoMark]:
    """Return the marks of audio data; none where there is no such file, or nothing in it."""
    file = source.neighbour(name)
    if file is None:
        return []
    try:
        content = read_object(file)
    except ImportFileError as error:
        doubts.append(f"{error}; its one tempo is taken")
        return []
    is_v4 = "bpmData" in content
    rate = numeric(content.get("songFrequency" if is_v4 else "_songFrequency")) or 0.0
    if is_v4:
        entries, keys = objects(content["bpmData"]), ("si", "ei", "sb", "eb")
    else:
        entries = objects(content.get("_regions"))
        keys = ("_startSampleIndex", "_endSampleIndex", "_startBeat", "_endBeat")
    marks: list[TempoMark] = []
    for entry in entries:
        # What is 0 may be left out.
        first, last, first_beat, last_beat = (numeric(entry.get(key, 0)) or 0.0 for key in keys)
        if rate <= 0 or last <= first or last_beat <= first_beat:
            doubts.append(f"ignored a region of {name} that is empty or runs backwards")
            continue
        length_s, n_beats = (last - first) / rate, last_beat - first_beat
        tempo = 60 * n_beats / length_s
        # Ends are whole samples: the stated tempo has more digits, where it is this one.
        if bpm > 0 and abs(n_beats * 60 / bpm - length_s) < 2 / rate:
            tempo = bpm
        marks += marks_of_beats([(first_beat, tempo)], start_s=first / rate)
    return marks


def _difficulties(
    source: SourceFile, info: dict[str, Any], bpm: float, doubts: list[str]
) -> list[list[TempoMark]]:
    """Return the timings of the difficulties, each once; that of ``Info.dat`` without any."""
    found: list[list[TempoMark]] = []
    for group in objects(info.get("_difficultyBeatmapSets")):
        for entry in objects(group.get("_difficultyBeatmaps")):
            file = source.neighbour(textual(entry.get("_beatmapFilename")))
            if file is None:
                continue
            try:
                marks = list(_difficulty(read_object(file), bpm))
            except ImportFileError as error:
                doubts.append(str(error))
                continue
            if marks not in found:
                found.append(marks)
    return found or [[TempoMark(0.0, bpm)]]


def _difficulty(content: dict[str, Any], bpm: float) -> Iterator[TempoMark]:
    events = [
        (numeric(e.get("b", 0)), numeric(e.get("m"))) for e in objects(content.get("bpmEvents"))
    ]
    events += [
        (numeric(event.get("_time", 0)), numeric(event.get("_floatValue")))
        for event in objects(content.get("_events"))
        if event.get("_type") == _BPM_EVENT
    ]
    tempi = [(beat, tempo) for beat, tempo in events if beat is not None and tempo]
    if tempi:
        yield from marks_of_beats([(0.0, bpm), *tempi] if min(tempi)[0] > 0 else tempi)
        return
    yield TempoMark(0.0, bpm)
    custom = content.get("_customData")
    custom = custom if isinstance(custom, dict) else {}
    for change in objects(custom.get("_BPMChanges") or content.get("_BPMChanges")):
        beat, tempo = numeric(change.get("_time")), numeric(change.get("_BPM"))
        if beat is not None and tempo:
            yield TempoMark(beat * 60 / bpm, tempo)
