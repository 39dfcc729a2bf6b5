"""The formats that grids are imported from, by name.

A new one is a module with one function, an entry in ``FORMATS``, and a test with a file whose
beats are known otherwise. The function gets a ``SourceFile``, may ask for its neighbours, and
returns what it holds: a track for each piece of music, or for each chart whose timing is its own;
none where the file only has the name of the format. It raises ``ImportFileError`` where the file is
of the format, and damaged; what it has yielded by then counts.

The importer (``beatgrid.importers.importer``) does the rest: the audio and its clock, one label for
each audio file, segments, names, atomic writing.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from beatgrid.importers.charts import (
    arcaea,
    beat_saber,
    clone_hero,
    funkin,
    malody,
    osu,
    quaver,
    sequencer,
    stepmania,
    tja,
)
from beatgrid.importers.dj import mixxx, rekordbox, serato, traktor, virtualdj
from beatgrid.importers.folders import SourceFile
from beatgrid.importers.track import ImportedTrack, WithoutGrid

Reader = Callable[[SourceFile], Iterable[ImportedTrack | WithoutGrid]]


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        name: As a user asks for it.
        patterns: Of the names of its files, lower case.
        title: In one line, what it is.
        read: Returns the tracks of a file.
        quantum_s: What its times are rounded to.
        quantum_bpm: What its tempi are rounded to, where that adds up to more, and they begin anew
            to make up for it.
        program: Whose clock its times are on: see ``beatgrid.export.timebase``.
        audio_anywhere: It names audio by paths that may lead anywhere on the disk, as a library
            does; that of a chart lies beside it.
        on_demand: Looked for only if it is asked for.
        needs: A package that it cannot be read without.
    """

    name: str
    patterns: tuple[str, ...]
    title: str
    read: Reader
    quantum_s: float = 0.0
    quantum_bpm: float = 0.0
    program: str | None = None
    audio_anywhere: bool = False
    on_demand: bool = False
    needs: str | None = None

    def is_name(self, name: str) -> bool:
        """Tell whether a file of a name may be of this format."""
        return any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in self.patterns)


FORMATS = {
    format.name: format
    for format in (
        # Of several that describe the same audio, the first here is believed.
        Format(
            "ssc",
            ("*.ssc",),
            "StepMania 5, timing of each chart",
            stepmania.read_ssc,
            quantum_s=1e-6,
            program="stepmania",
        ),
        Format(
            "sm",
            ("*.sm",),
            "StepMania",
            stepmania.read_sm,
            quantum_s=1e-6,
            program="stepmania",
        ),
        Format(
            "osu",
            ("*.osu",),
            "osu! beatmap, also in .osz",
            osu.read,
            quantum_s=0.001,
        ),
        Format("tja", ("*.tja",), "Taiko simulators", tja.read, quantum_s=1e-4),
        Format(
            "chart",
            ("*.chart",),
            "Clone Hero, YARG, Moonscraper",
            clone_hero.read_chart,
        ),
        Format(
            "fretsonfire",
            ("notes.mid",),
            "Frets on Fire, Clone Hero, Rock Band: tempo map of notes.mid",
            clone_hero.read_midi,
        ),
        Format(
            "beatsaber",
            ("info.dat",),
            "Beat Saber, versions 2, 3 and 4",
            beat_saber.read,
            quantum_s=1e-4,
        ),
        Format(
            "funkin",
            ("*.json",),
            "Friday Night Funkin', also in .fnfc",
            funkin.read,
            quantum_s=1e-3,
        ),
        Format("quaver", ("*.qua",), "Quaver, also in .qp", quaver.read, quantum_s=0.001),
        Format("malody", ("*.mc",), "Malody, also in .mcz", malody.read, quantum_s=0.001),
        Format(
            "midi",
            ("*.mid", "*.midi"),
            "MIDI file beside audio of its name; only if asked for",
            sequencer.read,
            on_demand=True,
        ),
        Format("arcaea", ("*.aff",), "Arcaea, ArcCreate", arcaea.read, quantum_s=0.001),
        Format(
            "rekordbox",
            ("*.xml",),
            "rekordbox's collection, exported as XML",
            rekordbox.read,
            # Whole milliseconds, and what hundredths of a BPM add to them until the next TEMPO.
            quantum_s=0.002,
            quantum_bpm=0.01,
            program="rekordbox",
            audio_anywhere=True,
        ),
        Format(
            "traktor",
            ("*.nml",),
            "Traktor's collection",
            traktor.read,
            quantum_s=1e-6,
            program="traktor",
            audio_anywhere=True,
        ),
        Format(
            "virtualdj",
            ("*.xml",),
            "VirtualDJ's database.xml",
            virtualdj.read,
            quantum_s=1e-5,
            audio_anywhere=True,
        ),
        Format(
            "mixxx",
            ("*.sqlite",),
            "Mixxx's mixxxdb.sqlite",
            mixxx.read,
            quantum_s=5e-5,
            program="mixxx",
            audio_anywhere=True,
        ),
        Format(
            "serato",
            serato.PATTERNS,
            "Serato's beat grid, a tag of the audio; only if asked for",
            serato.read,
            quantum_s=1e-4,
            program="serato",
            on_demand=True,
            needs="mutagen",
        ),
    )
}
"""By name, in the order that help shows them."""
