"""Serato's beat grid, a tag of the audio file.

Format: https://github.com/Holzhaus/serato-tags (docs/serato_beatgrid.md, docs/fileformats.md).
Two bytes of version, the number of markers, then for each its position in seconds (float) and the
number of beats up to the next one, which divide the time evenly; for the last one the BPM (float)
that holds from there on. A byte without known meaning ends it. In ID3 this is the content of a
GEOB frame; in Vorbis comments and MP4 it is base64 in lines of 72 characters without padding, with
the frame's type and name before it, and one character more at the end, which readers take off.
"""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from typing import Any

from beatgrid.export.dj.markers import markers
from beatgrid.export.options import ExportOptions
from beatgrid.export.tags.containers import Tag, write_tag
from beatgrid.export.track import ExportTrack

_NAME = "Serato BeatGrid"
_MIME = "application/octet-stream"
_VERSION = b"\x01\x00"
_FOOTER = b"\x00"
_LINE = 72
# Serato's own files end in a character that belongs to no byte; Mixxx removes the last one unseen.
_EXTRA = "A"


def write(track: ExportTrack, path: Path, options: ExportOptions) -> None:
    """Write the grid of a track into a copy of its audio; see ``write_tag`` for errors."""
    write_tag(path, beat_grid_tag(beat_grid(track)))


def beat_grid(track: ExportTrack) -> bytes:
    """Return the content of the tag."""
    *others, last = markers(track)
    parts = [_VERSION, struct.pack(">I", len(others) + 1)]
    parts += [struct.pack(">fI", marker.time_s, marker.n_beats) for marker in others]
    parts.append(struct.pack(">ff", last.time_s, last.bpm))
    return b"".join(parts) + _FOOTER


def beat_grid_tag(data: bytes) -> Tag:
    """Return the tag with a content."""
    latin1 = 0

    def id3(module: Any) -> Any:
        return module.GEOB(encoding=latin1, mime=_MIME, filename="", desc=_NAME, data=data)

    def mp4(module: Any) -> tuple[str, Any]:
        value = module.MP4FreeForm(as_text(data).encode(), module.AtomDataType.UTF8)
        return "----:com.serato.dj:beatgrid", [value]

    return Tag("beat grid of Serato's", id3, ("SERATO_BEATGRID", as_text(data)), mp4)


def as_text(data: bytes) -> str:
    """Return the content in the form that Vorbis comments and MP4 hold."""
    whole = f"{_MIME}\0\0{_NAME}\0".encode() + data
    encoded = base64.b64encode(whole).decode().rstrip("=")
    lines = [encoded[i : i + _LINE] for i in range(0, len(encoded), _LINE)]
    return "\n".join(lines) + _EXTRA
