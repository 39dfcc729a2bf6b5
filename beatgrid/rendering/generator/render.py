"""The public face of the generator: render a labelled track from a genre and a seed."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from beatgrid.grid import Grid
from beatgrid.rendering.generator.arrangement import Song, compose
from beatgrid.rendering.generator.drummer import drum_hits
from beatgrid.rendering.generator.drums import Kit
from beatgrid.rendering.generator.dsp import Samples, draw, joined
from beatgrid.rendering.generator.genres import GENRES, TEMPLATES
from beatgrid.rendering.generator.instruments import RINGING, VOICES, Pitches, make
from beatgrid.rendering.generator.kits import DRUMS, KITS
from beatgrid.rendering.generator.mix import DRUM_DB, OTHER_DRUM_DB, Track, gain, mix, place, sweep
from beatgrid.rendering.generator.players import part_notes
from beatgrid.rendering.generator.score import Hit, Note
from beatgrid.rendering.generator.template import Genre


@dataclass(frozen=True, eq=False)
class RenderedTrack:
    """A synthetic piece with its exact beatgrid.

    Attributes:
        samples: float32 (samples,) mono, peak at most 1.
        sample_rate: In hertz.
        grid: True grid; k = 0 is a downbeat.
        genre: One of ``GENRES``.
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


class DrumSounds(Protocol):
    """What a drummer plays on; ``Kit`` is one."""

    def hit(self, drum: str, count: int) -> Samples:
        """The ``count``-th stroke of a track, on ``drum``: peak 1, the onset at sample 0."""
        ...


def draw_bpm(genre: Genre, rng: np.random.Generator) -> float:
    """A tempo of the genre: a whole number half of the time, else with three decimals."""
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
        genre: One of ``GENRES``.
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
        raise ValueError(f"unknown genre {genre!r}: choose one of {', '.join(GENRES)}")
    if duration_s <= 0 or (bpm is not None and bpm <= 0):
        raise ValueError(f"duration_s and bpm must be positive, not {duration_s!r} and {bpm!r}")
    template = TEMPLATES[genre]
    rng = np.random.default_rng((zlib.crc32(genre.encode()), seed))
    tempo_rng, form_rng, drum_rng, mix_rng, *part_rngs = rng.spawn(4 + len(template.parts))
    drawn_bpm = draw_bpm(template, tempo_rng)
    bpm = drawn_bpm if bpm is None else float(bpm)
    beat_s = 60.0 / bpm
    bar_s = beat_s * template.beats_per_bar

    song, offset_s, is_whole = _plan(template, duration_s, bar_s, form_rng, tempo_rng)
    n = round(duration_s * sample_rate)
    human_ms = draw(tempo_rng, template.human_ms)
    clock = _Clock(offset_s, beat_s, human_ms / 1000.0, sample_rate, n)

    hits = drum_hits(song, drum_rng)
    kit_name = str(drum_rng.choice(template.kits))
    tracks = [Track("drums", _play_drums(hits, kit_name, clock, drum_rng, drum_sounds))]
    voices: list[str] = []
    for i, (part, part_rng) in enumerate(zip(template.parts, part_rngs, strict=True)):
        notes = part_notes(song, part, i, part_rng)
        # One player in four is layered, as producers do.
        layers = [
            str(v) for v in part_rng.choice(part.voices, 2 if part_rng.random() < 0.25 else 1)
        ]
        for voice in layers if notes else ():
            voices.append(voice)
            tracks.append(Track(part.role, _play_part(notes, voice, clock, part_rng)))
    _add_risers(tracks[0].samples, song, clock, drum_rng)
    kicks_s = np.array(sorted({clock.time_s(h.beat) for h in hits if h.drum == "kick"}))
    form_gain = _form_gain(song, clock)
    if is_whole and mix_rng.random() < 0.2:  # fade out
        n_fade = int(mix_rng.uniform(0.05, 0.15) * n)
        fade = np.linspace(1, 0, n_fade, dtype=np.float32) ** 2
        for track in tracks:
            track.samples[-n_fade:] *= fade
    muffled = _muffled(song, clock, mix_rng) if template.form == "club" else None
    samples = mix(tracks, kicks_s, form_gain, muffled, beat_s, template, mix_rng, sample_rate)
    metadata = {
        "whole": is_whole,
        "kit": kit_name,
        "voices": voices,
        "swing": song.swing,
        "human_ms": human_ms,
        "grooves": sorted({s.groove for s in song.sections if s.groove}),
        "sections": [s.kind for s in song.sections],
    }
    grid = Grid(bpm=bpm, offset_s=offset_s, beats_per_bar=template.beats_per_bar)
    return RenderedTrack(samples, sample_rate, grid, genre, seed, metadata)


@dataclass(frozen=True)
class _Clock:
    """Beats to samples of the excerpt; every onset is rounded on its own."""

    offset_s: float
    beat_s: float
    human_s: float
    sample_rate: int
    n_samples: int

    def time_s(self, beat: float) -> float:
        return self.offset_s + beat * self.beat_s

    def lag_s(self, rng: np.random.Generator) -> float:
        """How much one player is ahead or behind on average: half of the human deviation."""
        return float(rng.normal(0.0, 0.5 * self.human_s)) if self.human_s > 0 else 0.0

    def sample(self, beat: float, rng: np.random.Generator, lag_s: float = 0.0) -> int:
        shift_s = rng.normal(lag_s, self.human_s) if self.human_s > 0 else 0.0
        return round((self.time_s(beat) + shift_s) * self.sample_rate)


