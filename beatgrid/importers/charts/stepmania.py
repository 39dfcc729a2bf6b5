"""StepMania: ``.sm`` and ``.ssc``.

Source: StepMania's wiki, "sm" and "The .SSC file format", and its code: ``NotesLoaderSM.cpp``,
``NotesLoaderSSC.cpp``, ``TimingData.cpp`` (github.com/stepmania/stepmania).

Beat 0 is at ``-#OFFSET`` seconds of the music. #BPMS are quarter notes per minute from beats on,
rounded to 1/48; #STOPS (#FREEZES) halt at a beat after it is to be played, #DELAYS before; a
#WARPS, or a negative tempo until its time is made up for, skips beats in no time. In an ``.ssc``
from version 0.70 on a chart may have timing of its own.

Bars have four beats unless #TIMESIGNATURES says otherwise, which hardly any chart does, whatever
the music: so bars are "likely" only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from beatgrid.importers.charts.numbers import number
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.text import decode
from beatgrid.importers.track import ImportedTrack, TempoMark

# Encodings of .sm files before StepMania 5, by where they are from.
_ENCODINGS = ("cp1252", "cp949")
# A value ends with a semicolon, or where a line begins with the next tag.
_TAG = re.compile(r"#([A-Za-z0-9]+):((?:[^;\\#]|\\.|(?<!\n)#)*)", re.DOTALL)
_COMMENT = re.compile(r"//[^\n]*")
_ROWS_PER_BEAT = 48
_SPLIT_TIMING_VERSION = 0.7
_TIMING = ("BPMS", "STOPS", "FREEZES", "DELAYS", "WARPS", "TIMESIGNATURES", "OFFSET")
_DEFAULT_BPM = 60.0
# The beat at which a stop or a warp begins belongs to what precedes.
_AFTER_STOP_S = 0.001
_MAX_EVENTS = 100_000


def read_sm(source: SourceFile) -> list[ImportedTrack]:
    """Read an ``.sm`` file: one timing for all its charts.

    Raises:
        ImportFileError: It holds no timing.
    """
    tags = dict(_tags(decode(source.read(), *_ENCODINGS)))
    return [_track(source, tags)]


def read_ssc(source: SourceFile) -> list[ImportedTrack]:
    """Read an ``.ssc`` file: its timing, and that of each chart that has its own.

    Raises:
        ImportFileError: It holds no timing.
    """
    song: dict[str, str] = {}
    charts: list[dict[str, str]] = []
    for key, value in _tags(decode(source.read(), *_ENCODINGS)):
        if key == "NOTEDATA":
            charts.append({})
        elif charts:
            charts[-1][key] = value
        else:
            song[key] = value
    own: list[ImportedTrack] = []
    if (number(song.get("VERSION", "")) or 0.0) >= _SPLIT_TIMING_VERSION:
        for chart in charts:
            if any(key in chart for key in _TIMING):
                shared = {key: value for key, value in song.items() if key not in _TIMING}
                part = " ".join(chart.get(k, "") for k in ("STEPSTYPE", "DIFFICULTY")).strip()
                own.append(replace(_track(source, shared | chart), part=part))
    if own and (len(own) == len(charts) or "BPMS" not in song):
        return own
    return [_track(source, song), *own]


def _tags(text: str) -> Iterator[tuple[str, str]]:
    """Yield tags and their values, escapes resolved; notes have none of interest."""
    for found in _TAG.finditer(_COMMENT.sub("", text)):
        key = found[1].upper()
        if not key.startswith("NOTES"):
            yield key, re.sub(r"\\(.)", r"\1", found[2], flags=re.DOTALL).strip()


def _track(source: SourceFile, tags: dict[str, str]) -> ImportedTrack:
    doubts: list[str] = []
    if "BPMS" not in tags and "OFFSET" not in tags:
        raise ImportFileError(f"{source}: holds neither #BPMS nor #OFFSET; it is cut short")
    marks = list(_marks(tags, doubts))
    if not marks:
        raise ImportFileError(f"{source}: #BPMS has no tempo above 0; nothing to import")
    stated_s = number(tags.get("MUSICLENGTH", ""))
    return ImportedTrack(
        audio=tags.get("MUSIC") or None,
        marks=tuple(marks),
        title=tags.get("TITLE", ""),
        artist=tags.get("ARTIST", ""),
        downbeat="reliable" if len(_signatures(tags, [])) > 1 else "likely",
        doubts=tuple(doubts),
        stated_duration_s=stated_s if stated_s and stated_s > 0 else None,
    )


@dataclass(frozen=True, order=True)
class _Event:
    """What happens at a beat, in the order in which StepMania has it happen."""

    row: int
    order: int  # 0 tempo, 1 delay, 2 stop, 3 warp
    value: float


def _events(tags: dict[str, str], doubts: list[str]) -> list[_Event]:
    stops = tags.get("STOPS") or tags.get("FREEZES", "")
    events = [
        _Event(round(beat * _ROWS_PER_BEAT), order, value)
        for order, text in enumerate(
            (tags.get("BPMS", ""), tags.get("DELAYS", ""), stops, tags.get("WARPS", ""))
        )
        for beat, value in _pairs(text, doubts)
        if value
    ]
    if len(events) > _MAX_EVENTS:
        doubts.append(f"has {len(events)} changes of timing, the first {_MAX_EVENTS} are read")
    tempi = sorted(event for event in events if event.order == 0)
    rest = [event for event in events if event.order]
    # The first tempo holds from beat 0 on, whatever its beat.
    first = replace(tempi[0], row=0) if tempi else _Event(0, 0, _DEFAULT_BPM)
    return sorted([first, *tempi[1:], *rest])[:_MAX_EVENTS]


def _pairs(text: str, doubts: list[str]) -> Iterator[tuple[float, float]]:
    for entry in text.split(","):
        if not entry.strip():
            continue
        beat_text, _, value_text = entry.partition("=")
        in_rows = beat_text.strip().lower().endswith("r")
        beat, value = number(beat_text), number(value_text)
        if beat is None or value is None or abs(beat) > 1e7:
            doubts.append(f"ignored {' '.join(entry.split())[:40]!r} in its timing")
        else:
            yield (beat / _ROWS_PER_BEAT if in_rows else beat), value


def _signatures(tags: dict[str, str], doubts: list[str]) -> list[tuple[float, int | None]]:
    """Return (beat, beats per bar) from which bars count, the first at beat 0."""
    found: list[tuple[float, int | None]] = [(0.0, 4)]
    for entry in tags.get("TIMESIGNATURES", "").split(","):
        values = [number(part) for part in entry.split("=")]
        if len(values) != 3 or any(value is None for value in values):
            continue
        beat, top, bottom = (float(value or 0.0) for value in values)
        quarters = 4 * top / bottom if bottom > 0 else 0.0
        whole = round(quarters) if 1 <= quarters <= 64 and quarters == int(quarters) else None
        if beat == 0 or whole != found[-1][1]:
            found = [*(f for f in found if f[0] != beat), (beat, whole)]
    return sorted(found, key=lambda signature: signature[0])


def _marks(tags: dict[str, str], doubts: list[str]) -> Iterator[TempoMark]:
    """Yield what holds from each change of timing on, in the order of time."""
    signatures = _signatures(tags, doubts)
    time_s = reached_s = -(number(tags.get("OFFSET", "")) or 0.0)
    beat, bpm, warp_end = 0.0, _DEFAULT_BPM, 0.0
    events = _events(tags, doubts)
    for event, next_event in zip(events, [*events[1:], None], strict=True):
        at = event.row / _ROWS_PER_BEAT
        time_s += _elapsed_s(beat, at, bpm, warp_end)
        beat = at
        after_stop = False
        start_s = time_s
        if event.order == 0:
            bpm = event.value
        elif event.order == 3:
            warp_end = max(warp_end, at + event.value)
        else:
            time_s += event.value
            after_stop = event.order == 2
            start_s = time_s + _AFTER_STOP_S if after_stop else start_s
        if next_event is not None and next_event.row == event.row:
            continue
        if warp_end > beat:  # its own beat still sounds
            start_s += _AFTER_STOP_S
        # Under a warp no time passes; a negative tempo lasts until its time is made up for.
        stop = math.inf if next_event is None else next_event.row / _ROWS_PER_BEAT
        first = max(beat, min(warp_end, stop))
        if bpm > 0 and time_s < reached_s:
            first += (reached_s - time_s) * bpm / 60
            start_s = reached_s
        end_s = time_s + _elapsed_s(beat, stop, bpm, warp_end)
        if bpm > 0 and first < stop:
            whole = math.floor(first) + 1 if after_stop and first == beat else math.ceil(first)
            first_s = max(time_s, reached_s) if first > beat else time_s
            beat_s = first_s + (whole - first) * 60 / bpm
            yield _mark(beat_s, bpm, whole, signatures, max(start_s, reached_s))
        reached_s = max(reached_s, end_s if math.isfinite(end_s) else reached_s)


def _elapsed_s(start: float, stop: float, bpm: float, warp_end: float) -> float:
    """Return the time from one beat to another, of which a warp skips those before its end."""
    return max(0.0, stop - max(start, warp_end)) * 60 / bpm


def _mark(
    beat_s: float,
    bpm: float,
    beat: int,
    signatures: Sequence[tuple[float, int | None]],
    start_s: float,
) -> TempoMark:
    since, bar = [signature for signature in signatures if signature[0] <= max(beat, 0)][-1]
    position = None
    if bar is not None and since == int(since):
        position = (beat - int(since)) % bar + 1
    return TempoMark(beat_s, bpm, bar, position, start_s)
