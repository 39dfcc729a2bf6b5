"""MMA's harmony under the drums of the package's own electronic genres.

Each source brings one half: played chords and melodies of many instruments, and drums as
club music has them. The genre of the drums decides how the piece is counted.
"""

from __future__ import annotations

import numpy as np

from beatgrid.grid import Grid
from beatgrid.rendering.generator.arrangement import compose as compose_drums
from beatgrid.rendering.generator.drummer import drum_hits
from beatgrid.rendering.generator.drums import Kit
from beatgrid.rendering.generator.dsp import Samples
from beatgrid.rendering.generator.genres_electronic import ELECTRONIC
from beatgrid.rendering.generator.kits import DRUMS, KITS
from beatgrid.rendering.generator.mix import DRUM_DB, OTHER_DRUM_DB, gain, loudness, place
from beatgrid.rendering.generator.render import draw_bpm
from beatgrid.rendering.piece import SAMPLE_RATE, Piece, draw_duration_s, random_source
from beatgrid.rendering.sources import fluid, mma
from beatgrid.rendering.sources.grooves import Custom, styles
from beatgrid.rendering.sources.mastering import master
from beatgrid.rendering.sources.midi import without_drums
from beatgrid.rendering.sources.song import compose, melody, mma_source

#: Genres in 4/4 that have drums.
GENRES = tuple(
    name
    for name, genre in ELECTRONIC.items()
    if genre.grooves and genre.beats_per_bar == 4 and max(genre.swing) <= 0.6
)

# Above this tempo a band's patterns of eighths would race: it plays at half the drums' tempo.
_FAST_BPM = 132.0


def missing_tools() -> list[str]:
    """Name what of MMA, FluidSynth and the fonts is not installed, as for ``mma``."""
    return mma.missing_tools()


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Render one hybrid, mastered.

    Args:
        seed: Any integer >= 0.
        held_out: Use the styles and the SoundFont held out from training.
    """
    rng = random_source("hybrid", seed)
    duration_s = draw_duration_s("hybrid", seed)
    genre = GENRES[seed % len(GENRES)]
    bpm = draw_bpm(ELECTRONIC[genre], rng)
    counted = Custom(genre, (bpm, bpm))
    start_s, whole = mma.draw_start(counted, bpm, rng)
    kit = str(rng.choice(ELECTRONIC[genre].kits))
    drums = play_drums(genre, kit, bpm, start_s, duration_s, rng)

    straight = [
        style
        for style in styles(held_out)
        if style.custom.quarters_per_bar == 4 and not style.custom.swing
    ]
    style = straight[int(rng.integers(len(straight)))]
    band_bpm = bpm / 2 if bpm > _FAST_BPM and rng.random() < 0.7 else bpm
    n_bars = int((duration_s - start_s) * band_bpm / 60.0 / 4) + 2
    song = compose(n_bars, counted, rng)
    events = mma.run_mma(mma_source(song, style, seed, rng))
    events = mma.reinstrumented(without_drums(events), rng, alone=False)
    if rng.random() < 0.6:
        events += melody(song, counted, 16, bool(rng.random() < 0.5), band_bpm, rng)
    font = mma.choose_font(rng, held_out)
    band = fluid.render_events(sorted(events), font, band_bpm, duration_s, start_s)
    band *= np.float32(10 ** (rng.uniform(-5, 5) / 20) / (loudness(band) + 1e-9))
    samples, mastering = master(band + drums / (loudness(drums) + np.float32(1e-9)), rng)
    return Piece(
        samples,
        Grid(bpm, start_s, 4),
        genre,
        license=font.licence,
        recipe={
            "style": style.name,
            "kit": kit,
            "font": font.name,
            "whole": whole,
            "mastering": mastering,
        },
    )


def play_drums(
    genre: str,
    kit_name: str,
    bpm: float,
    start_s: float,
    duration_s: float,
    rng: np.random.Generator,
) -> Samples:
    """Render the drummer of a genre alone, float32 (samples,), unscaled.

    Args:
        genre: One of ``GENRES``.
        kit_name: One of the genre's kits.
        bpm: Beats per minute.
        start_s: Time of the first bar; may be negative.
        duration_s: Length of the result.
        rng: Source of randomness.
    """
    out = np.zeros(round(duration_s * SAMPLE_RATE), np.float32)
    n_bars = int((duration_s - start_s) * bpm / 240.0) + 1
    song = compose_drums(ELECTRONIC[genre], n_bars, rng, ends=False, n_bars_max=16)
    kit = Kit(DRUMS | KITS[kit_name], rng, SAMPLE_RATE, 1)
    level: dict[str, np.float32] = {}
    for count, hit in enumerate(drum_hits(song, rng)):
        if hit.drum not in level:
            level[hit.drum] = gain(float(rng.uniform(*DRUM_DB.get(hit.drum, OTHER_DRUM_DB))))
        start = round((start_s + hit.beat * 60.0 / bpm) * SAMPLE_RATE)
        if -3 * SAMPLE_RATE < start < len(out):
            place(out, kit.hit(hit.drum, count), start, float(level[hit.drum]) * hit.gain)
    return out
