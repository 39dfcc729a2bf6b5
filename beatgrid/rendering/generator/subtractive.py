"""Subtractive synthesis: waveform, unison, filter with envelope, drive; patches as data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beatgrid.rendering.generator.dsp import (
    HARMONICS,
    Instrument,
    Pitches,
    Range,
    Samples,
    adsr,
    band_noise,
    draw,
    fade_out,
    hertz,
    oscillate,
    seconds,
)


def waveform(name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the amplitudes of the harmonics of a basic waveform, (harmonics,)."""
    if name == "saw":
        return 1.0 / HARMONICS
    if name == "square":
        return (HARMONICS % 2) / HARMONICS
    if name == "triangle":
        return (HARMONICS % 2) / HARMONICS**2 * np.sin(HARMONICS * np.pi / 2)
    if name == "pulse":
        return np.sin(np.pi * HARMONICS * rng.uniform(0.1, 0.4)) / HARMONICS
    if name == "sine":
        return (HARMONICS == 1).astype(float)
    if name == "organ":  # drawbars at random heights
        out = np.zeros_like(HARMONICS)
        for harmonic in (1, 2, 3, 4, 6, 8):
            out[harmonic - 1] = rng.uniform(0.05, 1.0)
        return out
    if name == "reed":
        return (
            HARMONICS**-0.7
            * np.exp(-HARMONICS / rng.uniform(6, 25))
            * np.where(HARMONICS % 2 == 0, 0.5, 1.0)
        )
    if name == "digital":  # a random wavetable
        return rng.standard_normal(len(HARMONICS)) * HARMONICS ** -rng.uniform(0.8, 1.5)
    raise KeyError(name)


@dataclass(frozen=True)
class Patch:
    """A subtractive synthesiser patch; ranges as in ``draw``.

    Attributes:
        wave: Waveforms to choose from (see ``waveform``).
        unison: Fewest and most detuned oscillators.
        detune_cents: Spread of the unison.
        cutoff_hz: Low-pass corner when the filter envelope has died away.
        sweep: Octaves the filter envelope opens above it at the onset.
        sweep_s: Its time constant.
        resonance: Height of the peak at the corner.
        attack_s: Rise time.
        decay_s: Time constant down to ``sustain``.
        sustain: Level that is held.
        release_s: Fade after the note's end.
        drive: Gain into tanh; 0 is clean.
        vibrato_cents: Depth.
        sub: Level of a sine an octave below.
        breath: Level of noise around the note.
        glide: Octaves slid through at the onset.
        wobble: Filter cycles per note length; 0 is none.
    """

    wave: tuple[str, ...] = ("saw",)
    unison: tuple[int, int] = (1, 1)
    detune_cents: Range = (5, 20)
    cutoff_hz: Range = (1500, 6000)
    sweep: Range = (0, 0)
    sweep_s: Range = (0.08, 0.3)
    resonance: Range = (0, 1)
    attack_s: Range = (0.0005, 0.002)
    decay_s: Range = (0.2, 0.6)
    sustain: Range = (0.5, 0.9)
    release_s: Range = (0.03, 0.1)
    drive: Range = (0, 0)
    vibrato_cents: Range = (0, 0)
    sub: Range = (0, 0)
    breath: Range = (0, 0)
    glide: Range = (0, 0)
    wobble: tuple[int, ...] = (0,)


