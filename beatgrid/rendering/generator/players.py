"""What the pitched players play: bass lines, chords in rhythm, pads, broken chords, melodies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from beatgrid.rendering.generator.arrangement import Section, Song
from beatgrid.rendering.generator.dsp import draw
from beatgrid.rendering.generator.patterns import BASSES, COMPS, LEVELS, bars
from beatgrid.rendering.generator.score import Note, sounding_end, steps, swung
from beatgrid.rendering.generator.template import Part

Player = Callable[[Section], Iterator[Note]]


def part_notes(song: Song, part: Part, index: int, rng: np.random.Generator) -> list[Note]:
    """Return everything that one player plays.

    Args:
        song: The plan.
        part: The player's template.
        index: Its index in the genre, by which sections name it.
        rng: Source of randomness.
    """
    players = {"bass": _bass, "comp": _comp, "pad": _pad, "arp": _arp, "lead": _lead}
    play = (_rap if part.rapped else players[part.role])(song, part, rng)
    notes: list[Note] = []
    for section in song.sections:
        if index in section.parts:
            end = sounding_end(section, song.beats_per_bar)
            notes += (n for n in play(section) if n.beat < end - 1e-6)
    return notes


def _figures(part: Part, pool: dict[str, str], rng: np.random.Generator) -> dict[str, str]:
    """Draw the figure a player uses in each kind of section: two per song."""
    names = [str(n) for n in rng.choice(part.figures, size=2)]
    first, second = pool[names[0]], pool[names[1]]
    return {"chorus": second, "drop": second, "full": second, "": first}


def _is_ternary(song: Song) -> bool:
    """Tell whether beats divide into three, so that sixteenths have no place."""
    return song.swing_beats == 1.0 and song.swing > 0.55


def _bass(song: Song, part: Part, rng: np.random.Generator) -> Player:
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
            for beat, beats, c in steps(current, song.beats_per_bar):
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


def _comp(song: Song, part: Part, rng: np.random.Generator) -> Player:
    figures = _figures(part, COMPS, rng)
    inversion, octave = int(rng.integers(0, 3)), int(rng.choice([-12, 0, 0, 0, 12]))
    short = float(rng.choice([0.4, 0.8, 1.0]))
    anticipates = rng.random() < 0.25

    def play(section: Section) -> Iterator[Note]:
        figure = bars(figures.get(section.kind, figures[""]))
        for bar in range(section.n_bars):
            current = figure[bar % len(figure)]
            density = len(current) / song.beats_per_bar
            for beat, beats, c in steps(current, song.beats_per_bar):
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


def _pad(song: Song, part: Part, rng: np.random.Generator) -> Player:
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


def _arp(song: Song, part: Part, rng: np.random.Generator) -> Player:
    steps_per_beat = int(np.clip(2 ** np.round(np.log2(draw(rng, part.density))), 1, 4))
    if rng.random() < (0.9 if _is_ternary(song) else 0.05):
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


def _lead(song: Song, part: Part, rng: np.random.Generator) -> Player:
    """Make a melody of two motifs, A A' A B, remembered per kind of section."""
    density = draw(rng, part.density)
    grid = 4 if density > 1.3 or rng.random() < 0.5 else 2
    if rng.random() < 0.04:
        grid = 3
    if _is_ternary(song):
        grid = 3 if density > 1.6 or rng.random() < 0.4 else 2
    syncopation = float(rng.choice([0.0, 0.3, 0.7]))
    # A phrase may start before the bar line (pickup) or after it, as singers do.
    shift = float(rng.choice([0, 0, 0, -0.5, -1, 0.5, 1]))
    if song.compound:
        grid = 6 if density > 2.2 else 3
        shift = round(3 * shift) / 3
    octave, legato = int(rng.choice([0, 12, 12])), float(rng.choice([0.5, 0.9, 1.0]))
    harmony = rng.random() < 0.15
    motifs: dict[str, tuple[list[tuple[float, float, int]], ...]] = {}

    def motif() -> list[tuple[float, float, int]]:
        """Return (beat, length, scale step) of two bars."""
        n = 2 * song.beats_per_bar * grid
        place = np.arange(n) % grid
        weight = np.where(place == 0, 1.0, np.where(place * 2 == grid, 0.7, 0.35))
        weight = (1 - syncopation) * weight + syncopation * rng.random(n)
        chosen = weight * rng.random(n) ** 0.5
        kept = np.sort(np.argsort(-chosen)[: max(2, round(density * n / grid))])
        step, out = int(rng.integers(0, 7)), []
        for i, k in enumerate(kept):
            length = (kept[i + 1] if i + 1 < len(kept) else n) - k
            # A random walk drawn back to the middle of its range.
            leap = int(rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3])) - round(0.25 * (step - 3))
            step = int(np.clip(step + leap, -3, 9))
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
                    tones = root + np.array([0, 2, 4, 7, 9])
                    step = int(tones[np.argmin(np.abs(tones - step))])
                if turn == 1 and beat >= song.beats_per_bar:
                    step += 1
                bar_line = (section.first_bar + bar) * song.beats_per_bar
                start = bar_line + swung(beat, song, grid) + shift
                pitches = tuple(
                    song.degree(s) + octave for s in ((step, step + 2) if harmony else (step,))
                )
                yield Note(start, beats * legato, pitches, float(rng.uniform(0.7, 1.0)))

    return play


def _rap(song: Song, part: Part, rng: np.random.Generator) -> Player:
    """Put syllables on most steps, in lines of one or two bars: breath, then a longer rhyme.

    Lines are not repeated as a melody is, but half of them take over the last one's rhythm.
    """
    density = draw(rng, part.density)
    grid = 4.0 if density > 1.9 else 2.0
    if song.compound or _is_ternary(song):
        grid = 6.0 if density > 3.0 else 3.0
    elif rng.random() < 0.2:  # triplets of the level above, as in the flow of trap
        grid *= 0.75
    spoken = min(density / grid, 0.95)
    line_bars = int(rng.choice([1, 1, 2]))
    breath_beats = float(rng.choice([1, 2, 3, 4, 6])) / grid
    pickup_beats = float(rng.choice([0, 0, 1, 2])) / grid
    tone = int(rng.integers(43, 56))
    n_steps = round(line_bars * song.beats_per_bar * grid)

    def line() -> list[int]:
        stressed = np.arange(n_steps) % grid < 1e-6
        kept = rng.random(n_steps) < np.where(stressed, min(1.0, spoken + 0.15), spoken)
        kept[n_steps - round(breath_beats * grid) :] = False
        return [int(k) for k in np.flatnonzero(kept)]

    def play(section: Section) -> Iterator[Note]:
        syllables: list[int] = []
        for bar in range(0, section.n_bars, line_bars):
            if not syllables or rng.random() < 0.5:
                syllables = line()
            for i, k in enumerate(syllables):
                following = syllables[i + 1] if i + 1 < len(syllables) else k + 3
                beat = swung(k / grid, song, grid) - pickup_beats
                stressed = abs(k / grid - round(k / grid)) < 1e-6
                pitch = tone + int(rng.choice([-2, -1, 0, 0, 1])) + (2 if stressed else 0)
                start = (section.first_bar + bar) * song.beats_per_bar + beat
                gain = float(rng.uniform(0.85, 1.0) if stressed else rng.uniform(0.5, 0.9))
                yield Note(start, 0.8 * min(following - k, 3) / grid, (pitch,), gain)

    return play
