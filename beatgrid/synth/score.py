"""From a plan to notes: what each player and the drummer play, in beats.

Beat 0 is the first downbeat of the piece; swing is already in the numbers, tempo is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from beatgrid.synth.arrangement import Section, Song
from beatgrid.synth.dsp import draw
from beatgrid.synth.genres import Part
from beatgrid.synth.patterns import BASSES, COMPS, FILLS, GROOVES, LEVELS, ROLL, Groove, bars


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


GROUPS = {
    "kick": "kick", "snare": "snare", "clap": "snare", "rim": "snare", "hat": "hats",
    "open": "hats", "ride": "hats", "crash": "hats", "shaker": "hats",
}  # fmt: skip
"""Group of each drum; all others are "perc"."""

#: Hi-hat lines that may replace a groove's own.
HATS = (
    "x...x...x...x...", "..x...x...x...x.", "x.x.x.x.x.x.x.x.", "X.o.X.o.X.o.X.o.", "xoxoxoxoxoxoxoxo",
    "x.xxx.xxx.xxx.xx", "..xo..xo..xo..xo", "xxxxxxxxxxxxxxxx", "x.o.x.oox.o.x.oo", "x..x..x.x..x..x.",
)  # fmt: skip


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


def _steps(bar: str, beats_per_bar: float) -> Iterator[tuple[float, float, str]]:
    """(start, length, character) in beats of every sounding step of one bar."""
    step = beats_per_bar / len(bar)
    for i, character in enumerate(bar):
        if character not in ".-":
            held = len(bar[i + 1 :]) - len(bar[i + 1 :].lstrip("-"))
            yield i * step, (1 + held) * step, character


def _sounding_end(section: Section, beats_per_bar: int) -> float:
    """Beat at which the section falls silent."""
    return (section.first_bar + section.n_bars) * beats_per_bar - section.gap_beats


def drum_hits(song: Song, rng: np.random.Generator) -> list[Hit]:
    """All strokes of the drummer, in order of sections."""
    hits: list[Hit] = []
    grooves: dict[tuple[str, str], Groove] = {}
    crash_chance = float(rng.choice([0.2, 0.6, 0.9]))
    fill_chance = float(rng.choice([0.2, 0.5, 0.9]))
    for section in song.sections:
        if section.groove is None:
            continue
        key = (section.kind, section.groove)
        if key not in grooves:
            grooves[key] = _varied(GROOVES[section.groove], rng)
        hits += _section_hits(song, section, grooves[key], fill_chance, rng)
        if section.drums and rng.random() < crash_chance:
            beat = section.first_bar * song.beats_per_bar
            hits.append(Hit(beat, "crash", float(rng.uniform(0.6, 1.0))))
    return hits


def _varied(groove: Groove, rng: np.random.Generator) -> Groove:
    """A drummer's own version: another hi-hat, strokes added and left out."""
    out = dict(groove)
    if "hat" in out and len(out["hat"]) == 16 and rng.random() < 0.4:
        out["hat"] = str(rng.choice(HATS))
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
    end = _sounding_end(section, n_beats)
    fill_every = int(rng.choice([4, 8]))
    loose = float(rng.choice([0.03, 0.12]))  # variation of the strokes' strength
    playing = {d: bars(p) for d, p in groove.items() if GROUPS.get(d, "perc") in section.drums}
    for bar in range(section.n_bars):
        start = (section.first_bar + bar) * n_beats
        is_last = bar == section.n_bars - 1 or bar % fill_every == fill_every - 1
        fill = FILLS[rng.integers(len(FILLS))] if is_last and rng.random() < fill_chance else {}
        cut = n_beats * min((p.find(p.strip(".")[:1]) / len(p) for p in fill.values()), default=1.0)
        for drum, pattern in playing.items():
            for beat, strength in _groove_strokes(pattern, bar, n_beats, section.rate, song):
                if fill and beat >= cut - 1e-6 and drum != "kick":
                    continue
                if start + beat < end - 1e-6:
                    gain = strength * float(np.exp(rng.normal(0, loose)))
                    yield Hit(start + beat, drum, gain)
        if fill and section.drums & {"snare", "kick"}:
            for drum, pattern in fill.items():
                for beat, _, c in _steps(pattern, n_beats):
                    beat = swung(beat, song, len(pattern) / n_beats)
                    if start + beat < end - 1e-6:
                        yield Hit(start + beat, drum, LEVELS[c] * float(rng.uniform(0.8, 1.0)))
    if section.kind == "build" and rng.random() < 0.8:
        yield from _roll(
            section, n_beats, end, str(rng.choice(["snare", "clap", "kick", "tom_low"]))
        )


