"""Find labelled tracks in folders: every label with its audio, every doubt said once."""

from __future__ import annotations

import itertools
import logging
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from beatgrid.audio.find import AUDIO_SUFFIXES
from beatgrid.data.label_segments import PiecewiseLabelError
from beatgrid.data.labels import SUFFIX, Label, load_label
from beatgrid.data.track import Track
from beatgrid.errors import BeatgridError, LabelError
from beatgrid.files import printable
from beatgrid.grid import Grid

logger = logging.getLogger(__name__)

# A line that names more files helps nobody.
MAX_NAMED = 10
MAX_DOUBTS_SAID = 50
# Below the label folder, so that a label folder at the root of a disk costs no minutes.
MAX_FOLDERS_SEARCHED = 1000


def discover(
    audio_dir: str | Path,
    label_dir: str | Path,
    failed: Callable[[Path, LabelError], object] | None = None,
) -> list[Track]:
    """Pair every label in ``label_dir`` with its audio in ``audio_dir``.

    The audio is the label's ``fileName``, else a file of the label's own name with a known
    audio suffix; case does not matter. A label without audio is skipped, named and counted, and
    so is one of a track whose tempo changes.

    Args:
        audio_dir: Of the audio.
        label_dir: Of the labels.
        failed: Receives each label that describes no beatgrid, with its error; the others are
            found then. Without it they end the search.

    Returns:
        The tracks, without features, sorted by the labels' names.

    Raises:
        BeatgridError: A folder is missing, holds no label, or no label has audio.
        LabelError: Labels that describe no beatgrid or lead out of the audio folder; all of them
            are named at once.
    """
    audio_dir, label_dir = Path(audio_dir), Path(label_dir)
    for kind, folder in (("audio", audio_dir), ("label", label_dir)):
        if not os.path.isdir(folder):  # Path.is_dir() raises where a name is too long
            raise BeatgridError(
                f"data.{kind}_dir={folder}: no such folder; "
                f"create it or set data.{kind}_dir=... (see data/README.md)"
            )
    label_paths = _label_paths(label_dir)
    audio = AudioFolder(audio_dir)
    tracks: list[Track] = []
    without_audio: list[str] = []
    piecewise: list[str] = []
    errors: list[str] = []  # of labels that end the search
    n_failed = 0
    doubts = Doubts()
    for label_path in label_paths:
        try:
            label = load_label(label_path)
            named = audio.named(label)
            audio_path = named or audio.alike(label)
        except PiecewiseLabelError:
            piecewise.append(label_path.name)
            continue
        except LabelError as error:
            if failed is None:
                errors.append(printable(str(error)))
            else:
                failed(label_path, error)
                n_failed += 1
            continue
        doubts.add(label_path, *label.doubts)
        if audio_path is None:
            without_audio.append(f"{label_path.name}{audio.hint(label)}")
            continue
        if label.file_name is not None and named is None:
            doubts.add(label_path, "no such fileName, the audio of the label's own name is taken")
        tracks.append(Track(label, audio_path))
    if errors:
        raise LabelError(*_bounded(errors, "labels are wrong"))
    _doubt_shared_audio(tracks, doubts)
    doubts.log()
    if without_audio:
        logger.warning(
            "skipped %d of %d labels, no audio in %s: %s",
            *(len(without_audio), len(label_paths), audio_dir),
            printable(", ".join(_bounded(without_audio, "more"))),
        )
    if piecewise:
        logger.warning(
            "skipped %d of %d labels, their tempo changes: %s",
            *(len(piecewise), len(label_paths)),
            printable(", ".join(_bounded(piecewise, "more"))),
        )
    if n_failed == len(label_paths):
        raise LabelError(f"data.label_dir={label_dir}: none of the {n_failed} labels can be used")
    if len(piecewise) == len(label_paths):
        raise BeatgridError(
            f"data.label_dir={label_dir}: all {len(label_paths)} labels are of changing tempo; "
            "constant ones are needed"
        )
    if not tracks:
        raise BeatgridError(
            f"data.audio_dir={audio_dir}: none of the {len(label_paths)} labels in {label_dir} "
            "has audio here; check both folders, or the labels' fileName"
        )
    return tracks


def of_split(tracks: Sequence[Track], split: str | None) -> list[Track]:
    """Return the tracks whose labels name ``split``; all of them for None.

    Raises:
        BeatgridError: No label names it.
    """
    chosen = [track for track in tracks if split is None or track.label.split == split]
    if not chosen:
        raise BeatgridError(
            f"data.split={split}: none of the {len(tracks)} labels has it; "
            "leave data.split out to take all"
        )
    return chosen


