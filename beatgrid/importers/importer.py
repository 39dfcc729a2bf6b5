"""Labels out of imported tracks: one for each audio file, whatever describes it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beatgrid.data.label_segments import write_piecewise_label
from beatgrid.data.labels import SUFFIX, write_label
from beatgrid.errors import AudioError, BeatgridError, LabelError
from beatgrid.export.timebase import AUTO, STEPMANIA, check_timebase, shift_ms
from beatgrid.files import printable, write_bytes
from beatgrid.importers.audio import (
    AudioFinder,
    CodedAudio,
    FoundAudio,
    is_absolute,
    label_name,
    measure,
    on_disk,
)
from beatgrid.importers.folders import ImportFileError, SourceFile
from beatgrid.importers.formats import FORMATS, Format
from beatgrid.importers.grid import TOLERANCE_S, LabelGrid, label_grid, same_beats
from beatgrid.importers.options import ImportOptions
from beatgrid.importers.outcome import (
    CSV,
    FAILED,
    KEPT,
    NO_AUDIO,
    NO_GRID,
    PIECEWISE,
    UNCHANGED,
    WRITTEN,
    Outcome,
    write_table,
)
from beatgrid.importers.track import ImportedTrack, WithoutGrid
from beatgrid.output.result import displayable

# What In The Groove's community adds to #OFFSET: chart times are so much early.
_ITG_S = 0.009
# Of the time: so much shown at half or twice the tempo is hardly for effect.
_DOUBTFUL_OCTAVES = 0.1
_ORDER = list(FORMATS)


@dataclass(frozen=True)
class Candidate:
    """A track, the file that describes it, and the audio that it describes.

    Attributes:
        source: In words: the file's path; with the part of it that this is, if there are several.
        format: Of the file.
        track: What it says.
        audio: That it is about.
    """

    source: str
    format: Format
    track: ImportedTrack
    audio: FoundAudio


@dataclass
class Importer:
    """Reads files, then writes labels.

    What one file does costs that file alone: it is reported, and the rest goes on.

    Attributes:
        out: Folder of the labels.
        options: For all of them.
        fail: Called with what could not be read, a line each.
        outcomes: Of ``write``, and of files without audio.
    """

    out: Path
    options: ImportOptions
    fail: Callable[[str], None]
    outcomes: list[Outcome] = field(default_factory=list)
    _candidates: dict[str, list[Candidate]] = field(default_factory=lambda: defaultdict(list))
    _names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what can be checked before any work.

        Raises:
            BeatgridError: An option that is none.
        """
        check_timebase(self.options.timebase, "import.timebase")
        self.audio_dir = None if self.options.audio_dir is None else Path(self.options.audio_dir)
        if self.audio_dir is not None and not self.audio_dir.is_dir():
            raise BeatgridError(f"import.audio_dir={self.audio_dir}: no such folder")
        unpack = self.options.unpack
        self._finder = AudioFinder(self.audio_dir, None if unpack is None else Path(unpack))

    @property
    def n_audio(self) -> int:
        """How many audio files ``write`` has labels for."""
        return len(self._candidates)

    def refuse(self, line: str) -> None:
        """Report a file that cannot even be opened: an archive."""
        self._failed(line, line.partition(": ")[0])

    def read(self, source: SourceFile, format: Format) -> None:
        """Read a file, and find the audio that it describes."""
        for track in self._tracks(source, format):
            if isinstance(track, WithoutGrid):
                self.outcomes.append(
                    Outcome(NO_GRID, f"{source}: {track.audio}", notes=(track.reason,))
                )
                continue
            name = f"{source} ({track.part})" if track.part else str(source)
            try:
                audio = self._finder.find(source, track.audio, format.audio_anywhere)
            except ImportFileError as error:
                if self.options.missing == "keep" and track.audio:
                    audio = FoundAudio(_expected(source, track.audio))
                else:
                    self.outcomes.append(Outcome(NO_AUDIO, name, notes=(str(error),)))
                    continue
            candidate = Candidate(name, format, track, audio)
            self._candidates[audio.key].append(candidate)

    def _tracks(self, source: SourceFile, format: Format) -> Iterator[ImportedTrack | WithoutGrid]:
        """Yield what a file holds; damage ends it, and is reported."""
        try:
            yield from format.read(source)
        except BeatgridError as error:
            self._failed(str(error), str(source))
        except Exception as error:  # a reader's bug or a kind of damage not thought of
            self._failed(f"{source}: cannot be read ({type(error).__name__}: {error})", str(source))

    def write(self, progress: Callable[[Iterable[Any]], Iterable[Any]] = iter) -> list[Outcome]:
        """Write a label for each audio file, and the table of all.

        Args:
            progress: Passes what it gets, and shows how far that is.

        Returns:
            All outcomes.
        """
        groups = sorted(self._candidates.items())
        folder = self.audio_dir or _common_folder(group[0].audio.path for _, group in groups)
        self.audio_dir = folder
        for _, group in progress(groups):
            outcome = self._import(group, folder)
            if outcome is not None:
                self.outcomes.append(outcome)
        write_table(self.out / CSV, self.outcomes)
        return self.outcomes

    def counts(self) -> Counter[str]:
        """Return how many outcomes there are of each kind."""
        return Counter(outcome.kind for outcome in self.outcomes)

    def _import(self, group: Sequence[Candidate], folder: Path) -> Outcome | None:
        """Write the label of one audio file; None where no file about it can be used."""
        audio = group[0].audio
        place = os.path.relpath(audio.path, folder)
        if place.startswith(os.pardir):
            note = f"{audio.path}: lies outside import.audio_dir={folder}"
            return Outcome(NO_AUDIO, group[0].source, audio=audio.path, notes=(note,))
        notes = [audio.doubt] if audio.doubt else []
        with contextlib.ExitStack() as stack:
            try:
                if self.options.unpack is not None:
                    audio = audio.unpack()
                coded = measure(stack.enter_context(on_disk(audio))) if audio.exists else None
            except (AudioError, ImportFileError) as error:
                coded = None
                notes.append(f"its audio cannot be read: {error}")
            grids = list(self._grids(group, coded))
        if not grids:
            return None
        candidate, grid, clock = grids[0]
        notes += [*candidate.track.doubts, *grid.doubts, *_contradictions(grids)]
        if audio.member is not None:
            notes.append(f"its audio is inside {audio.member}; import.unpack=FOLDER takes it out")
        path = self._label_path(place)
        outcome = Outcome(WRITTEN, candidate.source, path, audio.path, grid, clock, tuple(notes))
        if grid.is_piecewise and self.options.segments == "skip":
            return dataclasses.replace(outcome, kind=PIECEWISE, label=None)
        return self._write_label(outcome, candidate, place, coded)

    def _label_path(self, place: str) -> Path:
        """Return the path of a label that no other audio of this run has."""
        name = label_name(place)
        names = (name, *(f"{name} ({number})" for number in range(2, len(self._names) + 3)))
        free = next(name for name in names if self._names.setdefault(name, place) == place)
        return self.out / (free + SUFFIX)

    def _grids(
        self, group: Sequence[Candidate], coded: CodedAudio | None
    ) -> Iterator[tuple[Candidate, LabelGrid, str]]:
        """Yield what each candidate says, the most trusted first; those that say nothing fail."""
        for candidate in sorted(group, key=lambda c: (_ORDER.index(c.format.name), c.source)):
            try:
                yield candidate, *self._grid(candidate, coded)
            except BeatgridError as error:
                self._failed(f"{candidate.source}: {error}", candidate.source)

    def _grid(self, candidate: Candidate, coded: CodedAudio | None) -> tuple[LabelGrid, str]:
        """Return what a candidate says on this program's clock, and which its own is."""
        track, format = candidate.track, candidate.format
        late_s, clock = self._late_s(candidate, coded)
        duration_s = coded.duration_s if coded is not None else track.stated_duration_s
        marks = [mark.earlier(late_s) for mark in track.marks]
        grid = label_grid(marks, duration_s, format.quantum_s, format.quantum_bpm)
        return grid, clock

    def _late_s(self, candidate: Candidate, coded: CodedAudio | None) -> tuple[float, str]:
        """Return by how much a candidate's times are later than here, and what that follows from.

        Whatever the file itself says comes on top.
        """
        track, format, timebase = candidate.track, candidate.format, self.options.timebase
        late_s = track.late_s
        if self.options.itg and format.program == STEPMANIA:
            late_s -= _ITG_S
        program = format.program if timebase == AUTO else timebase
        if isinstance(program, float | int):
            late_s += program / 1000
            clock = f"{program:g} ms later than here, as asked for"
        elif coded is not None and coded.is_settled:
            clock = "the file's own"
        elif coded is not None and program is not None:
            shift_s = shift_ms(coded, program) / 1000
            late_s += shift_s
            clock = f"{program}'s, {1000 * shift_s:.1f} ms later than here"
        else:
            clock = "not known, taken for this program's"
        return late_s, "; ".join(filter(None, (clock, track.clock)))

    def _write_label(
        self, outcome: Outcome, candidate: Candidate, place: str, coded: CodedAudio | None
    ) -> Outcome:
        assert outcome.grid is not None
        assert outcome.label is not None
        track, grid, path = candidate.track, outcome.grid, outcome.label
        duration_s = coded.duration_s if coded is not None else track.stated_duration_s
        extra = {
            # A checkpoint sums hours by it: the file has a key of its own.
            "source": candidate.format.name,
            "importedFrom": displayable(candidate.source),
            "clock": displayable(outcome.clock),
            "suspect": "octave" if grid.octave_share > _DOUBTFUL_OCTAVES else None,
            "title": displayable(track.title) or None,
            "artist": displayable(track.artist) or None,
            "notes": [displayable(note) for note in outcome.notes] or None,
        }
        downbeat = track.downbeat if grid.bars_known else "unknown"
        file_name = displayable(place.replace(os.sep, "/"))
        with tempfile.TemporaryDirectory(prefix="beatgrid-") as drafts:
            draft = Path(drafts) / path.name
            try:
                if grid.is_piecewise:
                    segments = grid.segments
                    write_piecewise_label(draft, segments, duration_s, file_name, downbeat, **extra)
                else:
                    write_label(draft, grid.grid, duration_s, file_name, downbeat, **extra)
            except LabelError as error:
                self._failed(str(error).replace(str(draft), str(path)), candidate.source)
                return dataclasses.replace(outcome, kind=FAILED, label=None)
            if path.exists():
                if path.read_bytes() == draft.read_bytes():
                    return dataclasses.replace(outcome, kind=UNCHANGED)
                if not self.options.overwrite:
                    return dataclasses.replace(outcome, kind=KEPT)
            write_bytes(path, draft.read_bytes())
        return outcome

    def _failed(self, line: str, source: str) -> None:
        self.fail(printable(line))
        self.outcomes.append(Outcome(FAILED, source, notes=(line,)))


def _expected(source: SourceFile, name: str) -> Path:
    """Return where audio would lie that is not there; beside its file, if it may lie anywhere."""
    if is_absolute(name) and source.path is not None and Path(name).is_absolute():
        return Path(name)
    folder = source.folder.path
    return folder / os.path.basename(name.replace("\\", "/"))


def _common_folder(paths: Iterable[Path]) -> Path:
    """Return the folder that all files are in or below."""
    folders = {os.path.dirname(os.path.abspath(path)) for path in paths}
    return Path(os.path.commonpath(folders)) if folders else Path()


def _contradictions(grids: Sequence[tuple[Candidate, LabelGrid, str]]) -> Iterator[str]:
    """Yield a line where files disagree about the same audio."""
    first, believed, _ = grids[0]
    others: dict[str, list[str]] = {}
    for candidate, grid, _ in grids[1:]:
        tolerance_s = TOLERANCE_S + max(first.format.quantum_s, candidate.format.quantum_s)
        if not same_beats(believed, grid, tolerance_s):
            others.setdefault(str(grid), []).append(candidate.source)
    for said, sources in others.items():
        more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        yield f"{sources[0]}{more} contradicts it ({said}; here {believed})"
