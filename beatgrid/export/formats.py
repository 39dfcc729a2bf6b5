"""The formats that grids are exported to, by name.

A new one is a module with one function, an entry in ``FORMATS``, and a test with a reader that is
not ours. What the function is depends on what its program reads:

- a file for each track: ``render(track, options) -> bytes``;
- a collection of tracks: ``render(tracks, options, existing) -> bytes``, where ``existing`` is the
  file that the grids are to be put into, or None;
- audio or tags in audio: ``write(track, path, options)``. Where ``in_audio`` is set, ``path`` is a
  copy of the track's audio; otherwise it is to be made.

The exporter (``beatgrid.export.exporter``) does the rest: the clock, one grid where a format
cannot hold more, names, atomic writing, copies and backups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from beatgrid.export import audacity, beat_lists, charts, clicks, labels, midi, research
from beatgrid.export.dj import rekordbox, traktor, virtualdj
from beatgrid.export.options import ExportOptions
from beatgrid.export.tags import bpm, serato
from beatgrid.export.track import ExportTrack

TrackRenderer = Callable[[ExportTrack, ExportOptions], bytes]
CollectionRenderer = Callable[[Iterable[ExportTrack], ExportOptions, bytes | None], bytes]
TrackWriter = Callable[[ExportTrack, Path, ExportOptions], None]


@dataclass(frozen=True)
class Format:
    """A format; one of ``render``, ``collect`` and ``write`` is given.

    Attributes:
        name: As a user asks for it.
        suffix: Of the file: ``song.mp3`` becomes ``song.mp3`` + suffix, a collection is called
            ``name`` + suffix; none for what is written into audio. ``{audio}`` in it stands for
            the form of audio asked for.
        title: In one line, what it is and for whom.
        piecewise: It can hold changes of tempo; otherwise ``constant()`` tracks are passed.
        render: Makes the file of one track.
        collect: Makes a collection.
        write: Writes audio, or tags into it.
        in_audio: ``write`` gets a copy of the track's audio to change.
        root: Name of the root element of a collection's XML, by which ``merge`` finds its file.
        program: Whose clock ``timebase=auto`` is: see ``beatgrid.export.timebase``.
        own_clock: Times stay on the clock of this program's decoder.
    """

    name: str
    suffix: str
    title: str
    piecewise: bool
    render: TrackRenderer | None = None
    collect: CollectionRenderer | None = None
    write: TrackWriter | None = None
    in_audio: bool = False
    root: str | None = None
    program: str | None = None
    own_clock: bool = False

    def __post_init__(self) -> None:
        if sum(f is not None for f in (self.render, self.collect, self.write)) != 1:
            raise ValueError(f"{self.name}: needs one of render, collect and write")

    @property
    def per_track(self) -> bool:
        """Whether each track has a file of its own."""
        return self.collect is None


FORMATS = {
    format.name: format
    for format in (
        Format(
            "audacity",
            ".audacity.txt",
            "Audacity label track, beats as bar.beat",
            piecewise=True,
            render=audacity.render,
        ),
        Format(
            "csv",
            ".beats.csv",
            "table of beats: time, bar, beat, tempo",
            piecewise=True,
            render=beat_lists.render_csv,
        ),
        Format(
            "svl",
            ".svl",
            "Sonic Visualiser layer of time instants",
            piecewise=True,
            render=research.render_svl,
        ),
        Format(
            "jams",
            ".jams",
            "JAMS annotation, beat and tempo",
            piecewise=True,
            render=research.render_jams,
        ),
        Format(
            "beats",
            ".beats",
            "times of beats, one in a line, for mir_eval",
            piecewise=True,
            render=research.render_beats,
        ),
        Format(
            "midi",
            ".mid",
            "MIDI tempo map with bar markers and clicks, for sequencers",
            piecewise=True,
            render=midi.render,
        ),
        Format(
            "click_track",
            ".clicks.{audio}",
            "clicks alone, from the song's time 0 on, for Ableton Live and other DAWs",
            piecewise=True,
            write=clicks.write_track,
        ),
        Format(
            "click_mix",
            ".mix.{audio}",
            "the song with clicks, to hear whether a grid is right",
            piecewise=True,
            write=clicks.write_mix,
            own_clock=True,
        ),
        Format(
            "stepmania",
            ".sm",
            "StepMania song with timing and an empty chart",
            piecewise=True,
            render=charts.render_stepmania,
            program="stepmania",
        ),
        Format(
            "osu",
            ".osu",
            "osu! beatmap with timing points and no objects",
            piecewise=True,
            render=charts.render_osu,
        ),
        Format(
            "labels",
            ".labels.json",
            "draft of a label to train on",
            piecewise=True,
            render=labels.render,
        ),
        Format(
            "rekordbox",
            ".xml",
            "collection for rekordbox (and Engine DJ, which imports it)",
            piecewise=True,
            collect=rekordbox.render,
            root=rekordbox.ROOT,
            program="rekordbox",
        ),
        Format(
            "traktor",
            ".nml",
            "collection for Traktor",
            piecewise=True,
            collect=traktor.render,
            root=traktor.ROOT,
            program="traktor",
        ),
        Format(
            "virtualdj",
            ".xml",
            "database for VirtualDJ",
            piecewise=True,
            collect=virtualdj.render,
            root=virtualdj.ROOT,
        ),
        Format(
            "serato",
            "",
            "Serato's beat grid as a tag of the audio; Mixxx reads it too",
            piecewise=True,
            write=serato.write,
            in_audio=True,
            program="serato",
        ),
        Format(
            "tag",
            "",
            "BPM tag of the audio, for any player",
            piecewise=False,
            write=bpm.write,
            in_audio=True,
        ),
    )
}
"""By name, in the order that help shows them."""
