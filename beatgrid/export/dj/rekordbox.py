"""rekordbox XML: ``DJ_PLAYLISTS`` with a ``TRACK`` for each file and its grid in ``TEMPO``.

Format: https://cdn.rekordbox.com/files/20200410160904/xml_format_list.pdf. A grid is a list of
``TEMPO``: from ``Inizio`` (seconds) on, a beat every 60 / ``Bpm`` up to the next one; ``Battito``
is the place of the first of these beats in its bar, ``Metro`` the bar. rekordbox keeps whole
milliseconds and hundredths of a BPM, so that is what is written, and how far a beat may come to
lie from its place by that is bounded: where hundredths of a BPM would add up to more, a further
``TEMPO`` begins on a beat.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import beatgrid
from beatgrid.errors import BeatgridError
from beatgrid.export.dj.paths import TracksByPath, from_uri, plain_path, to_uri
from beatgrid.export.dj.titles import read_titles
from beatgrid.export.dj.xml_document import Element, XmlDocument, start_tag
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack
from beatgrid.grid import FloatArray

ROOT = "DJ_PLAYLISTS"
MAX_ERROR_S = 0.002
"""How far a beat may be moved by rounding, a fifth of the 10 ms that grids are measured by."""

TRACK = f"{ROOT}/COLLECTION/TRACK"
"""Path of the element of a track."""

_WANTED = (ROOT, f"{ROOT}/COLLECTION", TRACK, f"{TRACK}/TEMPO")
_KINDS = {
    **{".mp3": "MP3 File", ".m4a": "M4A File", ".mp4": "M4A File", ".aac": "M4A File"},
    **{".wav": "WAV File", ".aif": "AIFF File", ".aiff": "AIFF File", ".flac": "FLAC File"},
}
_INDENT = "  "
_EMPTY = f"""<?xml version="1.0" encoding="UTF-8"?>
<{ROOT} Version="1.0.0">
  <PRODUCT Name="beatgrid" Version="{beatgrid.__version__}" Company=""/>
  <COLLECTION Entries="0">
  </COLLECTION>
  <PLAYLISTS>
    <NODE Type="0" Name="ROOT" Count="0">
    </NODE>
  </PLAYLISTS>
