"""Arrangements by MMA (Musical MIDI Accompaniment), played by FluidSynth.

What electronic generators lack: acoustic bands in 200 styles, swing, waltzes, and above all slow
music without drums, whose hi-hat-less beats networks like to double.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from beatgrid.grid import Grid
from beatgrid.rendering.piece import Piece, draw_duration_s, random_source
from beatgrid.rendering.sources import fluid
from beatgrid.rendering.sources.grooves import LIBRARY, Custom, Style, styles
from beatgrid.rendering.sources.mastering import master
from beatgrid.rendering.sources.midi import Event, message, only_drums, read_events, without_drums
from beatgrid.rendering.sources.song import Song, compose, melody, mma_source

_MELODY_CHANNEL = 16
_HELD_OUT_FONT = "OPL3"

#: Families whose label most needs to be learnt from music without drums.
SLOW = ("ballad", "slow acoustic", "slow jazz", "waltz", "6/8", "12/8")

# MMA gives up on a rare combination of chord and groove; another draw of the same seed follows.
_ATTEMPTS = 5


def missing_tools() -> list[str]:
    """Name what of MMA, FluidSynth and the fonts is not installed."""
    missing = [] if shutil.which("mma") and LIBRARY.exists() else ["mma"]
    return missing + fluid.missing_tools()


@dataclass(frozen=True)
class Arrangement:
    """A song arranged, before it is played.

    Attributes:
        events: All parts, in order of time.
        song: Chords and form.
        custom: How it is counted.
        style: Address of the harmony's style.
        drums: Where the drums come from: a style's address, or "none".
        melodies: What was added on top.
    """

    events: list[Event]
    song: Song
    custom: Custom
    style: str
    drums: str
    melodies: tuple[str, ...] = ()


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Render one arrangement, mastered.

    Args:
        seed: Any integer >= 0.
        held_out: Use the styles and the SoundFont held out from training.

    Raises:
        RuntimeError: MMA fails on every attempt.
    """
    rng = random_source("mma", seed)
    duration_s = draw_duration_s("mma", seed)
    for attempt in range(_ATTEMPTS):
        try:
            style = choose_style(rng, held_out)
            custom, drums = choose_drums(style, rng, held_out)
            bpm = draw_bpm(custom, rng, slow=drums is None)
            arrangement = arrange(style, custom, drums, bpm, duration_s, seed, rng)
            break
        except subprocess.CalledProcessError as error:
            if attempt == _ATTEMPTS - 1:
                raise RuntimeError(f"mma fails on {style.name}: {error.stdout!r}") from error
    font = choose_font(rng, held_out)
    start_s, whole = draw_start(custom, bpm, rng)
    room = fluid.Room(rng.uniform(0.1, 0.9), rng.choice([0.0, 0.2, 0.5]), rng.choice([0.0, 1.0]))
    samples = fluid.render_events(
        arrangement.events, font, bpm * custom.quarters_per_beat, duration_s, start_s, room
    )
    samples, mastering = master(samples, rng)
    return Piece(
        samples,
        Grid(bpm, start_s, custom.beats_per_bar),
        custom.family,
        license=font.licence,
        recipe={
            "style": arrangement.style,
            "drums": arrangement.drums,
            "melodies": list(arrangement.melodies),
            "font": font.name,
            "whole": whole,
            "mastering": mastering,
        },
    )


def choose_style(rng: np.random.Generator, held_out: bool) -> Style:
    """Draw a style; those of slow families, an eighth of the library, two times in five."""
    found = styles(held_out)
    slow = [style for style in found if style.custom.family in SLOW]
    others = [style for style in found if style.custom.family not in SLOW]
    pool = slow if slow and rng.random() < 0.4 else others
    return pool[int(rng.integers(len(pool)))]


def choose_font(rng: np.random.Generator, held_out: bool) -> fluid.Font:
    """Draw a SoundFont; one of them is for measuring only."""
    fonts = [f for f in fluid.FONTS.values() if (f.name == _HELD_OUT_FONT) == held_out]
    return fonts[int(rng.integers(len(fonts)))]