def _plan(
    genre: Genre,
    duration_s: float,
    bar_s: float,
    rng: np.random.Generator,
    time_rng: np.random.Generator,
) -> tuple[Song, float, bool]:
    """The song, the time of its first downbeat in the track, and whether it is a whole piece.

    A whole piece has some silence before and its last notes ring out; an excerpt begins anywhere
    in a longer piece, at any phase of the beat.
    """
    is_whole = bool(time_rng.random() < 0.35)
    if is_whole and duration_s > 8 * bar_s:
        lead_s = float(time_rng.choice([0.0, 0.05, 0.5, 2.0])) * float(time_rng.random())
        n_bars = int((duration_s - lead_s - 1.0) / bar_s)
        return compose(genre, n_bars, rng, ends=True, n_bars_max=max(4, n_bars // 4)), lead_s, True
    n_heard = int(np.ceil(duration_s / bar_s)) + 1
    first_bar = float(time_rng.uniform(0, 40))
    n_bars = n_heard + int(first_bar) + 1
    song = compose(genre, n_bars, rng, ends=False, n_bars_max=max(4, n_heard // 3))
    return song, -first_bar * bar_s, False


def _play_drums(
    hits: list[Hit],
    kit_name: str,
    clock: _Clock,
    rng: np.random.Generator,
    drum_sounds: Callable[[Kit], DrumSounds] | None,
) -> Samples:
    """The drummer's track, (samples,)."""
    out = np.zeros(clock.n_samples, np.float32)
    n_variants = 4 if clock.human_s > 0 else 1
    kit = Kit(DRUMS | KITS[kit_name], rng, clock.sample_rate, n_variants)
    sounds = kit if drum_sounds is None else drum_sounds(kit)
    level = {}
    for count, hit in enumerate(hits):
        if hit.drum not in level:
            level[hit.drum] = float(gain(float(rng.uniform(*DRUM_DB.get(hit.drum, OTHER_DRUM_DB)))))
        start = clock.sample(hit.beat, rng)
        if -3 * clock.sample_rate < start < clock.n_samples:
            place(out, sounds.hit(hit.drum, count), start, level[hit.drum] * hit.gain)
    return out


def _play_part(notes: list[Note], voice: str, clock: _Clock, rng: np.random.Generator) -> Samples:
    """One player's track, (samples,). Equal notes are rendered once, or a few times for voices."""
    out = np.zeros(clock.n_samples, np.float32)
    instrument = make(voice, rng, clock.sample_rate)
    # Pianists and harpists let notes ring on; so do some guitarists.
    ring_s = draw(rng, (0.1, 1.5)) if voice in RINGING and rng.random() < 0.7 else 0.0
    n_variants = 6 if voice in VOICES else 2 if clock.human_s > 0 else 1
    cache: dict[tuple[Pitches, int, int], Samples] = {}
    lag_s = clock.lag_s(rng)
    for note in notes:
        start = clock.sample(note.beat, rng, lag_s)
        duration_s = min(max(note.beats * clock.beat_s, 0.03) + ring_s, 8.0)
        if start >= clock.n_samples or start + (duration_s + 1.0) * clock.sample_rate < 0:
            continue
        key = (note.pitches, round(duration_s * 1000), int(rng.integers(n_variants)))
        if key not in cache:
            cache[key] = instrument(note.pitches, duration_s, rng).astype(np.float32, copy=False)
        place(out, cache[key], start, note.gain)
    return out


def _add_risers(out: Samples, song: Song, clock: _Clock, rng: np.random.Generator) -> None:
    """Rising noise through the build-ups, in place."""
    for section in song.sections:
        if section.kind == "build" and rng.random() < 0.6:
            beats = section.n_bars * song.beats_per_bar - section.gap_beats
            start = round(clock.time_s(section.first_bar * song.beats_per_bar) * clock.sample_rate)
            if -len(out) < start < len(out):
                sound = sweep(rng, beats * clock.beat_s, clock.sample_rate)
                place(out, sound, start, float(rng.uniform(0.05, 0.3)))


def _muffled(song: Song, clock: _Clock, rng: np.random.Generator) -> Samples | None:
    """How far a filter on the whole mix is closed, (samples,): it opens through some sections."""
    times, values = [0.0], [0.0]
    for section in song.sections:
        if section.kind in ("intro", "build", "breakdown") and rng.random() < 0.3:
            start_s = clock.time_s(section.first_bar * song.beats_per_bar)
            end_s = clock.time_s((section.first_bar + section.n_bars) * song.beats_per_bar)
            times += [start_s - 0.01, start_s, end_s - 0.02, end_s]
            values += [0.0, 1.0, float(rng.choice([0.0, 0.5, 0.9])), 0.0]
    coarse_s = np.arange(0, clock.n_samples + 512, 512) / clock.sample_rate
    order = np.argsort(times, kind="stable")
    closed = np.interp(coarse_s, np.array(times)[order], np.array(values)[order])
    return joined(closed, 512, clock.n_samples) if closed.any() else None


def _form_gain(song: Song, clock: _Clock) -> Samples:
    """Gain that follows the sections' levels, (samples,), with 50 ms ramps."""
    times, levels = [], []
    for section in song.sections:
        start_s = clock.time_s(section.first_bar * song.beats_per_bar)
        end_s = clock.time_s((section.first_bar + section.n_bars) * song.beats_per_bar)
        times += [start_s, end_s - 0.05]
        levels += [float(gain(section.level_db))] * 2
    coarse_s = np.arange(0, clock.n_samples + 512, 512) / clock.sample_rate
    return joined(np.interp(coarse_s, times, levels), 512, clock.n_samples)
