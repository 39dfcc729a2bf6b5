"""The audio that an imported track belongs to: found, measured, and named for labels."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import posixpath
import re
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from beatgrid.audio.decoders import Source
from beatgrid.audio.find import AUDIO_SUFFIXES, files_below
from beatgrid.importers.folders import ImportFileError, SourceFile, ZipFolder

# What games call audio: Beat Saber's .egg is Ogg Vorbis under another name.
SUFFIXES = (*AUDIO_SUFFIXES[1:], ".egg")


@dataclass(frozen=True)
class CodedAudio:
    """What an audio file's coding decides: its length, and which programs start it when.

    Attributes:
        audio: The file.
        duration_s: Decoded length.
        sample_rate: Of the file, Hz.
        codec: Decoder's name of the coding.
        mp3_tag: "lame", "xing", "vbri", "none" for an MP3, otherwise None.
        timebase: "raw aac" for AAC without a container, otherwise None.
    """

    audio: Path
    duration_s: float
    sample_rate: int
    codec: str
    mp3_tag: str | None
    timebase: str | None

    @property
    def is_settled(self) -> bool:
        """Whether all decoders start it at the same time."""
        return self.mp3_tag is None and self.codec != "aac"


@dataclass(frozen=True)
class FoundAudio:
    """An audio file, on the disk or inside an archive.

    Attributes:
        path: Of the file; for a member of an archive, of where it is unpacked to, or would be.
        member: The member of an archive that it is, or None.
        doubt: What a person should be told of the choice; empty where the file names it.
    """

    path: Path
    member: SourceFile | None = None
    doubt: str = ""

    @property
    def exists(self) -> bool:
        """Whether it is there; one that a file only names need not be."""
        return self.member is not None or os.path.isfile(self.path)

    def unpack(self) -> FoundAudio:
        """Write it to its path, if it is a member of an archive and not there; return the file.

        Raises:
            ImportFileError: It cannot be taken out of its archive.
        """
        if self.member is None:
            return self
        if not self.path.exists():
            assert isinstance(self.member.folder, ZipFolder)
            self.member.folder.unpack(self.member.name, self.path)
        return dataclasses.replace(self, member=None)

    @property
    def key(self) -> str:
        """The same for each way to the same file."""
        return os.path.realpath(self.path) if self.member is None else os.path.abspath(self.path)


@contextlib.contextmanager
def on_disk(audio: FoundAudio) -> Iterator[Path]:
    """Yield a path at which an audio file can be opened, for a while.

    Raises:
        ImportFileError: It cannot be taken out of its archive.
    """
    if audio.member is None:
        yield audio.path
        return
    assert isinstance(audio.member.folder, ZipFolder)
    with tempfile.TemporaryDirectory(prefix="beatgrid-") as folder:
        path = Path(folder) / f"audio{audio.path.suffix}"
        audio.member.folder.unpack(audio.member.name, path)
        yield path


def measure(path: Path) -> CodedAudio:
    """Return an audio file's length and coding.

    Where its header states no exact length, as that of an MP3 without LAME's tag, it is decoded.

    Raises:
        AudioError: It cannot be decoded.
    """
    with contextlib.ExitStack() as stack:
        source = Source(path, stack)
        n_samples = source.n_frames or sum(len(block) for block in source.blocks())
        raw_aac = source.codec == "aac" and not source.container.startswith(("mov", "matroska"))
        return CodedAudio(
            audio=path,
            duration_s=n_samples / source.sample_rate,
            sample_rate=source.sample_rate,
            codec=source.codec,
            mp3_tag=source.mp3_tag,
            timebase="raw aac" if raw_aac else None,
        )


class AudioFinder:
    """Finds the audio that files name: beside them, or in a folder of the user's."""

    def __init__(self, audio_dir: Path | None, unpack_dir: Path | None = None) -> None:
        """List the folder once.

        Args:
            audio_dir: Where to look for audio that is not where a file says; None: nowhere.
            unpack_dir: Where audio inside archives is to lie; None: beside the archive.
        """
        self._unpack_dir = unpack_dir
        self._by_name: defaultdict[str, list[Path]] = defaultdict(list)
        if audio_dir is not None:
            for path in files_below(os.fspath(audio_dir), is_audio_name):
                self._by_name[_folded(os.path.basename(path))].append(Path(path))

    def find(self, source: SourceFile, name: str | None, anywhere: bool = False) -> FoundAudio:
        """Return the audio file that a file names.

        A chart's audio lies in its folder or below, for some games above, but never outside of what
        the user asked for. Where a name leads to nothing, the same name with another suffix counts
        (packs are re-encoded), or the only audio file of the folder, as the games do it.

        Args:
            source: The file.
            name: As the file names it; None if it names none.
            anywhere: Its absolute paths are the user's own: a library's.

        Raises:
            ImportFileError: There is no such file, or it is none to touch.
        """
        if name and (is_absolute(name) or _leaves(name)):
            found = self._far(source, name, anywhere)
        else:
            found = self._beside(source, name)
        if found is None:
            listed = self._by_name.get(_folded(_base(name)), []) if name else []
            likeliest = _likeliest(listed, name or "")
            if likeliest is not None:
                return FoundAudio(likeliest)
            where = "no audio beside it" if not name else f"its audio {name!r} is not there"
            raise ImportFileError(f"{source}: {where}; put it there or set import.audio_dir=...")
        return found

    def _far(self, source: SourceFile, name: str, anywhere: bool) -> FoundAudio | None:
        """Return what a name leads to that is absolute or begins with steps up."""
        path = Path(name)
        if not path.is_absolute():
            if source.path is None:
                raise ImportFileError(f"{source}: its audio {name!r} leads out of the archive")
            path = source.path.parent / name.replace("\\", "/")
        elif not anywhere:
            raise ImportFileError(
                f"{source}: its audio {name!r} is an absolute path, which a chart's cannot be; "
                "write the file's name"
            )
        if not anywhere and not _is_inside(path, source.root):
            raise ImportFileError(
                f"{source}: its audio {name!r} leads out of {source.root}; import from a folder "
                "above both"
            )
        return FoundAudio(Path(os.path.normpath(path))) if os.path.isfile(path) else None

    def _beside(self, source: SourceFile, name: str | None) -> FoundAudio | None:
        *below, last = (name or "").replace("\\", "/").split("/")
        if any(part not in ("", ".") for part in below):
            return self._below(source, name or "")
        names = [n for n in source.folder.names if is_audio_name(n)]
        if last and last in source.folder.names:
            return self._found(source, last)
        same = [n for n in source.folder.names if last and _folded(n) == _folded(last)]
        stem = _folded(os.path.splitext(last)[0])
        alike = [n for n in names if last and _folded(os.path.splitext(n)[0]) == stem]
        if same or not name:
            chosen = same or (names if len(names) == 1 else [])
            return self._found(source, chosen[0]) if chosen else None
        other = alike or (names if len(names) == 1 else [])
        if not other:
            return None
        # Another encoding may begin at another time.
        doubt = f"its audio {name!r} is not there, {other[0]!r} is taken"
        return dataclasses.replace(self._found(source, other[0]), doubt=doubt)

    def _below(self, source: SourceFile, name: str) -> FoundAudio | None:
        if source.path is None:
            return None
        path = source.path.parent / name.replace("\\", "/")
        if not os.path.isfile(path):
            return None
        if not _is_inside(path, source.root):
            raise ImportFileError(f"{source}: its audio {name!r} leads out of {source.root}")
        return FoundAudio(path)

    def _found(self, source: SourceFile, name: str) -> FoundAudio:
        path = source.folder.disk_path(name)
        if path is not None:
            if not _is_inside(path, source.root):
                raise ImportFileError(f"{source}: its audio {name!r} leads out of {source.root}")
            return FoundAudio(path)
        assert isinstance(source.folder, ZipFolder)
        archive = source.folder.path
        folder = archive.with_suffix("")
        if self._unpack_dir is not None:
            folder = self._unpack_dir / os.path.relpath(folder, source.root)
        member = SourceFile(source.folder, name, source.root)
        return FoundAudio(folder / source.folder.below_on_disk / name, member)


