"""Find audio files: by name, in folders, by pattern, from a list."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from beatgrid.audio.path_list import read_paths
from beatgrid.errors import AudioError, BeatgridError
from beatgrid.files import printable

logger = logging.getLogger(__name__)

AUDIO_SUFFIXES = (
    *("", ".mp3", ".m4a", ".wav", ".flac", ".ogg", ".aif", ".aiff", ".aac", ".opus", ".webm"),
    *(".aifc", ".oga", ".m4b", ".mp4", ".m4v", ".mov", ".mka", ".mkv", ".wma", ".caf", ".wv"),
    *(".mp1", ".mp2", ".mpga", ".au", ".snd", ".w64", ".rf64", ".bwf", ".voc", ".ape", ".tta"),
    *(".tak", ".mpc", ".ac3", ".eac3", ".dts", ".dsf", ".dff", ".3gp", ".spx", ".asf", ".weba"),
)
"""What a folder is searched for, and a label's audio is tried with; the empty one comes first."""

_SUFFIXES = frozenset(AUDIO_SUFFIXES[1:])
_MAGIC = frozenset("*?[")


class AudioFile(NamedTuple):
    """An audio file as it was asked for.

    Attributes:
        path: Its name, relative to the working folder if it was given so.
        place: Where it lies below the folder that was named, or below the fixed part of the
            pattern; its name alone where the file itself was named. It does not depend on what
            else is asked for.
    """

    path: str
    place: str


def find_audio(wanted: str | Iterable[str]) -> list[AudioFile]:
    """Find the audio files that a name, a folder, a pattern, a list or several of these mean.

    A folder is searched with all below it for ``AUDIO_SUFFIXES``. Hidden files and folders are
    left out. Links to folders are followed, but each folder is entered once: loops end, and where
    a folder is reached both ways, the way without links counts. ``**`` in a pattern matches any
    depth. ``@NAME`` is a text file with a name in each line (``beatgrid.audio.path_list``), in
    which patterns mean nothing and a missing file is no error yet.

    Returns:
        Each name once, in the order asked for, sorted within each.

    Raises:
        AudioError: Something that means no file.
        BeatgridError: Nothing was asked for.
    """
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    if not any(wanted):
        raise BeatgridError("audio=: names no file; give a file, a folder, a pattern or a list")
    found: dict[str, AudioFile] = {}
    for name in wanted:
        for file in _meant_by(str(name)):
            found.setdefault(file.path, file)
    return list(found.values())


def _meant_by(wanted: str) -> list[AudioFile]:
    name = wanted if os.path.lexists(wanted) else os.path.expanduser(wanted)
    if os.path.isdir(name):
        files = _in_folder(name)
        if not files:
            raise AudioError(
                f"audio={wanted}: no audio in this folder (looked for "
                f"{' '.join(AUDIO_SUFFIXES[1:])}); name another, or the file itself"
            )
        return files
    if os.path.lexists(name):
        return [AudioFile(name, os.path.basename(name))]
    if wanted.startswith("@"):
        return [file for entry in read_paths(os.path.expanduser(wanted[1:])) for file in _of(entry)]
    if files := _matching(name):
        return files
    raise AudioError(f"audio={wanted}: no such file or folder; check the path")


def _of(entry: str) -> list[AudioFile]:
    """Resolve an entry of a list; that a file is missing is reported when it is opened."""
    if os.path.isdir(entry):
        return _in_folder(entry)
    return [AudioFile(entry, os.path.basename(entry))]


def _in_folder(root: str) -> list[AudioFile]:
    n_root = len(os.path.join(root, ""))
    return [AudioFile(path, path[n_root:]) for path in files_below(root, _is_audio_name)]


def files_below(root: str, is_wanted: Callable[[str], bool]) -> list[str]:
    """Return the files of a folder and of all below it, sorted, but hidden ones.

    Links to folders are followed, each folder is entered once.

    Args:
        root: The folder.
        is_wanted: Tells of a file's name whether it counts.
    """
    paths: list[str] = []
    entered: set[tuple[int, int]] = set()
    links: list[str] = []
    folders = [root]
    while folders:
        for path, is_folder, is_link in _visible(folders.pop(), entered, is_wanted):
            if not is_folder:
                paths.append(path)
            else:
                (links if is_link else folders).append(path)
        if not folders and links:
            links.sort(reverse=True)
            folders.append(links.pop())
    return sorted(paths)


def _visible(
    folder: str, entered: set[tuple[int, int]], is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, bool, bool]]:
    """Yield (path, is a folder, is a link) of each wanted file and folder that is not hidden.

    Nothing of a folder that was entered before, by any name.
    """
    try:
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in entered:
            return
        entered.add(identity)
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                with contextlib.suppress(OSError):  # a link to itself
                    if entry.is_dir():
                        yield entry.path, True, entry.is_symlink()
                    elif is_wanted(entry.name) and entry.is_file():
                        yield entry.path, False, entry.is_symlink()
    except OSError as error:
        logger.warning("%s: left out, cannot be read (%s)", printable(folder), error.strerror)


def _is_audio_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _SUFFIXES


def _matching(pattern: str) -> list[AudioFile]:
    path = Path(pattern)
    n_fixed = next((i for i, part in enumerate(path.parts) if _MAGIC & set(part)), None)
    if n_fixed is None:
        return []
    if any("**" in part and part != "**" for part in path.parts):  # Python 3.13 reads it as *
        raise AudioError(f"audio={pattern}: not a pattern (** is all folders, alone between /)")
    base = Path(*path.parts[:n_fixed])
    try:
        found = sorted(p for p in base.glob(str(Path(*path.parts[n_fixed:]))) if p.is_file())
    except (OSError, ValueError) as error:
        raise AudioError(f"audio={pattern}: not a pattern ({error}); see --help") from error
    return [AudioFile(str(path), str(path.relative_to(base))) for path in found]
