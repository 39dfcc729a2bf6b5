"""The keys of a label file: how they are decoded, checked and misspelt."""

from __future__ import annotations

import difflib
import functools
import itertools
import json
import math
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from beatgrid.errors import LabelError
from beatgrid.files import printable

KEYS = (
    *("bpm", "downbeatOffset", "fileName", "duration", "beatsPerBar", "downbeat", "split"),
    *("group", "suspect", "genre", "artist", "license", "source"),
)
"""All keys that have a meaning; ``data/README.md`` says which."""

# Beyond this a number is a mistake of unit, and would make as many beats as fit in memory: the
# longest recorded sets last a day.
MAX_DURATION_S = 24 * 3600.0
# Beyond this a tempo is a mistake of unit: speedcore ends near 1000 BPM.
MAX_BPM = 1000.0
MAX_BEATS_PER_BAR = 64
# Longest name of a file, not of a path, on every common file system.
MAX_NAME_BYTES = 255
# Likeness (difflib's ratio) of a slip and what was meant, letters and digits compared without
# case: "artists" and "artist" have 0.92, "offsetSource" and "source" 0.67.
MISSPELT_RATIO = 0.8
# Of one kind in one label: a file of slips alone need not be told key by key.
MAX_DOUBTS = 5


def decode(data: bytes) -> tuple[Any, tuple[str, ...]]:
    """Decode a label's JSON.

    Returns:
        (the value, a sentence for each key that came more than once; the last one counts).

    Raises:
        ValueError: It is not JSON in UTF-8.
    """
    doubts: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            doubts.extend(
                f"the key {shown(key)} comes {count} times, the last one counts: "
                f"{shown(content[key])}"
                for key, count in counts.most_common(MAX_DOUBTS)
                if count > 1
            )
        return content

    # utf-8-sig: editors on Windows put a byte order mark in front.
    content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=unique)
    return content, tuple(doubts)


def misspelt(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the unknown keys that are likely slips, with the known ones that they resemble."""
    slips = ((key, _resembled(key)) for key in content if key not in KEYS)
    return dict(itertools.islice(((k, known) for k, known in slips if known), MAX_DOUBTS))


@functools.lru_cache(maxsize=1000)  # the labels of a folder share their keys
def _resembled(key: str) -> str | None:
    known = {_letters(k): k for k in KEYS}
    close = difflib.get_close_matches(_letters(key), known, n=1, cutoff=MISSPELT_RATIO)
    return known[close[0]] if close else None


@dataclass(frozen=True)
class Fields:
    """Checked access to the keys of one label; None where a key is missing or ``null``.

    Every method raises LabelError, one line with the file, the key and the value, where the value
    is of another kind than asked for.

    Attributes:
        content: The decoded JSON object.
        path: Its file, for messages.
    """

    content: Mapping[str, Any]
    path: Path

    def number(self, key: str) -> float | None:
        """Return a finite number."""
        value = self.content.get(key)
        if value is None:
            return None
        # bool is a subclass of int: true would pass for 1.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(key, "not a number; write it as digits without quotes", ", ")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self._error(key, "it must be a finite number")
        return number

    def whole_number(self, key: str, low: int, high: int) -> int | None:
        """Return a whole number from ``low`` to ``high``."""
        value = self.content.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._error(key, f"it must be a whole number from {low} to {high}")
        return value

    def duration_s(self) -> float | None:
        """Return ``duration``, seconds."""
        duration_s = self.number("duration")
        if duration_s is None:
            return None
        if duration_s <= 0:
            raise LabelError(
                f"{self.path}: duration is {duration_s:g}; it must be greater than 0 s "
                "(or leave it out)"
            )
        if duration_s > MAX_DURATION_S:
            # 24 h in milliseconds: what is larger is absurd in either unit.
            looks_ms = duration_s <= 1000 * MAX_DURATION_S
            unit = "it looks like milliseconds" if looks_ms else "absurd"
            raise LabelError(
                f"{self.path}: duration is {duration_s:g}, more than 24 hours, {unit}; "
                "write seconds (or leave it out)"
            )
        return duration_s

    def text(self, key: str) -> str | None:
        """Return a text."""
        value = self.content.get(key)
        if value is not None and not isinstance(value, str):
            raise self._error(key, "it must be text (or leave it out)")
        return value

    def one_of(self, key: str, choices: tuple[str, ...]) -> str | None:
        """Return one of a few words."""
        value = self.content.get(key)
        if value is not None and value not in choices:
            raise self._error(key, f"it must be one of {', '.join(choices)}")
        return value

    def file_name(self) -> str | None:
        """Return ``fileName``; refused where its spelling alone leads out of the audio folder."""
        name = self.text("fileName")
        if not name:
            return None
        if "\0" in name:
            raise self._error("fileName", "it holds a null character; remove it")
        try:
            encoded = os.fsencode(name)
        except UnicodeEncodeError as error:
            raise self._error(
                "fileName", "half of a surrogate pair is no letter; write the file's own name"
            ) from error
        longest = max(map(len, encoded.replace(b"\\", b"/").split(b"/")))
        if longest > MAX_NAME_BYTES:
            raise self._error(
                "fileName",
                f"{longest} bytes, more than the {MAX_NAME_BYTES} that a file's name can have",
            )
        # Labels travel between systems, so both spellings are looked at on either.
        for flavour in (PurePosixPath(name), PureWindowsPath(name)):
            depth = 0
            for part in flavour.parts:
                depth += -1 if part == ".." else 1
                if depth < 0 or flavour.anchor:
                    raise LabelError(
                        f"{self.path}: fileName {shown(name)} leaves the audio folder; "
                        "write a path relative to it"
                    )
        return name

    def _error(self, key: str, remedy: str, separator: str = "; ") -> LabelError:
        return LabelError(f"{self.path}: {key} is {shown(self.content[key])}{separator}{remedy}")


def shown(value: Any) -> str:
    """Return a value in one line of bounded length, as JSON spells it."""
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 60 else text[:57] + "..."


def _letters(key: str) -> str:
    return "".join(c for c in key.casefold() if c.isalnum())
