"""Label files ``NAME.labels.json``: one constant-tempo grid per track.

Keys: ``bpm`` (> 0); optional ``fileName``, ``duration`` (s), ``downbeatOffset`` (s, default 0),
``beatsPerBar`` (default 4), ``downbeat`` ("reliable" by default, "likely" or "unknown"; the last
does not supervise bars), ``split``, ``group``. A ``null`` stands for a missing key. Unknown keys
are kept in ``Label.extra`` and ignored.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from beatgrid.errors import LabelError
from beatgrid.files import write_json
from beatgrid.grid import Grid

SUFFIX = ".labels.json"
DOWNBEAT_KINDS = ("reliable", "likely", "unknown")
SPLITS = ("train", "val", "test")

# Beyond these a number is a mistake of unit, and would make as many beats as fit in memory:
# speedcore ends near 1000 BPM, the longest recorded sets at a day.
MAX_BPM = 1000.0
MAX_DURATION_S = 24 * 3600.0
MAX_BEATS_PER_BAR = 64

_KNOWN_KEYS = frozenset(
    ("fileName", "bpm", "duration", "downbeatOffset", "beatsPerBar", "downbeat", "split", "group")
)


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
        extra: All other keys, as found.
    """

    path: Path
    grid: Grid
    file_name: str | None = None
    duration_s: float | None = None
    downbeat: str = "reliable"
    split: str | None = None
    group: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The label file's name without ``.labels.json``."""
        return self.path.name.removesuffix(SUFFIX)

    def audio_path(self, audio_dir: str | os.PathLike[str]) -> Path | None:
        """Where ``file_name`` lies, whether it exists or not; None where the label names none.

        Raises:
            LabelError: it leads out of ``audio_dir``, through a symbolic link for instance.
        """
        if self.file_name is None:
            return None
        path = Path(audio_dir) / self.file_name
        try:
            target = path.resolve()
        except (OSError, RuntimeError) as error:  # until Python 3.13 a loop is a RuntimeError
            raise LabelError(
                f"{self.path}: fileName {self.file_name!r} is a link to itself; put audio there"
            ) from error
        if not target.is_relative_to(Path(audio_dir).resolve()):
            raise LabelError(
                f"{self.path}: fileName {self.file_name!r} leads to {target}, outside "
                f"{audio_dir}; put the audio itself there"
            )
        return path

    def duration_within(self, audio_duration_s: float) -> float:
        """Seconds of the track that the label speaks of: its own duration, or the audio's.

        Args:
            audio_duration_s: Length of the decoded audio; an upper bound of the answer.

        Raises:
            LabelError: the label's duration is about 1000 times the audio's.
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
    """Reads and checks a label file.

    Raises:
        LabelError: the file cannot be read or does not describe a grid; one line with the file,
            the value and the remedy.
    """
    path = Path(path)
    try:
        # utf-8-sig: editors on Windows put a byte order mark in front.
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LabelError(f"{path}: cannot read the label ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise LabelError(f"{path}: not valid JSON ({error}); see data/README.md") from error
    return parse_label(content, path)


def parse_label(content: Any, path: str | os.PathLike[str]) -> Label:
    """Checks the decoded JSON of a label file.

    Args:
        content: What ``json.loads`` returned.
        path: The label file, for messages and for ``Label.path``.

    Raises:
        LabelError: as ``load_label``.
    """
    path = Path(path)
    if not isinstance(content, dict):
        raise LabelError(
            f"{path}: holds a JSON {type(content).__name__}, not an object; "
            'write {"bpm": ..., "downbeatOffset": ...}'
        )
    if content.get("bpm") is None:
        raise LabelError(f'{path}: lacks "bpm"; add the tempo in beats per minute')
    bpm = _number(content, "bpm", path)
    if bpm <= 0:
        raise LabelError(f"{path}: bpm is {bpm:g}; it must be greater than 0")
    if bpm > MAX_BPM:
        raise LabelError(
            f"{path}: bpm is {bpm:g}, more than {MAX_BPM:g}; write beats per minute (not x 100)"
        )
    offset_s = _number(content, "downbeatOffset", path, default=0.0)
    if abs(offset_s) > MAX_DURATION_S:
        raise LabelError(
            f"{path}: downbeatOffset is {offset_s:g}, beyond {MAX_DURATION_S:g} s; write seconds"
        )
    return Label(
        path=path,
        grid=Grid(bpm, offset_s, _beats_per_bar(content, path)),
        file_name=_file_name(content, path),
        duration_s=_duration_s(content, path),
        downbeat=_one_of(content, "downbeat", DOWNBEAT_KINDS, path) or "reliable",
        split=_one_of(content, "split", SPLITS, path),
        group=_text(content, "group", path),
        extra={key: value for key, value in content.items() if key not in _KNOWN_KEYS},
    )


def write_label(
    path: str | os.PathLike[str],
    grid: Grid,
    duration_s: float | None,
    file_name: str | None,
    downbeat: str = "reliable",
    **extra: Any,
) -> None:
    """Writes a label file atomically, numbers at full precision.

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
    write_json(path, content)


