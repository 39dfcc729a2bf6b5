"""Traktor's collection: ``NML`` with an ``ENTRY`` for each file and its grid in ``CUE_V2``.

Native Instruments publishes no description; this is what Traktor Pro 2 to 4 write. ``LOCATION``
splits a path into ``VOLUME`` (a drive letter, a volume's name), ``DIR`` (folders, each behind
``/:``) and ``FILE``. A grid marker is a ``CUE_V2`` of ``TYPE`` 4 at ``START`` milliseconds, with
its tempo in ``GRID``; Traktor counts bars of four from it. ``TEMPO`` holds the track's tempo, for
Traktor Pro 3 and older the only one. All have six decimals, so that nothing worth mention is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from beatgrid import files
from beatgrid.errors import BeatgridError
from beatgrid.export.dj.markers import Marker, markers
from beatgrid.export.dj.paths import TracksByPath, has_drive, plain_path
from beatgrid.export.dj.titles import read_titles
from beatgrid.export.dj.xml_document import (
    Element,
    XmlDocument,
    holds_path,
    start_tag,
    with_attributes,
)
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack

logger = logging.getLogger(__name__)

ROOT = "NML"

ENTRY = f"{ROOT}/COLLECTION/ENTRY"
"""Path of the element of a track."""

_WANTED = (
    *(ROOT, f"{ROOT}/COLLECTION", ENTRY),
    *(f"{ENTRY}/LOCATION", f"{ENTRY}/TEMPO"),
    *(f"{ENTRY}/CUE_V2", f"{ENTRY}/CUE_V2/GRID"),
)
GRID_TYPE = "4"
"""Of the ``CUE_V2`` that is a grid marker."""

BEATS_PER_BAR = 4
"""That Traktor counts from a grid marker."""

_CUE_TYPE = "0"
_BOOT_VOLUME = "Macintosh HD"
_MAC_VOLUMES = "/Volumes/"
_EMPTY = f"""<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<{ROOT} VERSION="19"><HEAD COMPANY="www.native-instruments.com" PROGRAM="Traktor"></HEAD>
<MUSICFOLDERS></MUSICFOLDERS>
<COLLECTION ENTRIES="0">
</COLLECTION>
<SETS ENTRIES="0"></SETS>
<PLAYLISTS><NODE TYPE="FOLDER" NAME="$ROOT"><SUBNODES COUNT="0"></SUBNODES>
</NODE>
</PLAYLISTS>
</{ROOT}>
"""


def render(tracks: Iterable[ExportTrack], options: ExportOptions, existing: bytes | None) -> bytes:
    """Return a collection with the grids of tracks.

    Args:
        tracks: With their grids.
        options: None of them matters here.
        existing: A collection of Traktor's. In its copy, only the tempo (``TEMPO``) and the grid
            markers of tracks of the same path change; those that a person has locked there
            (``LOCK``) stay as they are, and those that it lacks are added. A grid marker that lies
            on a pad as a hot cue stays on it.

    Raises:
        BeatgridError: ``existing`` is no such collection.
    """
    document = XmlDocument(_EMPTY.encode() if existing is None else existing, _WANTED)
    collections = document.at(f"{ROOT}/COLLECTION")
    if len(collections) != 1:
        raise BeatgridError(f"is no collection of Traktor (no {ROOT} with one COLLECTION)")
    (collection,) = collections
    by_path = TracksByPath(tracks)
    entries = collection.named("ENTRY")
    locked = []
    for entry in entries:
        track = by_path.find(*_paths(entry))
        if track is not None and entry.attributes.get("LOCK") == "1":
            locked.append(track.name)
        elif track is not None:
            _replace_grid(document, entry, track)
    if locked:
        names = files.printable(", ".join(locked[:3])) + (", ..." if len(locked) > 3 else "")
        logger.warning("locked in Traktor, left as they are: %d (%s)", len(locked), names)
    added = [track for track in by_path.not_found() if holds_path(plain_path(track))]
    indent = document.indent(entries[0].start) if entries else "\n"
    volume_ids = {
        at.attributes.get("VOLUME", ""): at.attributes.get("VOLUMEID", "")
        for entry in entries
        for at in entry.named("LOCATION")
    }
    inner = "".join(indent + _entry(track, volume_ids) for track in added)
    document.change(collection, {"ENTRIES": str(len(entries) + len(added))}, last=inner)
    return document.to_bytes()


def location(path: str, volume_ids: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of ``LOCATION``.

    Args:
        path: Absolute, with forward slashes.
        volume_ids: Of the volumes that the collection knows. Windows numbers them; macOS's are
            their names.
    """
    if has_drive(path):
        volume, path = path[:2], path[2:]
    elif path.startswith(_MAC_VOLUMES):
        volume, _, path = path.removeprefix(_MAC_VOLUMES).partition("/")
    else:
        volume = _BOOT_VOLUME if path.startswith("/Users/") else ""
    *folders, name = path.strip("/").split("/")
    found = {
        "DIR": "".join(f"/:{folder}" for folder in folders) + "/:",
        "FILE": name,
        "VOLUME": volume,
    }
    volume_id = volume_ids.get(volume, "" if has_drive(volume) else volume)
    return {**found, "VOLUMEID": volume_id} if volume_id else found


