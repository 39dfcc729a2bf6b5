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
import math
import struct
from pathlib import Path
from typing import Any

from beatgrid.export.dj.markers import Marker, markers
from beatgrid.export.options import ExportOptions
from beatgrid.export.tags.containers import Tag, TagName, write_tag
from beatgrid.export.track import ExportTrack

_NAME = "Serato BeatGrid"
TAG_NAME = TagName(f"GEOB:{_NAME}", "SERATO_BEATGRID", "----:com.serato.dj:beatgrid")
"""Where each kind of file keeps it."""

BEATS_PER_BAR = 4
"""That Serato counts from a marker."""

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
        return TAG_NAME.mp4, [value]

    return Tag("beat grid of Serato's", id3, (TAG_NAME.vorbis, as_text(data)), mp4)


def as_text(data: bytes) -> str:
    """Return the content in the form that Vorbis comments and MP4 hold."""
    whole = _envelope() + data
    encoded = base64.b64encode(whole).decode().rstrip("=")
    lines = [encoded[i : i + _LINE] for i in range(0, len(encoded), _LINE)]
    return "\n".join(lines) + _EXTRA


def from_tag(value: bytes | str) -> bytes:
    """Return the content out of the form that a file holds: an ID3 frame's as it is, else text.

    Raises:
        ValueError: It is no such text.
    """
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if data.startswith(_VERSION) or not data:
        return data
    # The last character belongs to no byte, or at most to the one without meaning.
    text = b"".join(data.split())[:-1]
    whole = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    envelope = _envelope()
    if not whole.startswith(envelope):
        raise ValueError("its base64 is of something else")
    return whole.removeprefix(envelope)


def parse_beat_grid(data: bytes) -> list[Marker]:
    """Return the markers in the content of a tag; none where it is empty.

    The tempo of a marker is what the beats up to the next one make it. The last one has no number
    of beats: 0.

    Raises:
        ValueError: It is cut short, of another version, or its markers are not in order.
    """
    if not data:
        return []
    head = len(_VERSION) + 4
    if not data.startswith(_VERSION) or len(data) < head:
        raise ValueError("unknown version or no markers")
    (n_markers,) = struct.unpack(">I", data[len(_VERSION) : head])
    if len(data) < head + 8 * n_markers:
        raise ValueError(f"{n_markers} markers in {len(data)} bytes")
    if n_markers == 0:
        return []
    last_at = head + 8 * (n_markers - 1)
    placed = list(struct.iter_unpack(">fI", data[head:last_at]))
    last_s, last_bpm = struct.unpack(">ff", data[last_at : last_at + 8])
    times_s = [*(time_s for time_s, _ in placed), last_s]
    found = []
    for i, (time_s, n_beats) in enumerate(placed):
        if not (time_s < times_s[i + 1] and n_beats > 0):
            raise ValueError(f"marker {i + 1} at {time_s:g} s has {n_beats} beats")
        found.append(Marker(time_s, 60.0 * n_beats / (times_s[i + 1] - time_s), n_beats))
    if not (math.isfinite(last_s) and math.isfinite(last_bpm) and last_bpm > 0):
        raise ValueError(f"{last_bpm:g} BPM from {last_s:g} s on")
    return [*found, Marker(last_s, last_bpm, 0)]


def _envelope() -> bytes:
    """Return what stands before the content in text: type and name of the frame."""
    return f"{_MIME}\0\0{_NAME}\0".encode()
