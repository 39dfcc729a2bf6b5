"""All pitched instruments by name. An instrument plays MIDI pitches for a number of seconds.

``make(name, rng, sample_rate)`` draws an instrument's parameters once; the result is a function
``(pitches, duration_s, rng) -> float32 (samples,)`` whose note begins at the first sample, so that
onsets are exact wherever the caller puts it. Attack times are part of the sound, as in real music.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beatgrid.rendering.generator.dsp import (
    Instrument,
    Pitches,
    Range,
    Samples,
    adsr,
    draw,
    fade_out,
    hertz,
    seconds,
)
from beatgrid.rendering.generator.plucked import STRINGS, string
from beatgrid.rendering.generator.subtractive import PATCHES, subtractive
from beatgrid.rendering.generator.sung import ENSEMBLES, VOICES, ensemble, voice


@dataclass(frozen=True)
class Fm:
    """Two-operator frequency modulation: ``ratio`` and a decaying ``index``."""

    ratio: tuple[float, ...]
    index: Range
    index_s: Range
    decay_s: Range
    sustain: Range = (0, 0.2)
    release_s: Range = (0.05, 0.2)


FM: dict[str, Fm] = {
    "ep": Fm((1, 14), (0.3, 1.8), (0.1, 0.5), (0.5, 1.5)),
    "bell": Fm((3.5, 1.41, 2.76, 5.1), (1, 5), (0.2, 0.8), (0.4, 1.2)),
    "fm_bass": Fm((0.5, 1, 2, 3), (1, 6), (0.04, 0.2), (0.2, 0.6), (0.2, 0.8), (0.02, 0.06)),
    "marimba": Fm((4, 3.9, 10), (0.3, 1.5), (0.01, 0.04), (0.06, 0.25)),
    "music_box": Fm((3, 5, 7.1), (0.2, 1), (0.05, 0.2), (0.3, 0.8)),
    "fm_lead": Fm((1, 2, 3, 1.5), (0.8, 4), (0.1, 1), (0.5, 2), (0.5, 1)),
}


def _fm(model: Fm, rng: np.random.Generator, sample_rate: int) -> Instrument:
    ratio = float(rng.choice(model.ratio))
    index, index_s = draw(rng, model.index), draw(rng, model.index_s)
    decay_s, sustain, release_s = (
        draw(rng, model.decay_s),
        draw(rng, model.sustain),
        draw(rng, model.release_s),
    )

    def play(pitches: Pitches, duration_s: float, rng: np.random.Generator) -> Samples:
        n = max(64, int((duration_s + release_s) * sample_rate))
        t = seconds(n, sample_rate)
        strength = np.float32(index) * np.exp(-t / np.float32(index_s))
        out = np.zeros(n, np.float32)
        for pitch in pitches:
            turn = np.float32(2 * np.pi * hertz(pitch)) * t
            out += np.sin(turn + strength * np.sin(np.float32(ratio) * turn))
        out *= adsr(n, duration_s, 0.0005, decay_s, sustain, sample_rate)
        return fade_out(out, sample_rate)

    return play


#: Instruments whose notes may outlast their written length.
RINGING = frozenset({"piano", "honky_piano", "guitar", "harp", "koto", "ep", "bell", "music_box"})

INSTRUMENTS = (*PATCHES, *STRINGS, *FM, *ENSEMBLES, *VOICES)


def make(name: str, rng: np.random.Generator, sample_rate: int) -> Instrument:
    """Draw one instrument of the kind ``name`` (one of ``INSTRUMENTS``).

    Raises:
        KeyError: There is no instrument of that name.
    """
    if name in PATCHES:
        return subtractive(PATCHES[name], rng, sample_rate)
    if name in STRINGS:
        return string(STRINGS[name], rng, sample_rate)
    if name in FM:
        return _fm(FM[name], rng, sample_rate)
    if name in ENSEMBLES:
        return ensemble(ENSEMBLES[name], rng, sample_rate)
    return voice(rng, sample_rate, VOICES[name])
