"""Label files ``NAME.labels.json``: one constant-tempo grid per track.

``data/README.md`` describes the keys. A ``null`` stands for a missing key; unknown keys are kept in
``Label.extra``. What cannot be a grid is refused with one line; what can, but is likely a slip
(a misspelt or repeated key), is a doubt, told by ``Label.doubts``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beatgrid.data.label_fields import (
    KEYS,
    MAX_BEATS_PER_BAR,
    MAX_BPM,
    MAX_DURATION_S,
    Fields,
    decode,
    misspelt,
    shown,
)
from beatgrid.data.label_segments import is_piecewise, refuse_piecewise
from beatgrid.errors import LabelError
from beatgrid.files import write_json
from beatgrid.grid import Grid

SUFFIX = ".labels.json"
DOWNBEAT_KINDS = ("reliable", "likely", "unknown")
SPLITS = ("train", "val", "test")
SUSPECT_KINDS = ("octave", "beat phase")
"""Doubts that calibration heeds: the metrical level is a guess; beats may be half a beat off."""

# A label is some hundred bytes; evidence and titles make it a few thousand.
MAX_LABEL_BYTES = 1_000_000


@dataclass(frozen=True)
class Label:
    """What one label file says.

    Attributes:
        path: The label file.
        grid: Its beats: ``downbeatOffset + k * 60 / bpm`` for every integer k, before the
            offset too.
        file_name: Path of the audio relative to the audio folder, or None: then the audio has
            the label's own name.
        duration_s: Length of the track in seconds, or None: then the audio's.
        downbeat: How far the bar phase can be trusted, one of ``DOWNBEAT_KINDS``.
        split: "train", "val", "test", or None where the label leaves it open.
        group: Tracks of one group are versions of one recording: never on both sides of a split.
        suspect: What of the grid is in doubt, by custom one of ``SUSPECT_KINDS``; None if
            nothing is.
        genre: Of the music.
        artist: Who made it.
        license: Terms that the audio is under.
        source: Where it comes from, such as the name of a renderer.
        extra: All other keys, as found.
        doubts: What looks like a slip, a sentence each.
    """

    path: Path
    grid: Grid
    file_name: str | None = None
    duration_s: float | None = None
    downbeat: str = "reliable"
    split: str | None = None
    group: str | None = None
    suspect: str | None = None
    genre: str | None = None
    artist: str | None = None
    license: str | None = None
    source: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The label file's name without ``.labels.json``."""
        name = self.path.name
        return name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else name

    def get(self, key: str) -> Any:
        """Return what the file says under one of its keys, known or not; None if it is missing."""
        known = {
            "fileName": self.file_name,
            "bpm": self.grid.bpm,
            "duration": self.duration_s,
            "downbeatOffset": self.grid.offset_s,
            "beatsPerBar": self.grid.beats_per_bar,
        }
        if key in known:
            return known[key]
        return getattr(self, key) if key in KEYS else self.extra.get(key)

    def duration_within(self, audio_duration_s: float) -> float:
        """Return the seconds of the track that the label covers: its own, or the audio's.

        Args:
            audio_duration_s: Length of the decoded audio; an upper bound of the answer.

        Raises:
            LabelError: The label's duration is about 1000 times the audio's.
        """
        if self.duration_s is None:
            return audio_duration_s
        if 0.9 < self.duration_s / (1000 * audio_duration_s) < 1.1:
            raise LabelError(
                f"{self.path}: duration {self.duration_s:g} is in milliseconds (the audio lasts "
                f"{audio_duration_s:.3f} s); write seconds"
            )
        return min(self.duration_s, audio_duration_s)


