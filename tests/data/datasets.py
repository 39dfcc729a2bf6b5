"""Small data sets in the forms that mirdata reads: an index, annotations, synthesised audio."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.rendering.generator import click_track

RATE = 44100
DURATION_S = 12.0


def taps(bpm: float, offset_s: float = 0.25, duration_s: float = DURATION_S) -> np.ndarray:
    """Return the beats of a grid, as 10 ms taps would have them."""
    return np.round(np.arange(offset_s, duration_s, 60 / bpm), 2)


@dataclass
class Tree:
    """A data set's folder.

    Attributes:
        home: Its ``data_home``.
        tracks: Of its index: for each track a file for each key.
    """

    home: Path
    tracks: dict[str, dict[str, list[str | None]]] = field(default_factory=dict)

    @property
    def index(self) -> Path:
        """The index file, written now."""
        path = self.home.parent / f"{self.home.name}_index.json"
        path.write_text(json.dumps({"version": "1.0", "tracks": self.tracks}))
        return path

    def add(self, name: str, files: Mapping[str, tuple[str, str | None] | None]) -> None:
        """Add a track: for each key path and content of a file, None where it is not there."""
        entry: dict[str, list[str | None]] = {}
        for key, file in files.items():
            entry[key] = [None, None] if file is None else [file[0], ""]
            if file is not None and file[1] is not None:
                path = self.home / file[0]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(file[1])
        self.tracks[name] = entry

    def audio(self, name: str, place: str, bpm: float, offset_s: float = 0.25) -> None:
        """Write clicks, and enter them as a track's audio."""
        path = self.home / place
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, click_track(bpm, offset_s, DURATION_S, accent=1.5), RATE)
        self.tracks[name]["audio"] = [place, ""]


def ballroom(
    tree: Tree, name: str, beats_s: Sequence[float] | np.ndarray, bar: int = 4, first: int = 1
) -> None:
    """Add a track as the Ballroom set has it: time and place in the bar."""
    lines = "".join(f"{time:.9f} {(first - 1 + i) % bar + 1}\n" for i, time in enumerate(beats_s))
    tree.add(
        name,
        {
            "audio": (f"B_1.0/audio/{name}.wav", None),
            "beats": (f"B_1.0/annotations/beats/{name}.beats", lines),
            "tempo": (f"B_1.0/annotations/tempo/{name}.bpm", "120"),
        },
    )
