"""The tempo that a file's own tags name: ID3 TBPM, Vorbis and FLAC BPM, MP4 tmpo."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import BinaryIO

import av

from beatgrid.audio.ffmpeg import open_container, read_tags
from beatgrid.errors import AudioError

# As FFmpeg's library names them, in lower case: ID3, Vorbis comments, Matroska, APE, WMA.
_BPM_KEYS = ("tbpm", "bpm", "tempo", "wm/beatsperminute")
_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)")
# Where an MP4 file keeps its tempo, a whole number; FFmpeg's library does not read it. The box
# ``meta`` begins with four bytes of version and flags.
_TMPO_PATH = (b"moov", b"udta", b"meta", b"ilst", b"tmpo", b"data")
_MAX_BPM = 1000.0


def read_bpm_tag(path: Path) -> float | None:
    """Return the tempo in a file's tags; None if they name none, or none that makes sense.

    Args:
        path: Any audio file. What cannot be read has no tag: decoding tells what is wrong.
    """
    try:
        with path.open("rb") as file:
            is_mp4 = file.read(8)[4:] == b"ftyp"
            if is_mp4:
                return _mp4_tempo(file, path.stat().st_size)
        with open_container(path) as container:
            for key, value in read_tags(container):
                if key in _BPM_KEYS and (bpm := _tempo(value)) is not None:
                    return bpm
    except (AudioError, OSError, av.FFmpegError, ValueError):
        return None
    return None


def _tempo(text: str) -> float | None:
    """Return the number that a tag begins with; 0, which means unknown, is none."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    bpm = float(found[1].replace(",", "."))
    return bpm if 0 < bpm < _MAX_BPM and math.isfinite(bpm) else None


def _mp4_tempo(file: BinaryIO, size: int) -> float | None:
    """Walk down the boxes of an MP4 file to its tempo."""
    start, end = 0, size
    for name in _TMPO_PATH:
        inside = _box(file, start, end, name)
        if inside is None:
            return None
        start, end = inside
        if name == b"meta":
            start += 4
    # Type and locale, four bytes each, precede the number.
    file.seek(start + 8)
    return _tempo(str(int.from_bytes(file.read(min(max(end - start - 8, 0), 4)), "big")))


def _box(file: BinaryIO, start: int, end: int, name: bytes) -> tuple[int, int] | None:
    """Return where the content of a box of that name lies; None if there is no such box."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        header = 8
        if size == 1:  # a longer size follows
            size, header = int.from_bytes(file.read(8), "big"), 16
        elif size == 0:  # up to the end
            size = end - start
        if size < header:
            return None
        if kind == name:
            return start + header, min(start + size, end)
        start += size
    return None