def _groove_strokes(
    pattern: list[str], bar: int, n_beats: int, rate: float, song: Song
) -> Iterator[tuple[float, float]]:
    """(beat within the bar, strength) of one drum, the groove running at ``rate``."""
    if rate == 1.0:
        current = pattern[bar % len(pattern)]
        for beat, _, c in _steps(current, n_beats):
            yield swung(beat, song, len(current) / n_beats), LEVELS[c]
        return
    # Half time: each bar of the pattern fills two bars.
    current = pattern[int(bar * rate) % len(pattern)]
    shift = (bar * rate) % 1 * n_beats
    for beat, _, c in _steps(current, n_beats):
        if shift <= beat < shift + n_beats * rate:
            yield (beat - shift) / rate, LEVELS[c]


def _roll(section: Section, n_beats: int, end: float, drum: str) -> Iterator[Hit]:
    for bar in range(section.n_bars):
        progress = bar / section.n_bars
        pattern = ROLL[int(4 * progress)]
        for beat, _, c in _steps(pattern, n_beats):
            start = (section.first_bar + bar) * n_beats + beat
            if start < end - 1e-6:
                yield Hit(start, drum, LEVELS[c] * (0.4 + 0.6 * progress))


def part_notes(song: Song, part: Part, index: int, rng: np.random.Generator) -> list[Note]:
    """Everything one player plays.

    Args:
        song: The plan.
        part: The player's template.
        index: Its index in the genre, by which sections name it.
        rng: Source of randomness.
    """
    play = {"bass": _bass, "comp": _comp, "pad": _pad, "arp": _arp, "lead": _lead}[part.role](
        song, part, rng
    )
    notes: list[Note] = []
    for section in song.sections:
        if index in section.parts:
            end = _sounding_end(section, song.beats_per_bar)
            notes += (n for n in play(section) if n.beat < end - 1e-6)
    return notes


def _figures(part: Part, pool: dict[str, str], rng: np.random.Generator) -> dict[str, str]:
    """The figure a player uses in each kind of section: two per song."""
    names = [str(n) for n in rng.choice(part.figures, size=2)]
    first, second = pool[names[0]], pool[names[1]]
    return {"chorus": second, "drop": second, "full": second, "": first}


