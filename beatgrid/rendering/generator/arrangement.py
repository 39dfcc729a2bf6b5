"""Song form and harmony: which section plays when, what it contains, which chord sounds.

Sections begin on bar lines and chords change on bar lines (or half bars), so that downbeats are
marked in the music and not only in the label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beatgrid.rendering.generator.dsp import draw
from beatgrid.rendering.generator.patterns import PROGRESSIONS, SCALES
from beatgrid.rendering.generator.template import Genre

#: Order of the sections; the form repeats until the track is full.
FORMS: dict[str, tuple[str, ...]] = {
    "club": (
        "intro",
        "verse",
        "breakdown",
        "build",
        "drop",
        "drop",
        "verse",
        "breakdown",
        "build",
        "drop",
    ),
    "song": ("intro", "verse", "chorus", "verse", "build", "chorus", "breakdown", "chorus"),
    "loop": ("verse", "chorus", "verse", "breakdown", "chorus"),
    "solo": ("full", "calm", "full", "full", "calm"),
    "cinema": ("calm", "verse", "build", "drop", "breakdown", "build", "chorus"),
}


@dataclass(frozen=True)
class Kind:
    """What a kind of section is likely to contain: chance per group, and its level."""

    kick: float
    snare: float
    hats: float
    perc: float
    bass: float
    comp: float
    pad: float
    arp: float
    lead: float
    level_db: float = 0.0


KINDS: dict[str, Kind] = {
    "intro": Kind(0.5, 0.35, 0.7, 0.6, 0.4, 0.75, 0.8, 0.6, 0.35, -2.0),
    "verse": Kind(0.95, 0.92, 0.92, 0.7, 0.97, 0.9, 0.6, 0.6, 0.85, -1.5),
    "chorus": Kind(1.0, 1.0, 0.97, 0.8, 1.0, 1.0, 0.95, 0.85, 0.97),
    "drop": Kind(1.0, 0.95, 0.97, 0.8, 1.0, 0.95, 0.8, 0.8, 0.9),
    "breakdown": Kind(0.12, 0.15, 0.4, 0.4, 0.5, 0.9, 1.0, 0.7, 0.75, -2.5),
    "build": Kind(0.5, 0.25, 0.7, 0.5, 0.6, 0.9, 0.9, 0.8, 0.6, -2.0),
    "calm": Kind(0.4, 0.3, 0.5, 0.5, 0.9, 0.95, 0.9, 0.7, 0.85, -3.0),
    "full": Kind(0.97, 0.95, 0.95, 0.8, 1.0, 1.0, 0.8, 0.85, 1.0),
    "outro": Kind(0.6, 0.5, 0.6, 0.6, 0.6, 0.7, 0.7, 0.5, 0.4, -3.0),
}
DRUM_GROUPS = ("kick", "snare", "hats", "perc")


@dataclass(frozen=True)
class Section:
    """Some bars of one character.

    Attributes:
        kind: Key of ``KINDS``.
        first_bar: Bar it starts at, counted from the start of the piece.
        n_bars: Its length.
        drums: Groups of drums that play.
        parts: Indices of the genre's parts that play.
        groove: Key of ``grooves.GROOVES``, or None.
        rate: Speed of the groove against the tempo.
        chords: Scale degree per half bar, cycled.
        gap_beats: Beats of silence at its end (the breath before a drop).
        level_db: Level against the loudest section.
    """

    kind: str
    first_bar: int
    n_bars: int
    drums: frozenset[str]
    parts: frozenset[int]
    groove: str | None
    rate: float
    chords: tuple[int, ...]
    gap_beats: int
    level_db: float


@dataclass(frozen=True)
class Song:
    """The plan of a piece, before anybody plays.

    Attributes:
        sections: In order, without gaps.
        beats_per_bar: Metre.
        scale: Semitones of the scale above the tonic.
        tonic: MIDI number of the tonic nearest below middle C.
        seventh: Chords carry a seventh.
        swing: See ``template.Genre``.
        swing_beats: See ``template.Genre``.
        hats: See ``template.Genre``.
        late_snare: Beats by which the backbeat is behind.
        compound: See ``template.Genre``.
    """

    sections: tuple[Section, ...]
    beats_per_bar: int
    scale: tuple[int, ...]
    tonic: int
    seventh: bool
    swing: float
    swing_beats: float
    hats: tuple[str, ...] = ()
    late_snare: float = 0.0
    compound: bool = False

    def degree(self, step: int) -> int:
        """Return the MIDI number of a scale step (0 is the tonic, 7 its octave)."""
        octave, index = divmod(step, 7)
        return self.tonic + 12 * octave + self.scale[index]

    def root_at(self, section: Section, bar: float) -> int:
        """Scale step of the chord's root ``bar`` bars into a section."""
        half_bar = int(np.floor(2 * bar + 1e-6))
        return section.chords[half_bar % len(section.chords)] - 1

    def chord(self, root: int) -> tuple[int, ...]:
        """Return the MIDI numbers of a scale step's chord, in close position around middle C."""
        steps = (root, root + 2, root + 4, *((root + 6,) if self.seventh else ()))
        return tuple(sorted(55 + (self.degree(s) - 55) % 12 for s in steps))