def is_audio_name(name: str) -> bool:
    """Tell whether a file of a name is taken for audio."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def is_absolute(name: str) -> bool:
    """Tell whether a path of any system is absolute."""
    return bool(PurePosixPath(name).anchor or PureWindowsPath(name).anchor)


def label_name(place: str) -> str:
    """Return the name of a label, without suffix, from the audio's path below the audio folder.

    Labels lie in one folder: those of ``A/song.ogg`` and ``B/song.ogg`` need two names.
    """
    parts = [part for part in posixpath.normpath(place.replace(os.sep, "/")).split("/") if part]
    name = " - ".join(parts)
    name = re.sub(r"[\x00-\x1f]", " ", name)
    encoded = os.fsencode(name)
    longest = 255 - len(".labels.json")
    if len(encoded) > longest:
        name = os.fsdecode(encoded[-longest:]).lstrip(". ")
        name = "".join(c for c in name if not "\udc80" <= c <= "\udcff")
    return name.lstrip(".")


def _leaves(name: str) -> bool:
    return ".." in name.replace("\\", "/").split("/")


def _likeliest(paths: Sequence[Path], name: str) -> Path | None:
    """Return the one path that shares most folders with a name, from the end; None if several."""
    wanted = _parts(name)
    shared = [_n_shared(_parts(path), wanted) for path in paths]
    best = [path for path, n in zip(paths, shared, strict=True) if n == max(shared)]
    return best[0] if len(best) == 1 else None


def _n_shared(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many items two sequences have in common from their beginning on."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _parts(path: str | Path) -> list[str]:
    """Return the parts of a path, the last one first, as they are compared."""
    return [_folded(part) for part in reversed(os.fspath(path).replace("\\", "/").split("/"))]


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a link to itself
        return False


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
