"""Any MIDI file beside its audio: what sequencers export, and ``beatgrid export format=midi``.

The audio begins where the file does, and has its name: ``song.mid`` or ``song.mp3.mid`` beside
``song.mp3``. A file without audio of its name is passed over: most MIDI files are music themselves.
"""

from __future__ import annotations

import os

from beatgrid.importers.audio import SUFFIXES
from beatgrid.importers.charts.midi_file import MidiError, read_tempo_map
from beatgrid.importers.charts.tempo_map import marks_of_beats, quarters_in_bar
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.track import ImportedTrack


def read(source: SourceFile) -> list[ImportedTrack]:
    """Read a MIDI file.

    Raises:
        ImportFileError: It is none, or counts in frames.
    """
    names = (source.stem, *(source.stem + suffix for suffix in SUFFIXES))
    found = (source.neighbour(name) for name in names)
    audio = next((file for file in found if file is not None), None)
    if audio is None:
        return []
    try:
        tempo_map = read_tempo_map(source.read())
    except MidiError as error:
        raise ImportFileError(f"{source}: {error}") from error
    signatures = [(beat, quarters_in_bar(top, bottom)) for beat, top, bottom in tempo_map.meters]
    return [
        ImportedTrack(
            audio=audio.name,
            marks=tuple(marks_of_beats(tempo_map.tempi, signatures or [(0.0, 4)])),
            title=os.path.splitext(audio.name)[0],
            downbeat="reliable" if signatures else "likely",
            doubts=tempo_map.doubts,
        )
    ]
