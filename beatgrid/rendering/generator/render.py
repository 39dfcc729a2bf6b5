"""The public face of the generator: render a labelled track from a genre and a seed."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from beatgrid.grid import Grid
from beatgrid.rendering.generator.arrangement import Song, compose
from beatgrid.rendering.generator.automation import form_gain, muffled
from beatgrid.rendering.generator.drummer import drum_hits
from beatgrid.rendering.generator.drums import Kit
from beatgrid.rendering.generator.dsp import Samples, draw
from beatgrid.rendering.generator.genres import TEMPLATES
from beatgrid.rendering.generator.mix import Track, mix
from beatgrid.rendering.generator.performance import (
    Clock,
    DrumSounds,
    add_risers,
    play_drums,
    play_part,
)
from beatgrid.rendering.generator.template import Genre


@dataclass(frozen=True, eq=False)
class RenderedTrack:
    """A synthetic piece with its exact beatgrid.

    Attributes:
        samples: float32 (samples,) mono, peak at most 1.
        sample_rate: In hertz.
        grid: True grid; k = 0 is a downbeat.
        genre: One of ``genres.TEMPLATES``, or the name of another template.
        seed: The seed it was rendered from.
        metadata: What was drawn: swing, instruments, sections ..., plain values.
    """

    samples: Samples
    sample_rate: int
    grid: Grid
    genre: str
    seed: int
    metadata: dict[str, object]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def draw_bpm(genre: Genre, rng: np.random.Generator) -> float:
    """Draw a tempo of the genre: a whole number half of the time, else with three decimals."""
    bpm = float(rng.uniform(*genre.bpm))
    return float(round(bpm)) if rng.random() < 0.5 else round(bpm, 3)


def render(
    genre: str,
    seed: int,
    duration_s: float = 60.0,
    bpm: float | None = None,
    sample_rate: int = 44100,
    drum_sounds: Callable[[Kit], DrumSounds] | None = None,
) -> RenderedTrack:
    """Render one piece; the same arguments give the same samples in every process.

    Args:
        genre: One of ``genres.TEMPLATES``.
        seed: Any integer >= 0.
        duration_s: Length in seconds.
        bpm: Tempo; drawn from the genre's customary range by default.
        sample_rate: In hertz.
        drum_sounds: Takes the synthesised kit and returns what is played instead, at
            ``sample_rate``, so that a set of samples can leave to it the drums it lacks. The song
            stays the same.

    Raises:
        ValueError: Unknown genre, or a tempo or length that is not positive.
    """
    if genre not in TEMPLATES:
        raise ValueError(f"unknown genre {genre!r}: choose one of {', '.join(TEMPLATES)}")
    return render_template(genre, TEMPLATES[genre], seed, duration_s, bpm, sample_rate, drum_sounds)


def render_template(
    name: str,
    template: Genre,
    seed: int,
    duration_s: float = 60.0,
    bpm: float | None = None,
    sample_rate: int = 44100,
    drum_sounds: Callable[[Kit], DrumSounds] | None = None,
) -> RenderedTrack:
    """Render one piece of a genre that is not among the generator's own, as ``render`` does.

    Args:
        name: Of the genre; seeds of different names are different pieces.
        template: The genre, made of the generator's grooves, figures and instruments.
        seed: Any integer >= 0.
        duration_s: Length in seconds.
        bpm: Tempo; drawn from the template's range by default.
        sample_rate: In hertz.
        drum_sounds: See ``render``.

    Raises:
        ValueError: A tempo or length that is not positive.
    """
    if duration_s <= 0 or (bpm is not None and bpm <= 0):
        raise ValueError(f"duration_s and bpm must be positive, not {duration_s!r} and {bpm!r}")
    rng = np.random.default_rng((zlib.crc32(name.encode()), seed))
    # One stream per task, so that a change in one of them leaves what the others draw.
    tempo_rng, form_rng, drum_rng, mix_rng, *part_rngs = rng.spawn(4 + len(template.parts))
    drawn_bpm = draw_bpm(template, tempo_rng)
    bpm = drawn_bpm if bpm is None else float(bpm)
    beat_s = 60.0 / bpm
    song, offset_s, is_whole = _plan(
        template, duration_s, beat_s * template.beats_per_bar, form_rng, tempo_rng
    )
    human_ms = draw(tempo_rng, template.human_ms)
    clock = Clock(offset_s, beat_s, human_ms / 1000.0, sample_rate, round(duration_s * sample_rate))

    hits = drum_hits(song, drum_rng)
    kit_name = str(drum_rng.choice(template.kits))
    drums = play_drums(hits, kit_name, clock, drum_rng, drum_sounds)
    add_risers(drums, song, clock, drum_rng)
    tracks = [Track("drums", drums)]
    for i, (part, part_rng) in enumerate(zip(template.parts, part_rngs, strict=True)):
        tracks += play_part(song, part, i, clock, part_rng)
    kicks_s = np.array(sorted({clock.time_s(h.beat) for h in hits if h.drum == "kick"}))
    if is_whole and mix_rng.random() < 0.2:
        _fade_out(tracks, mix_rng)
    filtered = muffled(song, clock, mix_rng) if template.form == "club" else None
    samples = mix(
        tracks, kicks_s, form_gain(song, clock), filtered, beat_s, template, mix_rng, sample_rate
    )
    metadata = {
        "whole": is_whole,
        "kit": kit_name,
        "voices": [track.voice for track in tracks[1:]],
        "swing": song.swing,
        "human_ms": human_ms,
        "grooves": sorted({s.groove for s in song.sections if s.groove}),
        "sections": [s.kind for s in song.sections],
    }
    grid = Grid(bpm=bpm, offset_s=offset_s, beats_per_bar=template.beats_per_bar)
    return RenderedTrack(samples, sample_rate, grid, name, seed, metadata)


def _plan(
    genre: Genre,
    duration_s: float,
    bar_s: float,
    rng: np.random.Generator,
    time_rng: np.random.Generator,
) -> tuple[Song, float, bool]:
    """Draw the song, the time of its first downbeat in the track, and whether it is whole.

    A whole piece has some silence before and its last notes ring out; an excerpt begins anywhere
    in a longer piece, at any phase of the beat.
    """
    is_whole = bool(time_rng.random() < 0.35)
    if is_whole and duration_s > 8 * bar_s:
        lead_s = float(time_rng.choice([0.0, 0.05, 0.5, 2.0])) * float(time_rng.random())
        n_bars = int((duration_s - lead_s - 1.0) / bar_s)
        return compose(genre, n_bars, rng, ends=True, n_bars_max=max(4, n_bars // 4)), lead_s, True
    n_played = int(np.ceil(duration_s / bar_s)) + 1
    first_bar = float(time_rng.uniform(0, 40))
    n_bars = n_played + int(first_bar) + 1
    song = compose(genre, n_bars, rng, ends=False, n_bars_max=max(4, n_played // 3))
    return song, -first_bar * bar_s, False


def _fade_out(tracks: list[Track], rng: np.random.Generator) -> None:
    """Fade the last 5 to 15 % of all tracks out, in place."""
    n_samples = len(tracks[0].samples)
    n_fade = int(rng.uniform(0.05, 0.15) * n_samples)
    fade = np.linspace(1, 0, n_fade, dtype=np.float32) ** 2
    for track in tracks:
        track.samples[-n_fade:] *= fade
