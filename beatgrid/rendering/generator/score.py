"""Notes and strokes, and how pattern strings become positions in time.

Beat 0 is the first downbeat of the piece; swing is already in the numbers, tempo is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from beatgrid.rendering.generator.arrangement import Section, Song


@dataclass(frozen=True)
class Note:
    """One note or chord: start and length in beats, MIDI pitches, linear gain."""

    beat: float
    beats: float
    pitches: tuple[float, ...]
    gain: float


@dataclass(frozen=True)
class Hit:
    """One stroke on a drum."""

    beat: float
    drum: str
    gain: float


def swung(beat: float, song: Song, steps_per_beat: float) -> float:
    """Place of a nominal beat position after swing; triplets are left alone."""
    if abs(song.swing - 0.5) < 1e-3 or abs(steps_per_beat % 3) < 1e-6:
        return beat
    pair = np.floor(beat / song.swing_beats)
    place = beat / song.swing_beats - pair
    warped = (
        2 * song.swing * place if place < 0.5 else song.swing + 2 * (1 - song.swing) * (place - 0.5)
    )
    return float((pair + warped) * song.swing_beats)


def steps(bar: str, beats_per_bar: float) -> Iterator[tuple[float, float, str]]:
    """Return (start, length, character) in beats of every sounding step of one bar."""
    step = beats_per_bar / len(bar)
    for i, character in enumerate(bar):
        if character not in ".-":
            held = len(bar[i + 1 :]) - len(bar[i + 1 :].lstrip("-"))
            yield i * step, (1 + held) * step, character


def sounding_end(section: Section, beats_per_bar: int) -> float:
    """Return the beat at which the section falls silent."""
    return (section.first_bar + section.n_bars) * beats_per_bar - section.gap_beats