def choose_drums(
    style: Style, rng: np.random.Generator, held_out: bool
) -> tuple[Custom, Style | None]:
    """Draw who drums, and who then decides how the piece is counted.

    Half of the slow pieces and a quarter of the others have no drums. A quarter of the rest, if
    straight and in 4/4, are played over another style's drums, whose custom takes over.
    """
    custom = style.custom
    if rng.random() < (0.5 if custom.family in SLOW else 0.25):
        return custom, None
    straight = custom.quarters_per_beat == 1 and custom.beats_per_bar == 4 and not custom.swing
    if straight and rng.random() < 0.25:
        drummers = [s for s in styles(held_out, drums=True) if not s.custom.swing]
        drummer = drummers[int(rng.integers(len(drummers)))]
        return replace(drummer.custom, drums=False), drummer
    return custom, style


def draw_bpm(custom: Custom, rng: np.random.Generator, slow: bool) -> float:
    """Draw a tempo of the family, a whole number in one of three; slower without drums."""
    low, high = custom.bpm
    position = rng.beta(1.0, 1.8) if slow else rng.random()
    bpm = low + (high - low) * float(position)
    return float(round(bpm)) if rng.random() < 1 / 3 else round(bpm, 3)


def draw_start(custom: Custom, bpm: float, rng: np.random.Generator) -> tuple[float, bool]:
    """Draw when the first bar begins: after some silence, or before the excerpt at any phase."""
    if rng.random() < 0.35:
        return float(rng.choice([0.0, 0.1, 0.5, 2.0]) * rng.random()), True
    return -float(rng.uniform(0, 6) * custom.beats_per_bar * 60.0 / bpm), False


def arrange(
    style: Style,
    custom: Custom,
    drums: Style | None,
    bpm: float,
    duration_s: float,
    seed: int,
    rng: np.random.Generator,
) -> Arrangement:
    """Arrange a song: accompaniment, instruments, melodies.

    Raises:
        subprocess.CalledProcessError: MMA refuses the song.
    """
    n_bars = int(duration_s * bpm / 60.0 / custom.beats_per_bar) + 8
    song = compose(n_bars, custom, rng)
    events = run_mma(mma_source(song, style, seed, rng))
    if drums is not style:
        events = without_drums(events)
    if drums is not None and drums is not style:
        events += only_drums(run_mma(mma_source(song, drums, seed, rng)))
    events = reinstrumented(events, rng, alone=drums is None)
    names = []
    # Without drums and melody, a sustained accompaniment may hold nothing that tells the beat.
    n_melodies = int(rng.choice([0, 1, 2], p=[0.35, 0.5, 0.15]))
    for i in range(n_melodies):
        singing = bool(rng.random() < 0.4)
        names.append("sung" if singing else "played")
        events += melody(song, custom, _MELODY_CHANNEL + i, singing, bpm, rng)
    drummer = "none" if drums is None else drums.name
    return Arrangement(sorted(events), song, custom, style.name, drummer, tuple(names))


def run_mma(source: str) -> list[Event]:
    """Return MMA's arrangement of a song, in quarter notes.

    Raises:
        subprocess.CalledProcessError: MMA refuses the song; its ``stdout`` says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.mma"
        path.write_text(source, encoding="ascii")
        subprocess.run(
            ["mma", str(path), "-f", str(path.with_suffix(".mid"))],
            check=True,
            capture_output=True,
            text=True,
        )
        return read_events(path.with_suffix(".mid"))


def reinstrumented(events: Sequence[Event], rng: np.random.Generator, alone: bool) -> list[Event]:
    """Exchange some instruments for others of their kind; at times one player for everything.

    Args:
        events: An arrangement.
        rng: Source of randomness.
        alone: There are no drums: two in five become solos of piano, guitar, harp or the like.
    """
    solo = None
    if alone and rng.random() < 0.4:
        solo = int(rng.choice([0, 0, 0, 1, 4, 6, 11, 12, 24, 24, 25, 46, 16, 45, 107]))
    swapped = {p: int(p - p % 8 + rng.integers(8)) for p in range(128) if rng.random() < 0.3}
    out = []
    for event in events:
        if event.status == 0xC0 and event.channel != 9:
            programme = solo if solo is not None else swapped.get(event.data, event.data)
            event = message(event.quarters, event.channel, 0xC0, programme)
        out.append(event)
    return out