def load_label(path: str | os.PathLike[str]) -> Label:
    """Load and check a label file.

    Raises:
        LabelError: The file cannot be read or does not describe a grid; one line with the file,
            the value and the remedy.
    """
    path = Path(path)
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            data = file.read(MAX_LABEL_BYTES + 1)
    except OSError as error:
        raise LabelError(f"{path}: cannot read the label ({error.strerror or error})") from error
    if len(data) > MAX_LABEL_BYTES:
        raise LabelError(
            f"{path}: holds more than {MAX_LABEL_BYTES // 1_000_000} MB, a label a few hundred "
            "bytes; remove it or write one (see data/README.md)"
        )
    try:
        content, repeated = decode(data)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"{path}: not valid JSON ({error}); see data/README.md") from error
    return parse_label(content, path, repeated)


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; a named pipe, which would wait for a writer, is empty."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def parse_label(content: Any, path: str | os.PathLike[str], doubts: tuple[str, ...] = ()) -> Label:
    """Check the decoded JSON of a label file.

    Args:
        content: What ``json.loads`` returned.
        path: The label file, for messages and for ``Label.path``.
        doubts: What decoding found odd.

    Raises:
        LabelError: As ``load_label``; a ``PiecewiseLabelError`` where the tempo changes.
    """
    path = Path(path)
    if not isinstance(content, dict):
        raise LabelError(
            f"{path}: holds a JSON {type(content).__name__}, not an object; "
            'write {"bpm": ..., "downbeatOffset": ...}'
        )
    if is_piecewise(content):
        refuse_piecewise(content, path)
    fields = Fields(content, path)
    slips = misspelt(content)
    bpm = fields.number("bpm")
    if bpm is None:
        alike = [shown(key) for key, known in slips.items() if known == "bpm"]
        meant = f" (it has {alike[0]})" if alike else ""
        raise LabelError(f'{path}: lacks "bpm"{meant}; add the tempo in beats per minute')
    if bpm <= 0:
        raise LabelError(f"{path}: bpm is {bpm:g}; it must be greater than 0")
    if bpm > MAX_BPM:
        raise LabelError(
            f"{path}: bpm is {bpm:g}, more than {MAX_BPM:g}; write beats per minute (not x 100)"
        )
    offset_s = fields.number("downbeatOffset") or 0.0
    if abs(offset_s) > MAX_DURATION_S:
        raise LabelError(
            f"{path}: downbeatOffset is {offset_s:g}, beyond {MAX_DURATION_S:g} s; write seconds"
        )
    beats_per_bar = fields.whole_number("beatsPerBar", 1, MAX_BEATS_PER_BAR) or 4
    duration_s = fields.duration_s()
    suspect = fields.text("suspect") or None
    doubts += tuple(
        f'the key {shown(key)} is ignored, did you mean "{known}"?' for key, known in slips.items()
    )
    if suspect is not None and suspect not in SUSPECT_KINDS:
        doubts += (
            f"suspect is {shown(suspect)}; calibration heeds only "
            f"{' and '.join(map(shown, SUSPECT_KINDS))}",
        )
    if duration_s is not None and offset_s >= duration_s:
        doubts += (offset_beyond_end(offset_s, duration_s),)
    return Label(
        path=path,
        grid=Grid(bpm, offset_s, beats_per_bar),
        file_name=fields.file_name(),
        duration_s=duration_s,
        downbeat=fields.one_of("downbeat", DOWNBEAT_KINDS) or "reliable",
        split=fields.one_of("split", SPLITS),
        group=fields.text("group"),
        suspect=suspect,
        genre=fields.text("genre"),
        artist=fields.text("artist"),
        license=fields.text("license"),
        source=fields.text("source"),
        extra={key: value for key, value in content.items() if key not in KEYS},
        doubts=doubts,
    )


def offset_beyond_end(offset_s: float, duration_s: float) -> str:
    """Return the doubt that a downbeat after the track's end raises."""
    return (
        f"downbeatOffset is {offset_s:g} s, beyond the end at {duration_s:g} s "
        "(the grid extends backwards from it); is it in seconds?"
    )


def write_label(
    path: str | os.PathLike[str],
    grid: Grid,
    duration_s: float | None,
    file_name: str | None,
    downbeat: str = "reliable",
    **extra: Any,
) -> None:
    """Write a label file atomically, numbers at full precision.

    Args:
        path: Destination, ``NAME.labels.json``.
        grid: Its offset is the time of a downbeat.
        duration_s: Length of the track in seconds, or None.
        file_name: Path of the audio relative to the audio folder, or None.
        downbeat: One of ``DOWNBEAT_KINDS``.
        **extra: Further keys in the file's own spelling, ``split`` and ``group`` among them.

    Raises:
        LabelError: ``load_label`` would refuse the result; nothing is written.
    """
    write_json(path, label_content(path, grid, duration_s, file_name, downbeat, **extra))


def label_content(
    path: str | os.PathLike[str],
    grid: Grid,
    duration_s: float | None,
    file_name: str | None,
    downbeat: str = "reliable",
    **extra: Any,
) -> dict[str, Any]:
    """Return what ``write_label`` writes; arguments and errors are the same."""
    content: dict[str, Any] = {
        "fileName": file_name,
        "bpm": grid.bpm,
        "duration": duration_s,
        "downbeatOffset": grid.offset_s,
        "beatsPerBar": grid.beats_per_bar,
        "downbeat": downbeat,
    }
    if twice := content.keys() & extra.keys():
        raise LabelError(
            f"{path}: {', '.join(sorted(twice))} given twice; pass it by argument only"
        )
    content = {key: value for key, value in (content | extra).items() if value is not None}
    parse_label(content, path)
    return content