PATCHES: dict[str, Patch] = {
    # basses
    "sub_bass": Patch(("sine", "triangle"), cutoff_hz=(200, 600), sustain=(0.8, 1), drive=(0, 1.5)),
    "saw_bass": Patch(
        ("saw", "square", "pulse"),
        (1, 3),
        cutoff_hz=(200, 900),
        sweep=(0, 4),
        sweep_s=(0.04, 0.2),
        sub=(0, 0.8),
        drive=(0, 2),
        resonance=(0, 3),
    ),
    "reese": Patch(
        ("saw",),
        (2, 4),
        (15, 45),
        cutoff_hz=(300, 1500),
        sub=(0.2, 0.8),
        drive=(0.5, 4),
        sustain=(0.9, 1),
    ),
    "acid": Patch(
        ("saw", "square"),
        cutoff_hz=(150, 600),
        sweep=(2, 4.5),
        sweep_s=(0.04, 0.25),
        resonance=(3, 9),
        decay_s=(0.1, 0.3),
        sustain=(0.2, 0.7),
        drive=(0.5, 5),
    ),
    "wobble_bass": Patch(
        ("saw", "square", "digital"),
        (2, 4),
        (10, 30),
        cutoff_hz=(120, 300),
        sweep=(2.5, 5),
        resonance=(1, 5),
        sub=(0.3, 1),
        drive=(1, 8),
        sustain=(1, 1),
        wobble=(1, 2, 3, 4, 6, 8),
    ),
    "growl": Patch(
        ("digital", "pulse"),
        (1, 3),
        (8, 25),
        cutoff_hz=(500, 3000),
        sweep=(0, 3),
        drive=(2, 12),
        sub=(0.2, 0.8),
        wobble=(0, 1, 2, 3),
        vibrato_cents=(0, 20),
    ),
    "808_bass": Patch(
        ("sine",),
        cutoff_hz=(300, 900),
        decay_s=(0.4, 1.2),
        sustain=(0.05, 0.5),
        drive=(0.5, 5),
        glide=(0.2, 1.5),
    ),
    # keys, leads, pads
    "supersaw": Patch(
        ("saw",),
        (5, 8),
        (12, 35),
        cutoff_hz=(4000, 16000),
        sustain=(0.8, 1),
        release_s=(0.05, 0.25),
    ),
    "saw_lead": Patch(
        ("saw", "square", "pulse", "digital"),
        (1, 4),
        cutoff_hz=(1500, 9000),
        sweep=(0, 2),
        vibrato_cents=(0, 35),
        resonance=(0, 3),
        drive=(0, 2),
        glide=(-0.1, 0.1),
    ),
    "pluck": Patch(
        ("saw", "square", "pulse", "triangle"),
        (1, 5),
        cutoff_hz=(300, 1200),
        sweep=(2, 4.5),
        sweep_s=(0.03, 0.15),
        decay_s=(0.08, 0.35),
        sustain=(0, 0.15),
        release_s=(0.05, 0.3),
    ),
    "stab": Patch(
        ("saw", "square", "organ", "digital"),
        (1, 6),
        cutoff_hz=(800, 4000),
        sweep=(0, 3),
        decay_s=(0.08, 0.4),
        sustain=(0, 0.5),
        resonance=(0, 2),
    ),
    "brass": Patch(
        ("saw",),
        (2, 4),
        (5, 15),
        cutoff_hz=(900, 2500),
        sweep=(-1.5, -0.5),
        sweep_s=(0.03, 0.07),
        attack_s=(0.005, 0.02),
        sustain=(0.7, 0.9),
        vibrato_cents=(0, 15),
        breath=(0, 0.05),
    ),
    "organ": Patch(
        ("organ",),
        (1, 2),
        (2, 8),
        cutoff_hz=(3000, 9000),
        sustain=(0.95, 1),
        drive=(0, 1.5),
        vibrato_cents=(0, 12),
    ),
    "accordion": Patch(
        ("reed",), (2, 3), (8, 20), cutoff_hz=(3000, 8000), attack_s=(0.008, 0.03), sustain=(1, 1)
    ),
    "flute": Patch(
        ("triangle", "reed", "sine"),
        cutoff_hz=(1500, 4000),
        attack_s=(0.015, 0.05),
        vibrato_cents=(5, 30),
        breath=(0.03, 0.15),
        sustain=(0.8, 1),
    ),
    "violin": Patch(
        ("saw",),
        (1, 2),
        (3, 8),
        cutoff_hz=(1800, 5000),
        attack_s=(0.01, 0.06),
        vibrato_cents=(10, 35),
        breath=(0.01, 0.05),
        sustain=(0.8, 1),
        release_s=(0.05, 0.2),
    ),
    "sax": Patch(
        ("reed", "pulse"),
        cutoff_hz=(1200, 3500),
        attack_s=(0.006, 0.03),
        glide=(-0.1, 0),
        vibrato_cents=(5, 30),
        breath=(0.03, 0.15),
        drive=(0.5, 2),
        sustain=(0.8, 1),
    ),
    "chip_square": Patch(
        ("pulse", "square"),
        cutoff_hz=(16000, 20000),
        decay_s=(0.1, 0.8),
        sustain=(0.3, 1),
        vibrato_cents=(0, 25),
        release_s=(0.005, 0.02),
    ),
    "chip_triangle": Patch(("triangle",), cutoff_hz=(9000, 16000), sustain=(1, 1)),
}


