"""What a genre template consists of, and short forms to write one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from beatgrid.rendering.generator.dsp import Range


@dataclass(frozen=True)
class Part:
    """One player: a role, the instruments that may take it, the figures it may play.

    Attributes:
        role: "bass", "comp" (chords in rhythm), "pad" (chords held), "arp" or "lead".
        voices: Names of instruments.
        figures: Names in ``patterns.BASSES`` or ``patterns.COMPS``; for a lead and an arp none.
        prob: Chance that a track has the part at all.
        density: Notes per beat of a lead or arp.
        power: Chords are root, fifth and octave, as on distorted guitars.
        rapped: A lead that speaks: a syllable on most steps, lines of one or two bars, a breath.
    """

    role: str
    voices: tuple[str, ...]
    figures: tuple[str, ...] = ()
    prob: float = 0.85
    density: Range = (0.8, 2.2)
    power: bool = False
    rapped: bool = False


@dataclass(frozen=True)
class Genre:
    """A genre template.

    Attributes:
        bpm: Customary tempo range.
        grooves: Names in ``grooves.GROOVES``; none for music without drums.
        kits: Names in ``kits.KITS``.
        parts: Players.
        form: Name in ``arrangement.FORMS``.
        beats_per_bar: Metre.
        swing: Place of the off-beat sixteenth (or eighth) within its pair; 0.5 is straight.
        swing_beats: Length of the pair in beats: 0.5 swings sixteenths, 1 eighths.
        human_ms: Standard deviation of each onset's displacement.
        scales: Names in ``patterns.SCALES``.
        chord_bars: Bars one chord may last.
        rms_db: Loudness after mastering.
        sidechain: Depth of the pumping after each kick.
        drive: Gain of the master's soft clipper.
        lofi: Chance of a band-limited, noisy master.
        compression: Ratio of the compressor on the mix.
        rates: Speed of the drums against the tempo, chosen per section: 0.5 is half time.
        hats: Hi-hat lines that may replace a groove's own; none: ``drummer.HATS``.
        late_snare: Beats by which the backbeat is played behind the grid; labels stay on it.
        compound: Beats divide into three throughout, fills and rolls too.
        section_bars: Lengths a section may have.
    """

    bpm: Range
    grooves: tuple[str, ...]
    kits: tuple[str, ...]
    parts: tuple[Part, ...]
    form: str = "song"
    beats_per_bar: int = 4
    swing: Range = (0.5, 0.5)
    swing_beats: float = 0.5
    human_ms: Range = (0.0, 0.0)
    scales: tuple[str, ...] = ("major", "minor")
    chord_bars: tuple[float, ...] = (1.0,)
    rms_db: Range = (-17.0, -9.0)
    sidechain: Range = (0.0, 0.0)
    drive: Range = (0.3, 2.0)
    lofi: float = 0.05
    compression: Range = (1.3, 4.0)
    rates: tuple[float, ...] = (1.0,)
    hats: tuple[str, ...] = ()
    late_snare: Range = (0.0, 0.0)
    compound: bool = False
    section_bars: tuple[int, ...] = (4, 4, 8, 8, 16)


def bass(voices: str, figures: str, prob: float = 0.92) -> Part:
    """Describe a bass line."""
    return Part("bass", tuple(voices.split()), tuple(figures.split()), prob)


def comp(voices: str, figures: str, prob: float = 0.8) -> Part:
    """Describe chords in rhythm."""
    return Part("comp", tuple(voices.split()), tuple(figures.split()), prob)


def power(figures: str, voices: str = "power_guitar palm_guitar") -> Part:
    """Describe distorted power chords."""
    return Part("comp", tuple(voices.split()), tuple(figures.split()), 0.97, power=True)


def pad(voices: str = "pad strings choir wall", prob: float = 0.6) -> Part:
    """Describe held chords."""
    return Part("pad", tuple(voices.split()), (), prob)


def arp(voices: str, density: Range = (2, 4), prob: float = 0.5) -> Part:
    """Describe broken chords."""
    return Part("arp", tuple(voices.split()), (), prob, density)


def lead(voices: str, density: Range = (0.7, 2.2), prob: float = 0.7) -> Part:
    """Describe a melody."""
    return Part("lead", tuple(voices.split()), (), prob, density)


def rap(density: Range, prob: float = 0.85) -> Part:
    """Describe a rapper; ``density`` is syllables per beat."""
    return Part("lead", ("rap",), (), prob, density, rapped=True)


EDM_LEADS = "saw_lead supersaw pluck fm_lead vocal chip_square bell growl"
EDM: dict[str, Any] = {
    "drive": (0.4, 3.0),
    "sidechain": (0.0, 0.9),
    "form": "club",
    "scales": ("minor", "minor", "major", "phrygian"),
}
PLAYED: dict[str, Any] = {"human_ms": (0.5, 5.0), "drive": (0.2, 1.2)}
ACOUSTIC: dict[str, Any] = PLAYED | {
    "form": "solo",
    "rms_db": (-27.0, -14.0),
    "drive": (0.1, 0.4),
    "lofi": 0.2,
    "compression": (1.0, 2.0),
}
