"""Unplugged reggae: a genre that the shipped weights know badly, of the generator's own parts.

A rhythm guitar, organ or piano plays the eighths between the beats (the skank), a bass leaves the
first beat of the bar out, somebody sings, and nobody drums; on every fourth song somebody shakes a
shaker. The label counts the beat, at 62 to 92 BPM as reggae with drums is counted, which the
weights have learnt; without the drums they take the skank for the beat.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.data.labels import write_label
from beatgrid.rendering.generator.render import RenderedTrack, render_template
from beatgrid.rendering.generator.template import PLAYED, Genre, bass, comp, lead, pad

NAME = "unplugged_reggae"
UNPLUGGED = Genre(
    (62, 92),
    (),
    ("acoustic",),
    (
        comp("clean_guitar muted_guitar organ piano", "skank upstroke", 1.0),
        comp("organ clean_guitar", "reggae offbeat_16 upstroke", 0.4),
        bass("picked_bass upright_bass sub_bass", "one_drop reggae slow_sync", 0.95),
        lead("vocal", (0.8, 2.4), 0.85),
        lead("flute sax accordion", (0.5, 1.6), 0.4),
        pad("choir organ", 0.3),
    ),
    swing=(0.5, 0.62),
    scales=("minor", "major", "dorian"),
    chord_bars=(1.0, 2.0),
    **PLAYED,
)
WITH_SHAKER = replace(UNPLUGGED, grooves=("shaker_only",))
SHAKER_EVERY = 4
FIRST_HELD_OUT_SEED = 1_000_000
DURATION_S = (50.0, 75.0)


def song(seed: int, duration_s: float | None = None) -> RenderedTrack:
    """Render a song of the genre; the same seed and length give the same song.

    Args:
        seed: Any integer >= 0.
        duration_s: Length in seconds; drawn by default.
    """
    template = WITH_SHAKER if seed % SHAKER_EVERY == SHAKER_EVERY - 1 else UNPLUGGED
    if duration_s is None:
        duration_s = float(np.random.default_rng((seed, 1)).uniform(*DURATION_S))
    return render_template(NAME, template, seed, duration_s)


def write_songs(folder: Path, seeds: range) -> None:
    """Render songs that are not there yet into ``folder/audio``, labels into ``folder/labels``."""
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        name = f"{NAME}_{seed:07d}"
        audio, label = folder / "audio" / f"{name}.flac", folder / "labels" / f"{name}.labels.json"
        if label.exists():
            continue
        track = song(seed)
        soundfile.write(audio, track.samples, track.sample_rate, subtype="PCM_16")
        write_label(label, track.grid, track.duration_s, audio.name, genre=NAME, seed=seed)