def subtractive(patch: Patch, rng: np.random.Generator, sample_rate: int) -> Instrument:
    wave = waveform(str(rng.choice(patch.wave)), rng)
    unison = int(rng.integers(patch.unison[0], patch.unison[1] + 1))
    detune = draw(rng, patch.detune_cents) * np.linspace(-1, 1, unison) if unison > 1 else [0.0]
    cutoff_hz, sweep, sweep_s = (
        draw(rng, patch.cutoff_hz),
        draw(rng, patch.sweep),
        draw(rng, patch.sweep_s),
    )
    resonance = draw(rng, patch.resonance)
    attack_s, decay_s, sustain = (
        draw(rng, patch.attack_s),
        draw(rng, patch.decay_s),
        draw(rng, patch.sustain),
    )
    release_s, drive, sub = draw(rng, patch.release_s), draw(rng, patch.drive), draw(rng, patch.sub)
    vibrato, breath, glide = (
        draw(rng, patch.vibrato_cents),
        draw(rng, patch.breath),
        draw(rng, patch.glide),
    )
    vibrato_hz = rng.uniform(4.5, 6.5)
    wobble = int(rng.choice(patch.wobble))
    steps = np.linspace(0, 1, 6 if abs(sweep) > 0.3 or wobble else 1)

    def play(pitches: Pitches, duration_s: float, rng: np.random.Generator) -> Samples:
        n = max(64, int((duration_s + release_s) * sample_rate))
        t = seconds(n, sample_rate)
        position = None
        if len(steps) > 1:
            shape = np.exp(-t / sweep_s)
            if wobble:
                shape = 0.5 - 0.5 * np.cos(2 * np.pi * wobble / duration_s * t)
            position = (shape * (len(steps) - 1)).astype(np.float32)
        out = np.zeros(n, np.float32)
        for pitch in pitches:
            hz = hertz(pitch)
            corner = np.maximum(cutoff_hz * 2.0 ** (sweep * steps), 1.5 * hz)[:, None]
            ratio = HARMONICS * hz / corner
            spectra = (
                wave / np.sqrt(1 + ratio**4) * (1 + resonance * np.exp(-((ratio - 1) ** 2) * 8))
            )
            bend = 0.0 * t
            if vibrato > 1:  # sets in after the onset, as players do
                bend = vibrato / 1200 * np.sin(2 * np.pi * vibrato_hz * t) * -np.expm1(-t / 0.25)
            if abs(glide) > 0.03:
                bend = bend + glide * np.exp(-t / 0.03)
            freq = hz * 2.0**bend if bend.any() else hz
            for cents in detune:
                shifted = freq * 2.0 ** (cents / 1200)
                phase = rng.random() if unison > 1 else 0.0
                out += oscillate(spectra, shifted, n, sample_rate, position, phase)
            if sub > 0.02:
                out += sub * oscillate(np.ones(1), freq * 0.5, n, sample_rate)
            if breath > 0.005:
                out += breath * band_noise(rng, n, sample_rate, 1.5 * hz, 9000, -3)
        if drive > 0.2:
            out = np.tanh((drive / math.sqrt(len(pitches) * unison)) * out)
        out *= adsr(n, duration_s, attack_s, decay_s, sustain, sample_rate)
        return fade_out(out, sample_rate, 0.002)

    return play
