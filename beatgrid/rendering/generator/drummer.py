"""What the drummer plays: grooves with personal variations, fills, crashes, rolls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from beatgrid.rendering.generator.arrangement import Section, Song
from beatgrid.rendering.generator.grooves import (
    COMPOUND_FILLS,
    COMPOUND_ROLL,
    FILLS,
    GROOVES,
    ROLL,
    Groove,
)
from beatgrid.rendering.generator.patterns import LEVELS, bars
from beatgrid.rendering.generator.score import Hit, sounding_end, steps, swung

GROUPS = {
    "kick": "kick",
    "snare": "snare",
    "clap": "snare",
    "rim": "snare",
    "hat": "hats",
    "open": "hats",
    "ride": "hats",
    "crash": "hats",
    "shaker": "hats",
}
"""Group of each drum; all others are "perc"."""

#: Hi-hat lines that may replace a groove's own.
HATS = (
    "x...x...x...x...",
    "..x...x...x...x.",
    "x.x.x.x.x.x.x.x.",
    "X.o.X.o.X.o.X.o.",
    "xoxoxoxoxoxoxoxo",
    "x.xxx.xxx.xxx.xx",
    "..xo..xo..xo..xo",
    "xxxxxxxxxxxxxxxx",
    "x.o.x.oox.o.x.oo",
    "x..x..x.x..x..x.",
)


def drum_hits(song: Song, rng: np.random.Generator) -> list[Hit]:
    """Return all strokes of the drummer, in order of sections."""
    hits: list[Hit] = []
    grooves: dict[tuple[str, str], Groove] = {}
    crash_chance = float(rng.choice([0.2, 0.6, 0.9]))
    fill_chance = float(rng.choice([0.2, 0.5, 0.9]))
    for section in song.sections:
        if section.groove is None:
            continue
        key = (section.kind, section.groove)
        if key not in grooves:
            grooves[key] = _varied(GROOVES[section.groove], rng, song.hats or HATS)
        hits += _section_hits(song, section, grooves[key], fill_chance, rng)
        if section.drums and rng.random() < crash_chance:
            beat = section.first_bar * song.beats_per_bar
            hits.append(Hit(beat, "crash", float(rng.uniform(0.6, 1.0))))
    return hits


def _varied(groove: Groove, rng: np.random.Generator, hats: tuple[str, ...]) -> Groove:
    """Vary a groove as a drummer does: another hi-hat, strokes added and left out."""
    out = dict(groove)
    if "hat" in out and len(out["hat"]) == 16 and rng.random() < 0.4:
        out["hat"] = str(rng.choice(hats))
    if "hat" in out and rng.random() < 0.25:
        out[str(rng.choice(["ride", "shaker", "open", "tambourine"]))] = out.pop("hat")
    for drum, pattern in list(out.items()):
        if rng.random() < 0.6:
            continue
        characters = list(pattern)
        for i, character in enumerate(characters):
            if character == "|":
                continue
            if character in "xo" and rng.random() < 0.12:
                characters[i] = "."
            elif character == "." and rng.random() < 0.05:
                characters[i] = "o" if drum == "snare" else "x"
        out[drum] = "".join(characters)
    return out


def _section_hits(
    song: Song, section: Section, groove: Groove, fill_chance: float, rng: np.random.Generator
) -> Iterator[Hit]:
    n_beats = song.beats_per_bar
    end = sounding_end(section, n_beats)
    fill_every = int(rng.choice([4, 8]))
    loose = float(rng.choice([0.03, 0.12]))  # variation of the strokes' strength
    fills = COMPOUND_FILLS if song.compound else FILLS
    playing = {d: bars(p) for d, p in groove.items() if GROUPS.get(d, "perc") in section.drums}
    for bar in range(section.n_bars):
        start = (section.first_bar + bar) * n_beats
        is_last = bar == section.n_bars - 1 or bar % fill_every == fill_every - 1
        fill = fills[rng.integers(len(fills))] if is_last and rng.random() < fill_chance else {}
        cut = n_beats * min((p.find(p.strip(".")[:1]) / len(p) for p in fill.values()), default=1.0)
        for drum, pattern in playing.items():
            late = song.late_snare if GROUPS.get(drum) == "snare" else 0.0
            for beat, strength in _groove_strokes(pattern, bar, n_beats, section.rate, song):
                if fill and beat >= cut - 1e-6 and drum != "kick":
                    continue
                if start + beat < end - 1e-6:
                    gain = strength * float(np.exp(rng.normal(0, loose)))
                    yield Hit(start + beat + late, drum, gain)
        if fill and section.drums & {"snare", "kick"}:
            for drum, line in fill.items():
                for nominal, _, c in steps(line, n_beats):
                    beat = swung(nominal, song, len(line) / n_beats)
                    if start + beat < end - 1e-6:
                        yield Hit(start + beat, drum, LEVELS[c] * float(rng.uniform(0.8, 1.0)))
    if section.kind == "build" and rng.random() < 0.8:
        yield from _roll(
            section,
            n_beats,
            end,
            str(rng.choice(["snare", "clap", "kick", "tom_low"])),
            COMPOUND_ROLL if song.compound else ROLL,
        )


def _groove_strokes(
    pattern: list[str], bar: int, n_beats: int, rate: float, song: Song
) -> Iterator[tuple[float, float]]:
    """Return (beat within the bar, strength) of one drum, the groove running at ``rate``.

    Bar lines of the groove lie every ``n_beats / rate`` beats: at half time one bar of it fills
    two of the song, at double time two of it fill one.
    """
    length = n_beats / rate
    first = int(bar * n_beats // length)
    for count in range(first, first + max(1, round(rate))):
        current = pattern[count % len(pattern)]
        start = count * length - bar * n_beats
        for beat, _, c in steps(current, length):
            if -1e-6 < start + beat < n_beats - 1e-6:
                yield swung(start + beat, song, len(current) / length), LEVELS[c]


def _roll(
    section: Section, n_beats: int, end: float, drum: str, roll: tuple[str, ...]
) -> Iterator[Hit]:
    for bar in range(section.n_bars):
        progress = bar / section.n_bars
        pattern = roll[int(4 * progress)]
        for beat, _, c in steps(pattern, n_beats):
            start = (section.first_bar + bar) * n_beats + beat
            if start < end - 1e-6:
                yield Hit(start, drum, LEVELS[c] * (0.4 + 0.6 * progress))
