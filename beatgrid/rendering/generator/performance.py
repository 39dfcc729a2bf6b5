"""Players at work: strokes and notes to the sound of one player each.

A player's onsets deviate from the beats by a lag of his own and by chance; ``Clock`` places them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from beatgrid.rendering.generator.arrangement import Song
from beatgrid.rendering.generator.drums import Kit
from beatgrid.rendering.generator.dsp import Samples, draw
from beatgrid.rendering.generator.instruments import RINGING, VOICES, Pitches, make
from beatgrid.rendering.generator.kits import DRUMS, KITS
from beatgrid.rendering.generator.mix import DRUM_DB, OTHER_DRUM_DB, Track, gain, place, sweep
from beatgrid.rendering.generator.players import part_notes
from beatgrid.rendering.generator.score import Hit, Note
from beatgrid.rendering.generator.template import Part


@dataclass(frozen=True)
class Clock:
    """Beats to samples of the excerpt; every onset is rounded on its own.

    Attributes:
        offset_s: Time of beat 0 in the excerpt.
        beat_s: Length of a beat.
        human_s: Standard deviation of each onset's displacement; 0 plays as a machine does.
        sample_rate: In hertz.
        n_samples: Length of the excerpt.
    """

    offset_s: float
    beat_s: float
    human_s: float
    sample_rate: int
    n_samples: int

    def time_s(self, beat: float) -> float:
        """Return the time of a beat in the excerpt."""
        return self.offset_s + beat * self.beat_s

    def lag_s(self, rng: np.random.Generator) -> float:
        """Draw how much one player is behind on average: half of the human deviation."""
        return float(rng.normal(0.0, 0.5 * self.human_s)) if self.human_s > 0 else 0.0

    def sample(self, beat: float, rng: np.random.Generator, lag_s: float = 0.0) -> int:
        """Draw the sample at which a player's onset on a beat begins."""
        shift_s = rng.normal(lag_s, self.human_s) if self.human_s > 0 else 0.0
        return round((self.time_s(beat) + shift_s) * self.sample_rate)


class DrumSounds(Protocol):
    """What a drummer plays on; ``Kit`` is one."""

    def hit(self, drum: str, count: int) -> Samples:
        """Return the ``count``-th stroke of a track, on ``drum``: peak 1, the onset at sample 0."""
        ...


def play_drums(
    hits: list[Hit],
    kit_name: str,
    clock: Clock,
    rng: np.random.Generator,
    drum_sounds: Callable[[Kit], DrumSounds] | None,
) -> Samples:
    """Render the drummer's strokes, (samples,); every drum gets one level for the whole track."""
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


def play_part(
    song: Song, part: Part, index: int, clock: Clock, rng: np.random.Generator
) -> list[Track]:
    """Render one part: a track per instrument, none where the song gives it no notes.

    Args:
        song: What to play.
        part: The player.
        index: Of the part in the song.
        clock: Beats to samples.
        rng: The part's own source of randomness.
    """
    notes = part_notes(song, part, index, rng)
    # One player in four is layered, as producers do.
    layers = rng.choice(part.voices, 2 if rng.random() < 0.25 else 1).tolist()
    if not notes:
        return []
    return [Track(part.role, _play_notes(notes, voice, clock, rng), voice) for voice in layers]


def _play_notes(notes: list[Note], voice: str, clock: Clock, rng: np.random.Generator) -> Samples:
    """Render one instrument, (samples,): equal notes once, or in a few variants."""
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


def add_risers(out: Samples, song: Song, clock: Clock, rng: np.random.Generator) -> None:
    """Add rising noise through some of the build-ups, in place."""
    for section in song.sections:
        if section.kind == "build" and rng.random() < 0.6:
            beats = section.n_bars * song.beats_per_bar - section.gap_beats
            start = round(clock.time_s(section.first_bar * song.beats_per_bar) * clock.sample_rate)
            if -len(out) < start < len(out):
                sound = sweep(rng, beats * clock.beat_s, clock.sample_rate)
                place(out, sound, start, float(rng.uniform(0.05, 0.3)))