</{ROOT}>
"""


@dataclass(frozen=True)
class Tempo:
    """A ``TEMPO`` element.

    Attributes:
        inizio_ms: Its first beat, whole milliseconds.
        bpm_hundredths: Tempo in hundredths of a BPM.
        beats_per_bar: Of ``Metro``; its beats are quarters, for want of better.
        bar_position: Of the first beat.
    """

    inizio_ms: int
    bpm_hundredths: int
    beats_per_bar: int
    bar_position: int

    @property
    def xml(self) -> str:
        """The element."""
        attributes = {
            "Inizio": f"{self.inizio_ms // 1000}.{self.inizio_ms % 1000:03d}",
            "Bpm": _bpm(self.bpm_hundredths),
            "Metro": f"{self.beats_per_bar}/4",
            "Battito": str(self.bar_position),
        }
        return start_tag("TEMPO", attributes) + "/>"


def tempos(track: ExportTrack) -> list[Tempo]:
    """Return the ``TEMPO`` elements of a track, the first on its first beat.

    No beat lies farther than ``MAX_ERROR_S`` from its place, and none of an element lies before
    the next element's first, of which it would be a double.
    """
    times_s, positions = track.beat_times_s(), track.bar_positions()
    found: list[Tempo] = []
    inizio_ms = _nearest_ms(times_s[0])
    for start, stop, bpm in _runs(track, times_s):
        while start < stop:
            stretch = _Stretch(times_s[start : stop + 1], stop - start, bpm, inizio_ms)
            hundredths, n_beats, following_ms = stretch.longest(positions[start:stop])
            found.append(Tempo(inizio_ms, hundredths, track.beats_per_bar, int(positions[start])))
            start, inizio_ms = start + n_beats, following_ms
    return found


@dataclass(frozen=True)
class _Stretch:
    """Beats of one tempo that are to be written.

    Attributes:
        times_s: Their times, and that of the beat behind them, if the track has one.
        n_beats: Number of beats.
        bpm: Their tempo.
        inizio_ms: What the first was rounded to.
    """

    times_s: FloatArray
    n_beats: int
    bpm: float
    inizio_ms: int

    def longest(self, positions: NDArray[np.int64]) -> tuple[int, int, int]:
        """Return the element that holds most of them.

        Args:
            positions: Of the beats in their bars.

        Returns:
            Tempo in hundredths, number of beats, and where the next element begins.
        """
        nearest, slower = round(100 * self.bpm), math.floor(100 * self.bpm + 1e-6)
        for hundredths in (nearest, slower, slower - 1):
            n_beats = self._n_kept(hundredths)
            if n_beats < self.n_beats:
                if hundredths > 100 * self.bpm + 1e-6:
                    continue  # a beat would lie before the next element's first
                # A person looks for changes at bar lines.
                to_bar = int(positions[n_beats]) - 1
                n_beats -= to_bar if to_bar < n_beats else 0
            following_ms = self._following_ms(hundredths, n_beats)
            if following_ms is not None:
                return hundredths, n_beats, following_ms
        # The chord from one whole millisecond to the other, no faster.
        following_ms = _nearest_ms(self.times_s[n_beats])
        return math.floor(6e6 * n_beats / (following_ms - self.inizio_ms)), n_beats, following_ms

    def _n_kept(self, hundredths: int) -> int:
        """Return how many beats from the first on are kept in their places."""
        times_s = self.times_s[: self.n_beats]
        kept_s = self.inizio_ms / 1000 + np.arange(len(times_s)) * (6000.0 / hundredths)
        far = np.flatnonzero(np.abs(kept_s - times_s) > MAX_ERROR_S)
        return max(1, int(far[0])) if len(far) else self.n_beats

    def _following_ms(self, hundredths: int, n_beats: int) -> int | None:
        """Return where the next element begins; None if a beat would lie just before it."""
        if n_beats == len(self.times_s):  # there is none
            return 0
        true_s = float(self.times_s[n_beats])
        reached_ms = self.inizio_ms + n_beats * 6e6 / hundredths
        following_ms = min(_nearest_ms(true_s), math.floor(reached_ms + 1e-6))
        return following_ms if 1000 * true_s - following_ms <= 1000 * MAX_ERROR_S else None


def _runs(track: ExportTrack, times_s: FloatArray) -> Iterator[tuple[int, int, float]]:
    """Yield first beat, the one behind the last, and tempo of stretches of one tempo."""
    start = 0
    n_before = len(times_s) - sum(span.n_beats for span in track.spans)
    for span in track.spans:
        stop = start + n_before + span.n_beats
        if n_before and abs(times_s[n_before] - times_s[0] - span.period_s) > MAX_ERROR_S / 2:
            # The beat at 0 that the tempo puts some milliseconds before.
            yield 0, n_before, 60.0 / float(times_s[n_before] - times_s[0])
            start = n_before
        n_before = 0
        yield start, stop, span.bpm
        start = stop


def _nearest_ms(time_s: float) -> int:
    return math.floor(1000 * float(time_s) + 0.5)


def _bpm(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def render(tracks: Iterable[ExportTrack], options: ExportOptions, existing: bytes | None) -> bytes:
    """Return a collection with the grids of tracks.

    Args:
        tracks: With their grids.
        options: None of them matters here.
        existing: A collection as rekordbox exports it. In its copy, only the tempo of tracks of
            the same path changes (``TEMPO``, ``AverageBpm``); those that it lacks are added.

    Raises:
        BeatgridError: ``existing`` is no such collection.
    """
    if existing is None:
        existing = _EMPTY.encode()
    document = XmlDocument(existing, _WANTED)
    collections = document.at(f"{ROOT}/COLLECTION")
    if len(collections) != 1:
        raise BeatgridError(f"is no rekordbox collection (no {ROOT} with one COLLECTION)")
    (collection,) = collections
    by_path = TracksByPath(tracks)
    elements = collection.named("TRACK")
    for element in elements:
        location = element.attributes.get("Location")
        track = by_path.find(from_uri(location)) if location else None
        if track is not None:
            _replace_grid(document, element, track)
    added = list(by_path.not_found())
    if added:
        number = 1 + max((_number(e.attributes.get("TrackID")) for e in elements), default=0)
        indent = document.indent(elements[0].start) if elements else "\n    "
        parts = [_track(track, number + i, indent) for i, track in enumerate(added)]
        inner = "".join(indent + part for part in parts)
    entries = {"Entries": str(len(elements) + len(added))}
    document.change(collection, entries, last=inner if added else "")
    return document.to_bytes()


def _replace_grid(document: XmlDocument, element: Element, track: ExportTrack) -> None:
    grid = [tempo.xml for tempo in tempos(track)]
    bpm = {"AverageBpm": _bpm(round(100 * track.constant().bpm))}
    before = element.named("TEMPO")
    for tempo in before[1:]:
        document.remove(tempo)
    if before:
        indent = document.indent(before[0].start)
        document.replace(before[0].start, before[0].end, indent.join(grid))
        document.change(element, bpm)
    else:
        indent = document.indent(element.start)
        indent = indent + _INDENT if indent else ""
        document.change(element, bpm, first="".join(indent + part for part in grid))


def _track(track: ExportTrack, number: int, indent: str) -> str:
    path, titles = plain_path(track), read_titles(track)
    attributes = {
        "TrackID": str(number),
        **{"Name": titles.title, "Artist": titles.artist},
        **{"Album": titles.album, "Genre": titles.genre},
        "Kind": _KINDS.get(os.path.splitext(path)[1].lower(), ""),
        "TotalTime": str(round(track.duration_s)),
        "AverageBpm": _bpm(round(100 * track.constant().bpm)),
        "SampleRate": str(track.sample_rate),
        "Location": to_uri(path),
    }
    tag = start_tag("TRACK", {key: value for key, value in attributes.items() if value})
    inner = "".join(indent + _INDENT + tempo.xml for tempo in tempos(track))
    return f"{tag}>{inner}{indent}</TRACK>"