def _number(
    content: Mapping[str, Any], key: str, path: Path, default: float | None = None
) -> float:
    """A finite JSON number; ``default`` where it is missing."""
    value = content.get(key)
    if value is None and default is not None:
        return default
    # bool is a subclass of int: true would pass for 1.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LabelError(
            f"{path}: {key} is {_shown(value)}, not a number; write it as digits without quotes"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise LabelError(f"{path}: {key} is {_shown(value)}; it must be a finite number")
    return number


def _duration_s(content: Mapping[str, Any], path: Path) -> float | None:
    if content.get("duration") is None:
        return None
    duration_s = _number(content, "duration", path)
    if duration_s <= 0:
        raise LabelError(
            f"{path}: duration is {duration_s:g}; it must be greater than 0 s (or leave it out)"
        )
    if duration_s > MAX_DURATION_S:
        # 24 h in milliseconds: what is larger is absurd in either unit.
        unit = "it looks like milliseconds" if duration_s <= 1000 * MAX_DURATION_S else "absurd"
        raise LabelError(
            f"{path}: duration is {duration_s:g}, more than 24 hours, {unit}; "
            "write seconds (or leave it out)"
        )
    return duration_s


def _beats_per_bar(content: Mapping[str, Any], path: Path) -> int:
    value = content.get("beatsPerBar")
    if value is None:
        return 4
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_BEATS_PER_BAR:
        raise LabelError(
            f"{path}: beatsPerBar is {_shown(value)}; "
            f"it must be a whole number from 1 to {MAX_BEATS_PER_BAR}"
        )
    return value


def _text(content: Mapping[str, Any], key: str, path: Path) -> str | None:
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise LabelError(f"{path}: {key} is {_shown(value)}; it must be text (or leave it out)")
    return value


def _one_of(
    content: Mapping[str, Any], key: str, choices: tuple[str, ...], path: Path
) -> str | None:
    value = content.get(key)
    if value is not None and value not in choices:
        raise LabelError(
            f"{path}: {key} is {_shown(value)}; it must be one of {', '.join(choices)}"
        )
    return value


def _file_name(content: Mapping[str, Any], path: Path) -> str | None:
    """The audio's relative path; refused where its spelling alone leads out of its folder."""
    name = _text(content, "fileName", path)
    if not name:
        return None
    if "\0" in name:
        raise LabelError(f"{path}: fileName {name!r} holds a null character; remove it")
    # Labels travel between systems, so both spellings are looked at on either.
    for flavour in (PurePosixPath(name), PureWindowsPath(name)):
        depth = 0
        for part in flavour.parts:
            depth += -1 if part == ".." else 1
            if depth < 0 or flavour.anchor:
                raise LabelError(
                    f"{path}: fileName {name!r} leaves the audio folder; "
                    "write a path relative to it"
                )
    return name


def _shown(value: Any) -> str:
    """A value in one line of bounded length, as JSON spells it."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