def compose(
    genre: Genre, n_bars: int, rng: np.random.Generator, ends: bool, n_bars_max: int = 8
) -> Song:
    """Lay out a piece.

    Args:
        genre: Template.
        n_bars: Length in bars.
        rng: Source of randomness.
        ends: Close with an outro; otherwise the form is simply cut.
        n_bars_max: Longest section.
    """
    scale = SCALES[str(rng.choice(genre.scales))]
    chord_bars = float(rng.choice(genre.chord_bars))
    progressions = [PROGRESSIONS[i] for i in rng.integers(len(PROGRESSIONS), size=3)]
    grooves: list[str | None] = [str(g) for g in rng.permutation(genre.grooves)[:3]] or [None]
    present = [i for i, part in enumerate(genre.parts) if rng.random() < part.prob]
    if not present:
        present = [0]
    length = int(rng.choice([bars for bars in genre.section_bars if bars <= n_bars_max]))
    if rng.random() < 0.1:  # irregular phrases exist
        length += int(rng.choice([-1, 1, 2]))

    memory: dict[str, Section] = {}
    sections: list[Section] = []
    form = FORMS[genre.form]
    first = 0
    for i in range(10_000):
        if first >= n_bars:
            break
        kind = form[i % len(form)]
        n = min(length, n_bars - first)
        if kind == "build":
            n = min(n, max(2, length // 2))
        if ends and first + n >= n_bars:
            kind = "outro"
        if kind not in memory or rng.random() < 0.3:
            memory[kind] = _section(genre, kind, rng, present, grooves, progressions, chord_bars)
        has_gap = rng.random() < (0.5 if kind == "build" else 0.03)
        gap = int(rng.integers(1, genre.beats_per_bar)) if has_gap else 0
        known = memory[kind]
        sections.append(
            Section(
                kind,
                first,
                n,
                known.drums,
                known.parts,
                known.groove,
                known.rate,
                known.chords,
                gap,
                known.level_db,
            )
        )
        first += n
    return Song(
        tuple(sections),
        genre.beats_per_bar,
        scale,
        int(rng.integers(48, 60)),
        rng.random() < 0.35,
        draw(rng, genre.swing),
        genre.swing_beats,
        genre.hats,
        draw(rng, genre.late_snare),
        genre.compound,
    )


def _section(
    genre: Genre,
    kind: str,
    rng: np.random.Generator,
    present: list[int],
    grooves: list[str | None],
    progressions: list[tuple[int, ...]],
    chord_bars: float,
) -> Section:
    chances = KINDS[kind]
    parts = {i for i in present if rng.random() < getattr(chances, genre.parts[i].role)}
    drums = {g for g in DRUM_GROUPS if rng.random() < getattr(chances, g)}
    if rng.random() < 0.04:  # drums drop out, or play alone
        drums, parts = (set(), parts) if rng.random() < 0.5 else (set(DRUM_GROUPS), set())
    sounding = {i for i in parts if genre.parts[i].role != "pad"}
    if not sounding and not (drums and genre.grooves):
        parts.add(int(rng.choice(present)))  # something must mark the time
    n_half_bars = int(2 * chord_bars)
    degrees = progressions[{"chorus": 1, "drop": 1, "breakdown": 2}.get(kind, 0)]
    return Section(
        kind,
        0,
        0,
        frozenset(drums if genre.grooves else ()),
        frozenset(parts),
        grooves[int(rng.integers(len(grooves)))] if kind != "chorus" else grooves[0],
        float(rng.choice(genre.rates)),
        tuple(d for d in degrees for _ in range(n_half_bars)),
        0,
        chances.level_db * float(rng.uniform(0.0, 1.5)),
    )
