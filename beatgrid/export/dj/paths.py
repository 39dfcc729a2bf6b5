"""Which track of a collection is which file: paths as DJ programs write them, compared."""

from __future__ import annotations

import os
import re
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator

from beatgrid.export.track import ExportTrack

_URI_START = re.compile(r"file:/*(?:localhost(?=/))?/*", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:(?=[\\/]|$)")
# Folders of Windows (drive letters, servers) and macOS: their volumes ignore case unless somebody
# has formatted them otherwise.
_CASELESS = re.compile(r"[A-Za-z]:/|//|/Users/|/Volumes/")


def plain_path(track: ExportTrack) -> str:
    """Return a track's absolute path with forward slashes, bytes that are no text escaped."""
    return with_slashes(os.fspath(track.audio))


def with_slashes(path: str) -> str:
    """Return a path with forward slashes; only Windows has others, and begins so."""
    return path.replace("\\", "/") if _DRIVE.match(path) or path.startswith("\\\\") else path


def has_drive(path: str) -> bool:
    """Tell whether a path begins with a drive letter."""
    return bool(_DRIVE.match(path))


def to_uri(path: str) -> str:
    """Return a path as ``file://localhost/...``, all but letters, digits and ``-._~/`` escaped."""
    drive, rest = (path[:2], path[2:]) if has_drive(path) else ("", path)
    quoted = urllib.parse.quote(os.fsencode(rest.lstrip("/") if not drive else rest), safe="/")
    return f"file://localhost/{drive}{quoted}"


def from_uri(uri: str) -> str:
    """Return the path of a file's URI, whatever was escaped in it."""
    path = urllib.parse.unquote(_URI_START.sub("/", uri, count=1), errors="surrogateescape")
    return path[1:] if has_drive(path[1:]) else path


class TracksByPath:
    """Tracks to be found again by paths of a collection.

    Names are compared in Unicode's composed form: macOS writes them decomposed, others do not. A
    name of another case means the same file where the path is one of Windows or macOS and no
    other track has it.

    Args:
        tracks: Of one path only the first counts.
    """

    def __init__(self, tracks: Iterable[ExportTrack]) -> None:
        self._exact: dict[str, ExportTrack] = {}
        self._caseless: dict[str, list[ExportTrack]] = {}
        self._found: set[str] = set()
        for track in tracks:
            key = _key(plain_path(track))
            if key not in self._exact:
                self._exact[key] = track
                self._caseless.setdefault(key.casefold(), []).append(track)

    def find(self, *paths: str) -> ExportTrack | None:
        """Return the track that one of the paths, all of one file, names; None if none does."""
        for path in paths:
            key = _key(with_slashes(path))
            track = self._exact.get(key)
            same = self._caseless.get(key.casefold(), [])
            if track is None and len(same) == 1 and _CASELESS.match(key):
                track = same[0]
            if track is not None:
                self._found.add(_key(plain_path(track)))
                return track
        return None

    def not_found(self) -> Iterator[ExportTrack]:
        """Yield the tracks that no path has named so far."""
        return (track for key, track in self._exact.items() if key not in self._found)


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path)