def _bass(song: Song, part: Part, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    figures = _figures(part, BASSES, rng)
    lowest = int(rng.choice([28, 31, 33, 36]))
    short = float(rng.choice([0.5, 0.9, 1.0]))

    def low(midi: int) -> int:
        return lowest + (midi - lowest) % 12

    def play(section: Section) -> Iterator[Note]:
        figure = bars(figures.get(section.kind, figures[""]))
        for bar in range(section.n_bars):
            current = figure[bar % len(figure)]
            density = len(current) / song.beats_per_bar
            for beat, beats, c in _steps(current, song.beats_per_bar):
                root = song.root_at(section, bar + beat / song.beats_per_bar)
                following = song.root_at(section, bar + 1)
                midi = {
                    "1": low(song.degree(root)),
                    "8": low(song.degree(root)) + 12,
                    "3": low(song.degree(root + 2)),
                    "5": low(song.degree(root + 4)),
                    "7": low(song.degree(root + 6)),
                    "a": low(song.degree(following)) + int(rng.choice([-1, 1])),
                    "w": low(song.degree(root + int(rng.integers(0, 7)))),
                }[c]
                start = (section.first_bar + bar) * song.beats_per_bar + swung(beat, song, density)
                yield Note(start, beats * short, (midi,), float(rng.uniform(0.8, 1.0)))

    return play


def _comp(song: Song, part: Part, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    figures = _figures(part, COMPS, rng)
    inversion, octave = int(rng.integers(0, 3)), int(rng.choice([-12, 0, 0, 0, 12]))
    short = float(rng.choice([0.4, 0.8, 1.0]))
    anticipates = rng.random() < 0.25

    def play(section: Section) -> Iterator[Note]:
        figure = bars(figures.get(section.kind, figures[""]))
        for bar in range(section.n_bars):
            current = figure[bar % len(figure)]
            density = len(current) / song.beats_per_bar
            for beat, beats, c in _steps(current, song.beats_per_bar):
                place = bar + beat / song.beats_per_bar
                if anticipates and beat >= song.beats_per_bar - 0.5:
                    place = bar + 1.0
                root = song.root_at(section, place)
                if part.power:
                    low = 38 + (song.degree(root) - 38) % 12
                    pitches: tuple[int, ...] = (low, low + 7, low + 12) if c != "o" else (low,)
                else:
                    chord = song.chord(root)
                    pitches = chord[inversion:] + tuple(p + 12 for p in chord[:inversion])
                    pitches = tuple(p + octave for p in pitches)
                start = (section.first_bar + bar) * song.beats_per_bar + swung(beat, song, density)
                yield Note(start, beats * short, pitches, LEVELS[c] * float(rng.uniform(0.9, 1.0)))

    return play


def _pad(song: Song, part: Part, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    octave = int(rng.choice([-12, 0, 0, 12]))

    def play(section: Section) -> Iterator[Note]:
        half = song.beats_per_bar / 2
        n_half, start = 2 * section.n_bars, 0
        for i in range(1, n_half + 1):
            previous, current = (song.root_at(section, j / 2) for j in (start, i))
            if i == n_half or current != previous or i - start >= 4:
                pitches = tuple(p + octave for p in song.chord(previous))
                beat = section.first_bar * song.beats_per_bar + start * half
                yield Note(beat, (i - start) * half, pitches, 1.0)
                start = i

    return play


def _arp(song: Song, part: Part, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    steps_per_beat = int(np.clip(2 ** np.round(np.log2(draw(rng, part.density))), 1, 4))
    if rng.random() < 0.08:
        steps_per_beat = 3
    order = [int(i) for i in rng.integers(0, 6, size=int(rng.choice([3, 4, 4, 6, 8, 8, 16])))]
    if rng.random() < 0.5:  # up, or up and down
        order = [0, 1, 2, 3] if rng.random() < 0.5 else [0, 1, 2, 3, 4, 3, 2, 1]
    rests = rng.random(8) < float(rng.choice([0.0, 0.0, 0.25]))
    octave, short = int(rng.choice([0, 12, 12, 24])), float(rng.choice([0.5, 0.9, 1.5]))
    in_bars = rng.random() < 0.6  # restart with the bar, or run across it

    def play(section: Section) -> Iterator[Note]:
        per_bar = song.beats_per_bar * steps_per_beat
        for i in range(section.n_bars * per_bar):
            count = i % per_bar if in_bars else i
            if rests[count % len(rests)]:
                continue
            beat = i / steps_per_beat
            chord = song.chord(song.root_at(section, beat / song.beats_per_bar))
            turn, index = divmod(order[count % len(order)], len(chord))
            pitch = chord[index] + 12 * turn + octave
            start = section.first_bar * song.beats_per_bar + swung(beat, song, steps_per_beat)
            gain = 1.0 if count % steps_per_beat == 0 else 0.8
            yield Note(start, short / steps_per_beat, (pitch,), gain)

    return play


def _lead(song: Song, part: Part, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    """A melody of two motifs, A A' A B, remembered per kind of section."""
    density = draw(rng, part.density)
    grid = 4 if density > 1.3 or rng.random() < 0.5 else 2
    if rng.random() < 0.06:
        grid = 3
    syncopation = float(rng.choice([0.0, 0.3, 0.7]))
    # A phrase may start before the bar line (pickup) or after it, as singers do.
    shift = float(rng.choice([0, 0, 0, -0.5, -1, 0.5, 1]))
    octave, legato = int(rng.choice([0, 12, 12])), float(rng.choice([0.5, 0.9, 1.0]))
    harmony = rng.random() < 0.15
    motifs: dict[str, tuple[list[tuple[float, float, int]], ...]] = {}

    def motif() -> list[tuple[float, float, int]]:
        """(beat, length, scale step) of two bars."""
        n = 2 * song.beats_per_bar * grid
        place = np.arange(n) % grid
        weight = np.where(place == 0, 1.0, np.where(place * 2 == grid, 0.7, 0.35))
        weight = (1 - syncopation) * weight + syncopation * rng.random(n)
        chosen = weight * rng.random(n) ** 0.5
        kept = np.sort(np.argsort(-chosen)[: max(2, round(density * n / grid))])
        step, out = int(rng.integers(0, 7)), []
        for i, k in enumerate(kept):
            length = (kept[i + 1] if i + 1 < len(kept) else n) - k
            step = int(np.clip(step + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 4]), -3, 11))
            out.append((k / grid, min(length, 2 * grid) / grid, step))
        return out

    def play(section: Section) -> Iterator[Note]:
        if section.kind not in motifs:
            motifs[section.kind] = (motif(), motif())
        a, b = motifs[section.kind]
        for bar in range(0, section.n_bars, 2):
            turn = bar // 2 % 4
            for beat, beats, step in b if turn == 3 else a:
                place = bar + beat / song.beats_per_bar
                if place >= section.n_bars:
                    break
                root = song.root_at(section, place)
                if beats >= 1 or beat % 1 == 0:  # strong notes belong to the chord
                    step = root + min((0, 2, 4, 7, 9), key=lambda t, s=step, r=root: abs(r + t - s))
                if turn == 1 and beat >= song.beats_per_bar:
                    step += 1
                start = section.first_bar * song.beats_per_bar + bar * song.beats_per_bar
                start += swung(beat, song, grid) + shift
                pitches = tuple(
                    song.degree(s) + octave for s in ((step, step + 2) if harmony else (step,))
                )
                yield Note(start, beats * legato, pitches, float(rng.uniform(0.7, 1.0)))

    return play