def paths(location: Mapping[str, str]) -> list[str]:
    """Return the paths that the attributes of a ``LOCATION`` may stand for, the likelier first.

    On macOS the volume that the system is on has a name as well, and is no part of paths.
    """
    volume = location.get("VOLUME", "")
    path = location.get("DIR", "").replace("/:", "/") + location.get("FILE", "")
    if has_drive(volume):
        return [volume + path]
    mounted = f"{_MAC_VOLUMES}{volume}{path}"
    is_boot = volume in ("", _BOOT_VOLUME) or path.startswith("/Users/")
    return [path, mounted] if is_boot else [mounted, path]


def _paths(entry: Element) -> list[str]:
    """Return the paths that the location of an entry may stand for."""
    return [path for at in entry.named("LOCATION") for path in paths(at.attributes)]


def _replace_grid(document: XmlDocument, entry: Element, track: ExportTrack) -> None:
    """Put a grid in the place of an entry's.

    Each marker takes the place of a former one, with its name, pad and colour.
    """
    new = markers(track)
    old = [cue for cue in entry.named("CUE_V2") if cue.attributes.get("TYPE") == GRID_TYPE]
    line = document.indent(entry.children[-1].start) if entry.children else ""
    for i, cue in enumerate(old):
        own = new[i:] if i == len(old) - 1 else new[i : i + 1]
        if own:
            parts = [_moved(document, cue, own[0]), *map(_cue, own[1:])]
            document.replace(cue.start, cue.end, line.join(parts))
        elif cue.attributes.get("HOTCUE", "-1") == "-1":
            document.remove(cue)
        else:
            document.change(cue, {"TYPE": _CUE_TYPE})
    for tempo in entry.named("TEMPO"):
        document.change(tempo, _tempo(track))
    parts = [] if entry.named("TEMPO") else [start_tag("TEMPO", _tempo(track)) + "></TEMPO>"]
    if not old:
        parts += map(_cue, new)
    document.change(entry, {}, last="".join(line + part for part in parts))


def _moved(document: XmlDocument, cue: Element, marker: Marker) -> str:
    """Return a grid marker with another place and tempo."""
    tag = document.source(cue.start, cue.open_end)
    tag = with_attributes(tag, {"START": f"{1000 * marker.time_s:.6f}"})
    tag = tag[:-2].rstrip() + ">" if cue.is_empty else tag
    content = document.source(cue.open_end, cue.close_start)
    bpm = {"BPM": f"{marker.bpm:.6f}"}
    for grid in cue.named("GRID"):
        before = document.source(cue.open_end, grid.start)
        grid_tag = with_attributes(document.source(grid.start, grid.open_end), bpm)
        content = before + grid_tag + document.source(grid.open_end, cue.close_start)
    if not cue.named("GRID"):
        content = start_tag("GRID", bpm) + "></GRID>" + content
    return f"{tag}{content}</CUE_V2>"


def _cue(marker: Marker) -> str:
    attributes = {
        **{"NAME": "AutoGrid", "DISPL_ORDER": "0", "TYPE": GRID_TYPE},
        "START": f"{1000 * marker.time_s:.6f}",
        **{"LEN": "0.000000", "REPEATS": "-1", "HOTCUE": "-1"},
    }
    grid = start_tag("GRID", {"BPM": f"{marker.bpm:.6f}"}) + "></GRID>"
    return start_tag("CUE_V2", attributes) + f">{grid}</CUE_V2>"


def _tempo(track: ExportTrack) -> Mapping[str, str]:
    return {"BPM": f"{track.constant().bpm:.6f}", "BPM_QUALITY": "100.000000"}


def _entry(track: ExportTrack, volume_ids: Mapping[str, str]) -> str:
    length = {
        "PLAYTIME": str(round(track.duration_s)),
        "PLAYTIME_FLOAT": f"{track.duration_s:.6f}",
    }
    titles = read_titles(track)
    names = {"TITLE": titles.title, "ARTIST": titles.artist}
    genre = {"GENRE": titles.genre} if titles.genre else {}
    parts = [
        start_tag("ENTRY", {key: value for key, value in names.items() if value}) + ">",
        start_tag("LOCATION", location(plain_path(track), volume_ids)) + "></LOCATION>",
        *([start_tag("ALBUM", {"TITLE": titles.album}) + "></ALBUM>"] if titles.album else []),
        start_tag("INFO", {**genre, **length}) + "></INFO>",
        start_tag("TEMPO", _tempo(track)) + "></TEMPO>",
        *map(_cue, markers(track)),
        "</ENTRY>",
    ]
    return "\n".join(parts)
