"""Songs for MMA: sections, chords, grooves with fills, and a melody to go on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beatgrid.rendering.sources.grooves import Custom, Style
from beatgrid.rendering.sources.midi import Event, message, note

_NOTE_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}

# Semitones above the key and quality, one chord per item; "" is a major triad.
_PROGRESSIONS: dict[str, tuple[tuple[tuple[int, str], ...], ...]] = {
    "major": (
        ((0, ""), (7, ""), (9, "m"), (5, "")),
        ((0, ""), (9, "m"), (5, ""), (7, "7")),
        ((0, ""), (5, ""), (7, "7"), (0, "")),
        ((0, ""), (5, ""), (0, ""), (7, "7")),
        ((9, "m"), (5, ""), (0, ""), (7, "")),
        ((0, ""), (4, "m"), (5, ""), (7, "7")),
        ((0, ""), (2, "m"), (7, "7"), (0, "")),
        ((0, ""), (10, ""), (5, ""), (0, "")),
        ((0, ""), (7, ""), (2, "m"), (5, "")),
        ((5, ""), (5, "m"), (0, ""), (9, "m"), (2, "m"), (7, "7"), (0, ""), (0, "")),
        ((0, ""), (0, "7"), (5, ""), (5, "m"), (0, ""), (7, "7"), (0, ""), (7, "7")),
    ),
    "minor": (
        ((0, "m"), (8, ""), (3, ""), (10, "")),
        ((0, "m"), (5, "m"), (7, "7"), (0, "m")),
        ((0, "m"), (10, ""), (8, ""), (7, "7")),
        ((0, "m"), (5, "m"), (10, ""), (3, "")),
        ((0, "m"), (0, "m"), (5, "m"), (7, "7")),
        ((0, "m"), (3, ""), (10, ""), (5, "")),
        ((0, "m"), (8, ""), (5, "m"), (7, "7")),
    ),
}
_JAZZ = {
    "major": (
        ((2, "m7"), (7, "7"), (0, "M7"), (9, "7")),
        ((0, "M7"), (9, "m7"), (2, "m7"), (7, "7")),
        ((4, "m7"), (9, "7"), (2, "m7"), (7, "7")),
        ((0, "7"), (5, "7"), (0, "7"), (0, "7"), (5, "7"), (5, "7"), (0, "7"), (7, "7")),
        ((0, "6"), (1, "dim7"), (2, "m7"), (7, "9")),
    ),
    "minor": (
        ((2, "m7b5"), (7, "7"), (0, "m7"), (0, "m7")),
        ((0, "m7"), (5, "m7"), (10, "7"), (3, "M7"), (8, "M7"), (2, "m7b5"), (7, "7"), (0, "m6")),
    ),
}


@dataclass(frozen=True)
class Song:
    """A song for one or two styles.

    Attributes:
        key: Semitones above C.
        mode: "major" or "minor".
        bars: For each bar the chord (or two), as (semitones above C, quality).
        sections: First bar and number of bars of each section.
        fills: Bars that a drummer would fill.
    """

    key: int
    mode: str
    bars: tuple[tuple[tuple[int, str], ...], ...]
    sections: tuple[tuple[int, int], ...]
    fills: frozenset[int]


def compose(n_bars: int, custom: Custom, rng: np.random.Generator) -> Song:
    """Compose sections of 4, 8 or 12 bars, each with its progression; verses come back.

    Args:
        n_bars: At least as many; the last section is complete.
        custom: Jazz and slow jazz get sevenths and twos-and-fives.
        rng: Source of randomness.
    """
    key = int(rng.integers(12))
    mode = "major" if rng.random() < 0.6 else "minor"
    jazzy = custom.family in ("jazz", "slow jazz", "bossa nova", "funk") or rng.random() < 0.1
    book = (_JAZZ if jazzy else _PROGRESSIONS)[mode]
    themes = [book[int(rng.integers(len(book)))] for _ in range(3)]
    # Chords change every bar, every other bar, or twice a bar: harmonic rhythm marks the bars.
    bars_per_chord = float(rng.choice([1, 2, 0.5, 4], p=[0.58, 0.22, 0.14, 0.06]))
    bars: list[tuple[tuple[int, str], ...]] = []
    sections: list[tuple[int, int]] = []
    fills: set[int] = set()
    fills_often = rng.random() < 0.6
    while len(bars) < n_bars:
        length = int(rng.choice([4, 8, 8, 8, 16]))
        theme = themes[int(rng.integers(3))]
        sections.append((len(bars), length))
        for bar in range(length):
            first = int(bar / bars_per_chord)
            chords = [theme[first % len(theme)]]
            if bars_per_chord < 1:
                chords.append(theme[(first + 1) % len(theme)])
            bars.append(tuple(((key + root) % 12, quality) for root, quality in chords))
        if fills_often or rng.random() < 0.3:
            fills.add(len(bars) - 1)
    return Song(key, mode, tuple(bars), tuple(sections), frozenset(fills))


def mma_source(song: Song, style: Style, seed: int, rng: np.random.Generator) -> str:
    """Return the song as MMA's input, played in one style.

    The tempo in it means nothing: events are taken from MMA's file in quarter notes. MMA's random
    numbers are seeded, so that a piece is the same wherever it is rendered.
    """
    custom = style.custom
    grooves = [
        style.grooves[int(rng.integers(len(style.grooves)))]
        for _ in range(min(3, len(song.sections)))
    ]
    lines = ["Tempo 120", f"RndSeed {seed}", f"Time {custom.quarters_per_bar}"]
    starts = {first: i for i, (first, _) in enumerate(song.sections)}
    current = ""
    for i, chords in enumerate(song.bars):
        groove = current
        if i in starts:
            # The first section sets the tone; later ones may change the band.
            groove = grooves[0] if starts[i] == 0 else grooves[int(rng.integers(len(grooves)))]
            section_groove = groove
        if i in song.fills and style.fills and rng.random() < 0.7:
            groove = style.fills[int(rng.integers(len(style.fills)))]
        elif current in style.fills:
            groove = section_groove
        if groove != current:
            lines.append(f"Groove {style.address(groove)}")
            current = groove
        names = [f"{_NOTE_NAMES[root]}{quality}" for root, quality in chords]
        if len(names) == 2 and custom.quarters_per_bar > 3:
            half = ["/"] * (custom.quarters_per_bar // 2 - 1)
            lines.append(" ".join([str(i + 1), names[0], *half, names[1], *half]))
        else:
            lines.append(f"{i + 1} {names[0]}")
    return "\n".join(lines) + "\n"


#: General MIDI programmes for the melody, from 0; the second row slides like a singer.
MELODY_PROGRAMMES = (73, 65, 40, 56, 22, 71, 68, 26, 0, 11, 80, 81, 75, 105, 24, 4, 12, 46)
SINGING_PROGRAMMES = (52, 53, 54, 85, 65, 40, 68, 42, 57)


def melody(
    song: Song, custom: Custom, channel: int, singing: bool, bpm: float, rng: np.random.Generator
) -> list[Event]:
    """Make a line of chord and scale tones in phrases of two or four bars with rests between.

    Args:
        song: Gives the chords.
        custom: Gives beats, bars and swing.
        channel: MIDI channel.
        singing: Like a voice: slides into notes, later and less exact than a player.
        bpm: Beats per minute, which turn lateness in seconds into quarters.
        rng: Source of randomness.
    """
    programmes = SINGING_PROGRAMMES if singing else MELODY_PROGRAMMES
    programme = int(programmes[int(rng.integers(len(programmes)))])
    events = [message(0.0, channel, 0xC0, programme)]
    scale = [(song.key + step) % 12 for step in _SCALES[song.mode]]
    quarters_per_second = bpm * custom.quarters_per_beat / 60.0
    late_s, loose_s = (rng.uniform(0.0, 0.025), 0.018) if singing else (0.0, rng.uniform(0, 0.008))
    rhythms = [_rhythm(custom, bpm, rng) for _ in range(3)]
    low = int(rng.integers(55, 66))
    pitch = low + int(rng.integers(0, 12))
    phrase_bars = int(rng.choice([2, 4]))
    rests = rng.uniform(0.1, 0.5)
    resting = False
    for i, chords in enumerate(song.bars):
        if i % phrase_bars == 0:
            resting = bool(rng.random() < rests)
        if resting:
            continue
        rhythm = rhythms[int(rng.integers(len(rhythms)))]
        if i % phrase_bars == phrase_bars - 1:
            rhythm = rhythm[: max(1, len(rhythm) // 2)]  # a phrase breathes at its end
        tones = _chord_tones(*chords[0])
        for j, (beat, length) in enumerate(rhythm):
            allowed = tones if j == 0 or rng.random() < 0.35 else scale
            pitch = _step(pitch, allowed, low, rng)
            shift = (late_s + rng.normal(0, loose_s)) * quarters_per_second
            start = max(0.0, (i * custom.beats_per_bar + beat) * custom.quarters_per_beat + shift)
            held = length * custom.quarters_per_beat * rng.uniform(0.6, 0.98)
            events += note(start, held, channel, pitch, int(rng.integers(70, 115)))
            if singing and rng.random() < 0.4:
                events += _scoop(start, 0.08 * quarters_per_second, channel)
    return sorted(events)


def _rhythm(custom: Custom, bpm: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Draw onsets and lengths of one bar, in beats."""
    if custom.quarters_per_beat == 3 or custom.family == "12/8":
        steps, weights = [0.0, 1 / 3, 2 / 3], [0.85, 0.35, 0.5]
    else:
        off = 2 / 3 if custom.swing else 0.5
        steps, weights = [0.0, off], [0.75, 0.45]
        if bpm < 100 and not custom.swing:  # slow songs are sung in sixteenths
            steps, weights = [0.0, 0.25, 0.5, 0.75], [0.7, 0.15, 0.45, 0.25]
    density = rng.uniform(0.5, 1.25)
    onsets = [
        beat + step
        for beat in range(custom.beats_per_bar)
        for step, weight in zip(steps, weights, strict=True)
        if rng.random() < weight * density
    ] or [0.0]
    ends = [*onsets[1:], float(custom.beats_per_bar)]
    return [(onset, end - onset) for onset, end in zip(onsets, ends, strict=True)]


def _chord_tones(root: int, quality: str) -> list[int]:
    third = 3 if quality.startswith(("m", "dim")) else 4
    fifth = 6 if "dim" in quality or "b5" in quality else 7
    return [(root + step) % 12 for step in (0, third, fifth)]


def _step(pitch: int, allowed: Sequence[int], low: int, rng: np.random.Generator) -> int:
    """Draw the next pitch: mostly near, drawn back to the middle of one and a half octaves."""
    candidates = [p for p in range(low, low + 19) if p % 12 in allowed]
    distance = np.abs(np.array(candidates) - pitch)
    weights = np.exp(-0.35 * distance) * np.where(distance == 0, 0.4, 1.0)
    return int(rng.choice(candidates, p=weights / weights.sum()))


def _scoop(start: float, length: float, channel: int) -> list[Event]:
    """Bend the pitch from a semitone and more below, up to the note."""
    bends = np.linspace(8192 - 5000, 8192, 6).astype(int)
    return [
        message(start + length * i / 5, channel, 0xE0, int(bend) & 0x7F, int(bend) >> 7)
        for i, bend in enumerate(bends)
    ]
