"""The BPM of a file in its own tags, where every player and DJ program looks for it.

ID3 defines TBPM as a whole number in digits and MP4's ``tmpo`` is one; Vorbis comments have no
rule. A DJ program that starts from 128 where the track has 127.97 is a beat off after half an hour,
and so decimals are common in TBPM (the "much-used xxx.xx format" of
https://community.mp3tag.de/t/actions-to-modify-bpm-double-half-round-to-integer/7295): Mixxx reads
them (src/track/taglib/trackmetadata_id3v2.cpp), and what wants a whole number stops at the point.
TBPM and BPM have as many decimals as are needed, two at most, and ``tmpo`` is rounded.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from beatgrid.export.options import ExportOptions
from beatgrid.export.tags.containers import Tag, write_tag
from beatgrid.export.track import ExportTrack


def write(track: ExportTrack, path: Path, options: ExportOptions) -> None:
    """Write the tempo of a track into a copy of its audio; see ``write_tag`` for errors."""
    write_tag(path, bpm_tag(track.constant().bpm))


def bpm_tag(bpm: float) -> Tag:
    """Return the tag that states a tempo."""
    text = f"{bpm:.2f}".rstrip("0").rstrip(".")
    latin1 = 0

    def id3(module: Any) -> Any:
        return module.TBPM(encoding=latin1, text=[text])

    def mp4(_: Any) -> tuple[str, Any]:
        return "tmpo", [math.floor(bpm + 0.5)]

    return Tag("BPM", id3, ("BPM", text), mp4)
