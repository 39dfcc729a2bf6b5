"""VirtualDJ's ``database.xml``: a ``Song`` for each file, its grid in ``Scan`` and ``Poi``.

Format: https://www.virtualdj.com/wiki/VDJ_database.html. ``Scan`` holds the *seconds* from one
beat to the next (``Bpm``) and where the grid is anchored (``Phase``, seconds), which is a ``Poi``
of type ``beatgrid`` as well; where the tempo changes, there are several, each with the seconds per
beat from there on. VirtualDJ counts bars of four from an anchor.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from beatgrid.errors import BeatgridError
from beatgrid.export.dj.markers import markers
from beatgrid.export.dj.paths import TracksByPath, has_drive, plain_path
from beatgrid.export.dj.titles import read_titles
from beatgrid.export.dj.xml_document import Element, XmlDocument, holds_path, start_tag
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack

ROOT = "VirtualDJ_Database"

SONG = f"{ROOT}/Song"
"""Path of the element of a track."""

ANCHOR_TYPE = "beatgrid"
"""Of the ``Poi`` that anchors the grid."""

BEATS_PER_BAR = 4
"""That VirtualDJ counts from an anchor."""

_WANTED = (ROOT, SONG, f"{SONG}/Scan", f"{SONG}/Poi")
# Version of the analysis: VirtualDJ does one of its own where a song has none.
_SCAN_VERSION = "801"
_EMPTY = f"""<?xml version="1.0" encoding="UTF-8"?>
<{ROOT} Version="8.5">
</{ROOT}>
"""


def render(tracks: Iterable[ExportTrack], options: ExportOptions, existing: bytes | None) -> bytes:
    """Return a database with the grids of tracks.

    Args:
        tracks: With their grids.
        options: None of them matters here.
        existing: A database of VirtualDJ's. In its copy, only tempo and anchors of songs of the
            same path change (``Bpm`` and ``Phase`` of ``Scan``, ``Poi`` of type ``beatgrid``);
            those that it lacks are added.

    Raises:
        BeatgridError: ``existing`` is no such database.
    """
    document = XmlDocument(_EMPTY.encode() if existing is None else existing, _WANTED)
    roots = document.at(ROOT)
    if not roots:
        raise BeatgridError(f"is no database of VirtualDJ (no {ROOT})")
    by_path = TracksByPath(tracks)
    songs = roots[0].named("Song")
    for song in songs:
        track = by_path.find(song.attributes.get("FilePath", ""))
        if track is not None:
            _replace_grid(document, song, track)
    line = document.indent(songs[0].start) if songs else "\n "
    added = [track for track in by_path.not_found() if holds_path(plain_path(track))]
    document.change(roots[0], {}, last="".join(line + _song(track, line) for track in added))
    return document.to_bytes()


def _replace_grid(document: XmlDocument, song: Element, track: ExportTrack) -> None:
    scan = _scan(track)
    for element in song.named("Scan"):
        document.change(element, scan)
    line = document.indent(song.children[-1].start) if song.children else ""
    parts = [] if song.named("Scan") else [_new_scan(track)]
    pois = list(map(_poi, anchors(track)))
    old = [poi for poi in song.named("Poi") if poi.attributes.get("Type") == ANCHOR_TYPE]
    for i, poi in enumerate(old):
        if i:
            document.remove(poi)
        else:
            document.replace(poi.start, poi.end, line.join(pois))
    parts += [] if old else pois
    document.change(song, {}, last="".join(line + part for part in parts))


def anchors(track: ExportTrack) -> list[tuple[float, float | None]]:
    """Return position and seconds per beat of each anchor; one without the latter if constant."""
    found = markers(track)
    if len(found) == 1:
        return [(found[0].time_s, None)]
    return [(marker.time_s, 60.0 / marker.bpm) for marker in found]


def _poi(anchor: tuple[float, float | None]) -> str:
    attributes = {"Pos": f"{anchor[0]:.6f}", "Type": ANCHOR_TYPE}
    if anchor[1] is not None:
        attributes["Bpm"] = f"{anchor[1]:.9f}"
    return start_tag("Poi", attributes) + " />"


def _scan(track: ExportTrack) -> dict[str, str]:
    # Six decimals, as VirtualDJ writes, add up to 6 ms in three hours.
    return {"Bpm": f"{60.0 / track.constant().bpm:.9f}", "Phase": f"{markers(track)[0].time_s:.6f}"}


def _new_scan(track: ExportTrack) -> str:
    return start_tag("Scan", {"Version": _SCAN_VERSION, **_scan(track)}) + " />"


def _song(track: ExportTrack, line: str) -> str:
    path = plain_path(track)
    attributes = {"FilePath": path.replace("/", "\\") if has_drive(path) else path}
    with contextlib.suppress(OSError):  # the volume need not be there
        attributes["FileSize"] = str(os.path.getsize(track.audio))
    titles = read_titles(track)
    names = {
        **{"Author": titles.artist, "Title": titles.title},
        **{"Album": titles.album, "Genre": titles.genre},
    }
    tags = start_tag("Tags", {key: value for key, value in names.items() if value}) + " />"
    length = start_tag("Infos", {"SongLength": f"{track.duration_s:.6f}"}) + " />"
    parts = [tags, length, _new_scan(track), *map(_poi, anchors(track))]
    inner = "".join(f"{line} {part}" for part in parts)
    return start_tag("Song", attributes) + f">{inner}{line}</Song>"