class AudioFolder:
    """The audio files that labels may name: those in one folder and below, nowhere else.

    Labels travel between systems, so names are compared without case and without regard to how
    accents are composed; a name spelt exactly as a file comes first.
    """

    def __init__(self, folder: Path) -> None:
        """List the folder once: 20,000 labels then cost no look-ups on the disk."""
        self.folder = folder
        self._root = folder.resolve()
        self._exact = {entry.name: entry for entry in _entries("audio", folder)}
        self._folded: dict[str, os.DirEntry[str]] = {}
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self._exact):
            self._folded.setdefault(_folded(name), self._exact[name])
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in AUDIO_SUFFIXES:
                self._by_stem[_folded(stem)].append(name)

    def named(self, label: Label) -> Path | None:
        """Return the file that a label's ``fileName`` leads to; None if there is none.

        Raises:
            LabelError: It lies outside the folder, through a symbolic link for instance.
        """
        return None if label.file_name is None else self._file(label.file_name, label)

    def alike(self, label: Label) -> Path | None:
        """Return the file that has a label's own name, under any audio suffix.

        Raises:
            LabelError: As ``named``.
        """
        names = [label.name, *self._of_stem(label.name)]
        files = (self._file(name, label) for name in names)
        return next((path for path in files if path is not None), None)

    def hint(self, label: Label) -> str:
        """Return the file that a label without audio may mean: the same name, another suffix."""
        if label.file_name is None:
            return ""
        alike = self._of_stem(Path(label.file_name).stem)[:1]
        meant = f"; did you mean {alike[0]!r}?" if alike else ""
        return f" (its fileName is {label.file_name!r}{meant})"

    def _of_stem(self, stem: str) -> list[str]:
        """Return the audio files of a name under any suffix, in the order of the suffixes."""

        def rank(name: str) -> int:
            return AUDIO_SUFFIXES.index(os.path.splitext(name)[1].lower())

        return sorted(self._by_stem.get(_folded(stem), []), key=rank)

    def _file(self, name: str, label: Label) -> Path | None:
        entry = self._exact.get(name) or self._folded.get(_folded(name))
        if entry is not None and not entry.is_symlink():
            return self.folder / entry.name if entry.is_file() else None
        if entry is None and not os.path.dirname(name):
            return None
        path = self.folder / (name if entry is None else entry.name)
        self._check_inside(path, label)
        return path if os.path.isfile(path) else None

    def _check_inside(self, path: Path, label: Label) -> None:
        try:
            target = path.resolve()
        except (OSError, RuntimeError) as error:  # until Python 3.13 a loop is a RuntimeError
            raise LabelError(
                f"{label.path}: its audio {path} is a link to itself; put audio there"
            ) from error
        if not target.is_relative_to(self._root):
            raise LabelError(
                f"{label.path}: its audio {path} leads to {target}, outside {self.folder}; "
                "put the audio itself there"
            )


class Doubts:
    """What looks odd in labels, gathered so that each doubt is said once for all of its files."""

    def __init__(self) -> None:
        self._paths: defaultdict[str, list[Path]] = defaultdict(list)

    def add(self, path: Path, *doubts: str) -> None:
        """Note doubts about one label."""
        for doubt in doubts:
            self._paths[doubt].append(path)

    def log(self) -> None:
        """Warn of each doubt, naming its first file in full and some of the others."""
        for doubt, (first, *others) in itertools.islice(self._paths.items(), MAX_DOUBTS_SAID):
            more = ", ".join(_bounded([path.name for path in others], "more"))
            also = f" (so do {len(others)} other labels: {more})" if others else ""
            logger.warning("%s", printable(f"{first}: {doubt}{also}"))
        if len(self._paths) > MAX_DOUBTS_SAID:
            logger.warning("%d further doubts about labels", len(self._paths) - MAX_DOUBTS_SAID)


def _entries(kind: str, folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise BeatgridError(
            f"data.{kind}_dir={folder}: cannot be read ({error.strerror}); check its rights"
        ) from error


def _label_paths(label_dir: Path) -> list[Path]:
    """Return the label files of a folder, sorted by name; hidden ones are not the user's."""

    def labels_of(names: Iterable[str]) -> list[str]:
        return [n for n in names if n.lower().endswith(SUFFIX) and not n.startswith(".")]

    entries = sorted(_entries("label", label_dir), key=lambda entry: entry.name)
    folders = [e.path for e in entries if e.is_dir(follow_symlinks=False) and e.name[0] != "."]
    found = [
        label_dir / name
        for name in labels_of(e.name for e in entries if not e.is_dir(follow_symlinks=False))
    ]
    below = [
        Path(folder) / name
        for top in folders
        for folder, _, files in itertools.islice(os.walk(top), MAX_FOLDERS_SEARCHED)
        for name in labels_of(files)
    ]
    if not found:
        instead = f"; did you mean {below[0].parent}?" if below else ""
        raise BeatgridError(
            f"data.label_dir={label_dir}: no *{SUFFIX} file in it{instead or ';'} "
            "write one label per track (see data/README.md)"
        )
    if below:
        logger.warning(
            "data.label_dir=%s: %d labels in sub-folders are not read (%s, ...); "
            "move them up, or train on that folder",
            *(label_dir, len(below), below[0]),
        )
    return found


def _doubt_shared_audio(tracks: Sequence[Track], doubts: Doubts) -> None:
    """Doubt the labels that describe a file which another one describes already."""
    first: dict[Path | None, Track] = {}
    for track in tracks:
        other = first.setdefault(track.audio_path, track)
        if other is not track:
            contradicts = "" if _agree(track.grid, other.grid) else " and contradicts it"
            doubts.add(
                track.label.path,
                f"describes the same file as {other.label.path.name}{contradicts} "
                f"({_said(track.grid)}; there {_said(other.grid)}); keep one of them",
            )


def _said(grid: Grid) -> str:
    return f"bpm {grid.bpm:g}, downbeatOffset {grid.offset_s:g}"


def _agree(one: Grid, other: Grid) -> bool:
    """Tell whether two grids say the same: the tempo to 0.001 BPM, the bar to a millisecond."""
    bar_s = one.beats_per_bar * one.period_s
    apart_s = (one.offset_s - other.offset_s + bar_s / 2) % bar_s - bar_s / 2
    return (
        abs(one.bpm - other.bpm) <= 1e-3
        and one.beats_per_bar == other.beats_per_bar
        and abs(apart_s) <= 1e-3
    )


def _bounded(lines: Sequence[str], rest: str) -> list[str]:
    """Return the first lines and how many there are beyond."""
    n_more = len(lines) - MAX_NAMED
    return [*lines[:MAX_NAMED], *([f"and {n_more} {rest}"] if n_more > 0 else [])]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
