"""One tag of an audio file read or written by mutagen, all others kept.

mutagen knows the containers but tidies what it saves: it raises the version of ID3 tags and fills
ID3v1 from ID3v2. Here the version stays (but for the outdated 2.2, which it cannot write: 2.3
then), ID3v1 is put back, and the file is read again: a difference in any other tag is an error.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beatgrid.audio.headers import read_mp3_tag
from beatgrid.errors import BeatgridError
from beatgrid.files import printable

_ID3V1_BYTES = 128
# Versions of ID3 that mutagen writes; the older one is read by all programs.
_NEW_ID3_VERSION = 3
_ID3_VERSIONS = (3, 4)
# Place and bytes by which a container is known, and mutagen's class for it.
_MARKS = (
    (0, b"fLaC", "flac.FLAC"),
    (8, b"WAVE", "wave.WAVE"),
    (8, b"AIF", "aiff.AIFF"),
    (4, b"ftyp", "mp4.MP4"),
)


class UnknownKindError(BeatgridError):
    """A file of a kind whose tags mutagen does not know."""


@dataclass(frozen=True)
class Tag:
    """A tag, as each kind of container holds it; None where it does not.

    Attributes:
        name: For messages.
        id3: Makes the frame; MP3, AIFF, WAV. Gets ``mutagen.id3``.
        vorbis: Field and value of a Vorbis comment; FLAC and Ogg.
        mp4: Key and value of an atom. Gets ``mutagen.mp4``.
    """

    name: str
    id3: Callable[[Any], Any]
    vorbis: tuple[str, str]
    mp4: Callable[[Any], tuple[str, Any]]


@dataclass(frozen=True)
class TagName:
    """Where each kind of container keeps a tag.

    Attributes:
        id3: Key of the frame, such as "GEOB:NAME".
        vorbis: Field of a Vorbis comment.
        mp4: Key of an atom.
    """

    id3: str
    vorbis: str
    mp4: str


def read_tag(path: Path, name: TagName) -> bytes | str | None:
    """Return the content of a tag of an audio file; None where it has none.

    Args:
        path: The file; one that holds no tags has none.
        name: Of the tag.

    Returns:
        The data of an ID3 frame, the text of a Vorbis comment or of an MP4 atom.

    Raises:
        BeatgridError: mutagen is not installed; or the file's tags are damaged.
        OSError: The file cannot be read.
    """
    mutagen = _mutagen()
    try:
        kind = _kind(path)
        module = kind.__module__.rpartition(".")[2]
        if module == "mp3":
            try:
                tags = _module("id3").ID3(path)
            except _module("id3").ID3NoHeaderError:
                return None
        else:
            tags = kind(path).tags
    except UnknownKindError:
        return None
    except mutagen.MutagenError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BeatgridError(f"{printable(path)}: its tags cannot be read ({reason})") from error
    if not tags:
        return None
    if module in ("mp3", "aiff", "wave"):
        frame = tags.get(name.id3)
        return None if frame is None else bytes(frame.data)
    values = tags.get(name.mp4 if module == "mp4" else name.vorbis)
    if not values:
        return None
    return values[0] if isinstance(values[0], str) else bytes(values[0])


def write_tag(path: Path, tag: Tag) -> None:
    """Write a tag into an audio file, and nothing else.

    Args:
        path: The file, which is changed: hand over a copy.
        tag: What to write.

    Raises:
        BeatgridError: mutagen is not installed; the file is of a kind that holds no such tag, is
            damaged or cannot be written; or another tag would have changed. In the latter cases
            the file may be changed.
    """
    mutagen = _mutagen()
    try:
        kind = _kind(path)
        before = _Tags.read(path, kind, tag)
        before.set(tag)
        with _kept_id3v1(path, before.is_id3):
            before.save(path)
        after = _Tags.read(path, kind, tag)
    except mutagen.MutagenError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BeatgridError(f"{printable(path)}: its tags cannot be written ({reason})") from error
    if before.others != after.others:
        raise BeatgridError(
            f"{printable(path)}: has tags that would not stay as they are; nothing is written"
        )


class _Tags:
    """Tags of a file, loaded so that they can be saved as they were.

    Attributes:
        is_id3: Whether they are ID3 frames.
        others: What must not change.
    """

    def __init__(self, holder: Any, kind: str, others: Any, version: int = 0) -> None:
        self._holder = holder
        self._kind = kind
        self._version = version
        self.is_id3 = kind == "id3"
        self.others = others

    @classmethod
    def read(cls, path: Path, kind: type, tag: Tag) -> _Tags:
        """Read the tags of a file of a kind, and those beside one of them."""
        module = kind.__module__.rpartition(".")[2]
        if module in ("mp3", "aiff", "wave"):
            return cls._read_id3(path, kind, tag)
        if module == "mp4":
            loaded = kind(path)
            key = tag.mp4(_module("mp4"))[0]
            others = sorted((k, repr(v)) for k, v in (loaded.tags or {}).items() if k != key)
            return cls(loaded, module, others)
        if module.startswith("ogg") or module == "flac":
            loaded = kind(path)
            field = tag.vorbis[0].lower()
            others = [(k, v) for k, v in loaded.tags or () if k.lower() != field]
            return cls(loaded, "vorbis", others)
        raise BeatgridError(
            f"{printable(path)}: beatgrid writes no {tag.name} into {kind.__name__} files; MP3, "
            "AIFF, WAV, FLAC, Ogg and MP4 hold it"
        )

    @classmethod
    def _read_id3(cls, path: Path, kind: type, tag: Tag) -> _Tags:
        id3 = _module("id3")
        is_new = False
        as_is = {"translate": False, "load_v1": False}
        if kind.__name__ == "MP3":
            try:
                holder = tags = id3.ID3(path, **as_is)
            except id3.ID3NoHeaderError:
                holder = tags = id3.ID3()
                is_new = True
        else:
            holder = kind(path, **as_is)
            is_new = holder.tags is None
            if is_new:
                holder.add_tags()
            tags = holder.tags
        version = _NEW_ID3_VERSION if is_new else tags.version[1]
        if version not in _ID3_VERSIONS:
            tags.update_to_v23()
            version = 3
        key = tag.id3(id3).HashKey
        frames = {
            k: (type(frame), {a: v for a, v in vars(frame).items() if a != "encoding"})
            for k, frame in tags.items()
            if k != key
        }
        return cls(holder, "id3", (frames, list(tags.unknown_frames)), version)

    def set(self, tag: Tag) -> None:
        """Put a tag in, in place of one that is there."""
        if self.is_id3:
            tags = getattr(self._holder, "tags", self._holder)
            frame = tag.id3(_module("id3"))
            tags.delall(frame.HashKey)
            tags.add(frame)
            return
        if self._holder.tags is None:
            self._holder.add_tags()
        key, value = tag.mp4(_module("mp4")) if self._kind == "mp4" else tag.vorbis
        self._holder.tags[key] = value

    def save(self, path: Path) -> None:
        """Save all tags."""
        if self.is_id3:
            self._holder.save(path, v2_version=self._version, v23_sep=None)
        else:
            self._holder.save(path)


def _kind(path: Path) -> type:
    """Return mutagen's class for a file, by its content; a wrong suffix does no harm.

    Raises:
        UnknownKindError: mutagen does not know it.
    """
    with path.open("rb") as file:
        start = file.read(12)
    for at, mark, name in _MARKS:
        if start[at : at + len(mark)] == mark:
            module, _, class_name = name.partition(".")
            return getattr(_module(module), class_name)
    if read_mp3_tag(path) is not None:
        return _module("mp3").MP3
    found = _mutagen().File(path)
    if found is None:
        raise UnknownKindError(f"{printable(path)}: is of no kind whose tags beatgrid can write")
    return type(found)


@contextlib.contextmanager
def _kept_id3v1(path: Path, is_id3: bool) -> Iterator[None]:
    """Put the ID3v1 tag at the end of a file back, which mutagen fills from ID3v2."""
    before = _id3v1(path) if is_id3 else None
    yield
    if before is not None and _id3v1(path) is not None:
        with path.open("rb+") as file:
            file.seek(-_ID3V1_BYTES, os.SEEK_END)
            file.write(before)


def _id3v1(path: Path) -> bytes | None:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) < _ID3V1_BYTES:
            return None
        file.seek(-_ID3V1_BYTES, os.SEEK_END)
        end = file.read()
    return end if end.startswith(b"TAG") else None


def _mutagen() -> Any:
    try:
        return importlib.import_module("mutagen")
    except ImportError as error:
        raise BeatgridError(
            'tags need mutagen, which is not installed; type pip install "beatgrid[tags]"'
        ) from error


def _module(name: str) -> Any:
    return importlib.import_module(f"mutagen.{name}")
