"""What a track is called, from the audio's own tags: collections show that, not file names."""

from __future__ import annotations

from dataclasses import dataclass

import av

from beatgrid.audio.ffmpeg import open_container, read_tags
from beatgrid.errors import AudioError
from beatgrid.export.track import ExportTrack


@dataclass(frozen=True)
class Titles:
    """Names of a track; "" where the file names none.

    Attributes:
        title: By default the file's name without suffix.
        artist: Of the track.
        album: Of the track.
        genre: Of the track.
    """

    title: str
    artist: str = ""
    album: str = ""
    genre: str = ""


def read_titles(track: ExportTrack) -> Titles:
    """Return the names in a file's tags; its own name alone where it cannot be read."""
    found: dict[str, str] = {}
    try:
        with open_container(track.audio) as container:
            found = {key: " ".join(value.split()) for key, value in read_tags(container)}
    except (AudioError, OSError, av.FFmpegError, ValueError):
        return Titles(track.name)
    rest = {key: found.get(key, "") for key in ("artist", "album", "genre")}
    return Titles(found.get("title") or track.name, **rest)
