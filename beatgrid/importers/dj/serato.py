"""Serato's beat grid, a tag of the audio file itself.

``beatgrid.export.tags.serato`` has the format. Serato calls its markers downbeat markers; the first
is its analysis's: bars are "likely".
"""

from __future__ import annotations

from collections.abc import Iterator

from beatgrid.errors import BeatgridError
from beatgrid.export.tags.containers import read_tag
from beatgrid.export.tags.serato import BEATS_PER_BAR, TAG_NAME, from_tag, parse_beat_grid
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.track import ImportedTrack, TempoMark

PATTERNS = tuple(
    f"*{suffix}" for suffix in (".mp3", ".aif", ".aiff", ".wav", ".flac", ".ogg", ".m4a", ".mp4")
)
"""Of audio files that hold such a tag."""


def read(source: SourceFile) -> Iterator[ImportedTrack]:
    """Yield the grid in an audio file's tags; nothing where it has none.

    Raises:
        ImportFileError: The tag is damaged, or lies in an archive.
    """
    if source.path is None:
        raise ImportFileError(f"{source}: tags inside archives are not read; unpack it")
    try:
        value = read_tag(source.path, TAG_NAME)
    except OSError as error:
        raise ImportFileError(f"{source}: cannot be read ({error.strerror})") from error
    except BeatgridError as error:
        raise ImportFileError(str(error)) from error
    if value is None:
        return
    try:
        markers = parse_beat_grid(from_tag(value))
    except ValueError as error:
        raise ImportFileError(f"{source}: its Serato BeatGrid is damaged ({error})") from error
    if markers:
        marks = tuple(TempoMark(m.time_s, m.bpm, BEATS_PER_BAR, 1) for m in markers)
        yield ImportedTrack(audio=source.name, marks=marks, downbeat="likely")
