"""Pitched voices. An instrument plays a tuple of MIDI pitches for a number of seconds.

``make(name, rng, sample_rate)`` draws an instrument's parameters once; the result is a function
``(pitches, duration_s, rng) -> float32 (samples,)`` whose note begins at the first sample, so that
onsets are exact wherever the caller puts it. Attack times are part of the sound, as in real music.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from beatgrid.synth.dsp import (
    Range,
    Samples,
    adsr,
    band_noise,
    decay,
    draw,
    fade_out,
    hertz,
    oscillate,
    seconds,
)

Pitches = tuple[float, ...]
Instrument = Callable[[Pitches, float, np.random.Generator], Samples]

_K = np.arange(1, 1000, dtype=np.float64)  # harmonic numbers

#: First three formants (Hz) of sung vowels: a, e, i, o, u, and the Japanese-like flat u.
VOWELS = np.array(
    [
        [800, 1200, 2700],
        [450, 1900, 2600],
        [290, 2250, 3000],
        [480, 850, 2600],
        [320, 700, 2500],
        [380, 1300, 2400],
    ],
    dtype=np.float64,
)


def _wave(name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Amplitudes of the harmonics of a basic waveform, (harmonics,)."""
    if name == "saw":
        return 1.0 / _K
    if name == "square":
        return (_K % 2) / _K
    if name == "triangle":
        return (_K % 2) / _K**2 * np.sin(_K * np.pi / 2)
    if name == "pulse":
        return np.sin(np.pi * _K * rng.uniform(0.1, 0.4)) / _K
    if name == "sine":
        return (_K == 1).astype(float)
    if name == "organ":  # drawbars at random heights
        out = np.zeros_like(_K)
        for harmonic in (1, 2, 3, 4, 6, 8):
            out[harmonic - 1] = rng.uniform(0.05, 1.0)
        return out
    if name == "reed":
        return _K**-0.7 * np.exp(-_K / rng.uniform(6, 25)) * np.where(_K % 2 == 0, 0.5, 1.0)
    if name == "digital":  # a random wavetable
        return rng.standard_normal(len(_K)) * _K ** -rng.uniform(0.8, 1.5)
    raise KeyError(name)


@dataclass(frozen=True)
class Patch:
    """A subtractive synthesiser patch; ranges as in ``draw``.

    Attributes:
        wave: Waveforms to choose from (see ``_wave``).
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
        ("saw", "square", "pulse"), (1, 3), cutoff_hz=(200, 900), sweep=(0, 4), sweep_s=(0.04, 0.2),
        sub=(0, 0.8), drive=(0, 2), resonance=(0, 3),
    ),
    "reese": Patch(
        ("saw",), (2, 4), (15, 45), cutoff_hz=(300, 1500), sub=(0.2, 0.8), drive=(0.5, 4),
        sustain=(0.9, 1),
    ),
    "acid": Patch(
        ("saw", "square"), cutoff_hz=(150, 600), sweep=(2, 4.5), sweep_s=(0.04, 0.25),
        resonance=(3, 9), decay_s=(0.1, 0.3), sustain=(0.2, 0.7), drive=(0.5, 5),
    ),
    "wobble_bass": Patch(
        ("saw", "square", "digital"), (2, 4), (10, 30), cutoff_hz=(120, 300), sweep=(2.5, 5),
        resonance=(1, 5), sub=(0.3, 1), drive=(1, 8), sustain=(1, 1), wobble=(1, 2, 3, 4, 6, 8),
    ),
    "growl": Patch(
        ("digital", "pulse"), (1, 3), (8, 25), cutoff_hz=(500, 3000), sweep=(0, 3), drive=(2, 12),
        sub=(0.2, 0.8), wobble=(0, 1, 2, 3), vibrato_cents=(0, 20),
    ),
    "808_bass": Patch(
        ("sine",), cutoff_hz=(300, 900), decay_s=(0.4, 1.2), sustain=(0.05, 0.5), drive=(0.5, 5),
        glide=(0.2, 1.5),
    ),
    # keys, leads, pads
    "supersaw": Patch(
        ("saw",), (5, 8), (12, 35), cutoff_hz=(4000, 16000), sustain=(0.8, 1), release_s=(0.05, 0.25)
    ),
    "saw_lead": Patch(
        ("saw", "square", "pulse", "digital"), (1, 4), cutoff_hz=(1500, 9000), sweep=(0, 2),
        vibrato_cents=(0, 35), resonance=(0, 3), drive=(0, 2), glide=(-0.1, 0.1),
    ),
    "pluck": Patch(
        ("saw", "square", "pulse", "triangle"), (1, 5), cutoff_hz=(300, 1200), sweep=(2, 4.5),
        sweep_s=(0.03, 0.15), decay_s=(0.08, 0.35), sustain=(0, 0.15), release_s=(0.05, 0.3),
    ),
    "stab": Patch(
        ("saw", "square", "organ", "digital"), (1, 6), cutoff_hz=(800, 4000), sweep=(0, 3),
        decay_s=(0.08, 0.4), sustain=(0, 0.5), resonance=(0, 2),
    ),
    "brass": Patch(
        ("saw",), (2, 4), (5, 15), cutoff_hz=(900, 2500), sweep=(-1.5, -0.5), sweep_s=(0.03, 0.07),
        attack_s=(0.005, 0.02), sustain=(0.7, 0.9), vibrato_cents=(0, 15), breath=(0, 0.05),
    ),
    "organ": Patch(
        ("organ",), (1, 2), (2, 8), cutoff_hz=(3000, 9000), sustain=(0.95, 1), drive=(0, 1.5),
        vibrato_cents=(0, 12),
    ),
    "accordion": Patch(
        ("reed",), (2, 3), (8, 20), cutoff_hz=(3000, 8000), attack_s=(0.008, 0.03), sustain=(1, 1)
    ),
    "flute": Patch(
        ("triangle", "reed", "sine"), cutoff_hz=(1500, 4000), attack_s=(0.015, 0.05),
        vibrato_cents=(5, 30), breath=(0.03, 0.15), sustain=(0.8, 1),
    ),
    "violin": Patch(
        ("saw",), (1, 2), (3, 8), cutoff_hz=(1800, 5000), attack_s=(0.01, 0.06),
        vibrato_cents=(10, 35), breath=(0.01, 0.05), sustain=(0.8, 1), release_s=(0.05, 0.2),
    ),
    "sax": Patch(
        ("reed", "pulse"), cutoff_hz=(1200, 3500), attack_s=(0.006, 0.03), glide=(-0.1, 0),
        vibrato_cents=(5, 30), breath=(0.03, 0.15), drive=(0.5, 2), sustain=(0.8, 1),
    ),
    "chip_square": Patch(
        ("pulse", "square"), cutoff_hz=(16000, 20000), decay_s=(0.1, 0.8), sustain=(0.3, 1),
        vibrato_cents=(0, 25), release_s=(0.005, 0.02),
    ),
    "chip_triangle": Patch(("triangle",), cutoff_hz=(9000, 16000), sustain=(1, 1)),
}  # fmt: skip


def _subtractive(patch: Patch, rng: np.random.Generator, sample_rate: int) -> Instrument:
    wave = _wave(str(rng.choice(patch.wave)), rng)
    unison = int(rng.integers(patch.unison[0], patch.unison[1] + 1))
    detune = draw(rng, patch.detune_cents) * np.linspace(-1, 1, unison) if unison > 1 else [0.0]
    cutoff_hz, sweep, sweep_s = (
        draw(rng, patch.cutoff_hz), draw(rng, patch.sweep), draw(rng, patch.sweep_s)
    )  # fmt: skip
    resonance = draw(rng, patch.resonance)
    attack_s, decay_s, sustain = (
        draw(rng, patch.attack_s), draw(rng, patch.decay_s), draw(rng, patch.sustain)
    )  # fmt: skip
    release_s, drive, sub = draw(rng, patch.release_s), draw(rng, patch.drive), draw(rng, patch.sub)
    vibrato, breath, glide = (
        draw(rng, patch.vibrato_cents), draw(rng, patch.breath), draw(rng, patch.glide)
    )  # fmt: skip
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
            ratio = _K * hz / corner
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


@dataclass(frozen=True)
class String:
    """A plucked or struck string: harmonics that die away one by one, the high ones first.

    Attributes:
        decay_s: Time constant of the fundamental at 220 Hz.
        damping: Growth of the decay rate with the harmonic number squared.
        pluck_at: Place of the pluck along the string, which notches harmonics.
        bright: Exponent of the initial spectrum's fall.
        strings: Detuned strings per note (pianos have three).
        strum_s: Delay from string to string of a chord.
        knock: Level of the noise of pick, hammer or finger.
        mute: Factor on the decay time for palm-muted or damped notes.
        drive: Gain of an overdriven amplifier; 0 is none.
        release_s: Fade after the note's end.
    """

    decay_s: Range = (0.6, 2.0)
    damping: Range = (0.002, 0.01)
    pluck_at: Range = (0.1, 0.3)
    bright: Range = (0.8, 1.3)
    strings: int = 1
    strum_s: Range = (0, 0)
    knock: Range = (0.02, 0.1)
    mute: Range = (1, 1)
    drive: Range = (0, 0)
    release_s: Range = (0.03, 0.1)


STRINGS: dict[str, String] = {
    "piano": String(
        (0.7, 1.8), (0.001, 0.006), (0.12, 0.13), (1.1, 1.9), strings=2, knock=(0.01, 0.06),
        release_s=(0.05, 0.25),
    ),
    "honky_piano": String(
        (0.5, 1.2), (0.001, 0.004), (0.1, 0.14), (0.8, 1.3), strings=3, knock=(0.03, 0.1)
    ),
    "guitar": String((0.5, 1.5), strum_s=(0.001, 0.012), knock=(0.02, 0.12)),
    "clean_guitar": String(
        (0.6, 2.0), bright=(1.0, 1.5), strum_s=(0.001, 0.006), drive=(0, 1.5), release_s=(0.02, 0.05)
    ),
    "muted_guitar": String(
        bright=(0.7, 1.1), strum_s=(0.001, 0.003), knock=(0.1, 0.3), mute=(0.03, 0.1),
        release_s=(0.01, 0.03),
    ),
    "power_guitar": String(
        (1.5, 4), (0.0005, 0.003), bright=(0.6, 1.0), strum_s=(0, 0.002), drive=(15, 80),
        release_s=(0.01, 0.05),
    ),
    "palm_guitar": String(
        (1, 2), (0.004, 0.02), bright=(0.7, 1.1), drive=(10, 50), mute=(0.06, 0.2),
        knock=(0.05, 0.2), release_s=(0.01, 0.02),
    ),
    "solo_guitar": String((2, 5), (0.0005, 0.002), drive=(10, 60), release_s=(0.02, 0.06)),
    "picked_bass": String((0.6, 2), (0.002, 0.01), (0.08, 0.2), (0.9, 1.4), knock=(0.03, 0.15)),
    "slap_bass": String(
        (0.4, 1.2), (0.001, 0.004), (0.04, 0.1), (0.6, 0.9), knock=(0.2, 0.5), drive=(0.5, 2)
    ),
    "upright_bass": String(
        (0.3, 0.8), (0.01, 0.05), (0.15, 0.3), (1.3, 1.9), knock=(0.05, 0.2), release_s=(0.03, 0.08)
    ),
    "harp": String((0.4, 1.2), (0.004, 0.02), (0.3, 0.5), (1.3, 2.0), strum_s=(0, 0.02)),
    "harpsichord": String((0.4, 1), (0.0005, 0.002), (0.08, 0.15), (0.3, 0.8), strings=2),
    "koto": String((0.3, 0.9), (0.003, 0.01), (0.05, 0.12), (0.6, 1.0), knock=(0.05, 0.2)),
    "banjo": String((0.15, 0.4), (0.001, 0.004), (0.05, 0.12), (0.4, 0.8), knock=(0.05, 0.15)),
    "pizzicato": String((0.08, 0.25), (0.004, 0.02), (0.1, 0.2), (1.0, 1.6), knock=(0.03, 0.1)),
}  # fmt: skip


def _string(model: String, rng: np.random.Generator, sample_rate: int) -> Instrument:
    decay_s, damping, at = (
        draw(rng, model.decay_s),
        draw(rng, model.damping),
        draw(rng, model.pluck_at),
    )
    bright, strum_s, knock = (
        draw(rng, model.bright),
        draw(rng, model.strum_s),
        draw(rng, model.knock),
    )
    mute, drive, release_s = (
        draw(rng, model.mute),
        draw(rng, model.drive),
        draw(rng, model.release_s),
    )
    moments_s = np.concatenate([[0.0], np.geomspace(0.02, 4.0, 9)])
    cabinet_hz = draw(rng, (3500, 7000))

    def play(pitches: Pitches, duration_s: float, rng: np.random.Generator) -> Samples:
        n = max(64, int((duration_s + release_s) * sample_rate))
        t = seconds(n, sample_rate)
        position = np.interp(t, moments_s, np.arange(len(moments_s))).astype(np.float32)
        out = np.zeros(n, np.float32)
        for i, pitch in enumerate(sorted(pitches)):
            hz = hertz(pitch)
            rate = (1 + damping * _K**2) / (mute * decay_s * (220.0 / hz) ** 0.5)
            initial = np.sin(np.pi * _K * at) / _K**bright / np.sqrt(1 + (_K * hz / 9000) ** 4)
            spectra = initial * np.exp(-moments_s[:, None] * rate)
            start = min(n - 1, int(i * strum_s * sample_rate))
            for _ in range(model.strings):
                cents = (
                    rng.normal(0, 1.5 if model.strings < 3 else 6.0) if model.strings > 1 else 0.0
                )
                freq = hz * 2.0 ** (cents / 1200)
                out[start:] += oscillate(
                    spectra, freq, n - start, sample_rate, position[: n - start]
                )
        if knock > 0:
            m = min(n, int(0.03 * sample_rate))
            burst = band_noise(rng, m, sample_rate, 800, 5000) * decay(m, 0.004, sample_rate)
            out[:m] += knock * burst
        if drive > 0.3:
            out = np.tanh(drive * out) / np.float32(np.tanh(min(drive, 1)))
            if drive > 5:  # a loudspeaker cabinet rounds the edges off
                size = fft.next_fast_len(n, real=True)
                ratio = np.fft.rfftfreq(size, 1 / sample_rate) / cabinet_hz
                body = fft.rfft(out, size) / (1 + 1j * ratio) ** 3
                out = fft.irfft(body, size)[:n].astype(np.float32)
        out *= adsr(n, duration_s, 0.0003, 1.0, 1.0, sample_rate)
        return fade_out(out, sample_rate, 0.002)

    return play


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
        draw(rng, model.decay_s), draw(rng, model.sustain), draw(rng, model.release_s)
    )  # fmt: skip

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


def _formants(vowel: NDArray[np.float64], hz: float) -> NDArray[np.float64]:
    """Harmonic amplitudes of a sung vowel at a fundamental, (harmonics,)."""
    f = _K * hz
    peaks = sum(
        gain / (1 + ((f - centre) / width) ** 2)
        for centre, width, gain in zip(vowel, (90, 120, 180), (1.0, 0.6, 0.35), strict=True)
    )
    return _K**-0.6 * (peaks + 0.02) / np.sqrt(1 + (f / 6000) ** 4)


def _voice(rng: np.random.Generator, sample_rate: int, effort: float) -> Instrument:
    """A singing, rapping or shouting voice.

    Consonant, then a vowel that moves to another one; ``effort`` 0 sings softly, 1 screams.
    """
    size = rng.uniform(0.88, 1.2)  # of the vocal tract: formants scale with it
    vibrato, vibrato_hz = draw(rng, (4, 50)), rng.uniform(4.5, 6.5)
    breath = draw(rng, (0.01, 0.1)) + 0.5 * effort**2

    def play(pitches: Pitches, duration_s: float, rng: np.random.Generator) -> Samples:
        release_s = 0.05
        n = max(64, int((duration_s + release_s) * sample_rate))
        t = seconds(n, sample_rate)
        out = np.zeros(n, np.float32)
        consonant_s = rng.choice([0.0, 0.02, 0.05, 0.08]) * min(1.0, 4 * duration_s)
        for pitch in pitches:
            hz = hertz(pitch)
            vowels = VOWELS[rng.integers(len(VOWELS), size=2)] * size
            spectra = np.stack([_formants(vowels[0], hz), _formants(vowels[1], hz)])
            bend = vibrato / 1200 * np.sin(2 * np.pi * vibrato_hz * t) * -np.expm1(-t / 0.3)
            bend = bend - rng.uniform(0, 0.25) * np.exp(-t / rng.uniform(0.02, 0.06))
            bend = bend + np.float32(effort * 0.02) * rng.standard_normal(n, dtype=np.float32)
            glide = np.clip(t / (0.6 * duration_s), 0, 1)
            out += oscillate(spectra, hz * 2.0**bend, n, sample_rate, glide, rng.random())
        noise = band_noise(rng, n, sample_rate, 1200, 9000)
        out += float(breath * np.std(out)) * noise
        if effort > 0.5:
            out = np.tanh(out * float(4 * effort / (np.std(out) + 1e-9)))
        out *= adsr(n, duration_s, consonant_s + rng.uniform(0.004, 0.03), 0.5, 0.75, sample_rate)
        if consonant_s > 0:
            m = min(n, int((consonant_s + 0.01) * sample_rate))
            hiss = noise[:m] * np.sin(np.linspace(0, np.pi, m, dtype=np.float32))
            out[:m] += float(rng.uniform(0.1, 0.7) * np.std(out)) * hiss
        return fade_out(out, sample_rate)

    return play


@dataclass(frozen=True)
class Ensemble:
    """Many players at once: harmonics smeared to bands, drawn as one spectrum (as PADsynth)."""

    wave: tuple[str, ...]
    cents: Range
    cutoff_hz: Range
    attack_s: Range
    release_s: Range
    vowel: bool = False


ENSEMBLES: dict[str, Ensemble] = {
    "pad": Ensemble(("saw", "square", "digital", "organ"), (6, 30), (600, 5000), (0.02, 0.5), (0.2, 0.8)),
    "strings": Ensemble(("saw",), (6, 18), (2500, 7000), (0.03, 0.15), (0.1, 0.4)),
    "spiccato": Ensemble(("saw",), (5, 14), (2500, 8000), (0.003, 0.012), (0.05, 0.15)),
    "choir": Ensemble(("saw",), (10, 30), (2500, 5000), (0.03, 0.2), (0.1, 0.4), vowel=True),
    "wall": Ensemble(("saw",), (12, 40), (5000, 16000), (0.001, 0.004), (0.05, 0.2)),
}  # fmt: skip


def _ensemble(model: Ensemble, rng: np.random.Generator, sample_rate: int) -> Instrument:
    wave = _wave(str(rng.choice(model.wave)), rng)
    cents, cutoff_hz = draw(rng, model.cents), draw(rng, model.cutoff_hz)
    attack_s, release_s = draw(rng, model.attack_s), draw(rng, model.release_s)

    def play(pitches: Pitches, duration_s: float, rng: np.random.Generator) -> Samples:
        n = max(64, int((duration_s + release_s) * sample_rate))
        size = fft.next_fast_len(n, real=True)
        spectrum = np.zeros(size // 2 + 1, np.complex64)
        vowel = VOWELS[rng.integers(len(VOWELS))] if model.vowel else None
        for pitch in pitches:
            hz = hertz(pitch)
            amplitude = wave / np.sqrt(1 + (_K * hz / cutoff_hz) ** 4)
            if vowel is not None:
                amplitude = amplitude * _formants(vowel, hz) * _K**0.6
            for k in range(1, min(80, int(0.45 * sample_rate / hz)) + 1):
                centre = k * hz * size / sample_rate
                width = max(centre * (2 ** (cents / 1200) - 1), 0.7)
                low, high = max(int(centre - 3 * width), 1), int(centre + 3 * width) + 2
                bins = np.arange(low, min(high, len(spectrum)))
                bump = np.exp(-(((bins - centre) / width) ** 2)) / np.sqrt(width)
                spectrum[bins] += (
                    amplitude[k - 1] * bump * np.exp(2j * np.pi * rng.random(len(bins)))
                )
        out = fft.irfft(spectrum, size)[:n].astype(np.float32)
        out /= np.float32(np.std(out) + 1e-12)
        return out * adsr(n, duration_s, attack_s, 1.0, 1.0, sample_rate)

    return play


#: Effort of the voices (see ``_voice``).
VOICES: dict[str, float] = {"vocal": 0.1, "rap": 0.35, "shout": 0.7, "scream": 1.0}

INSTRUMENTS = (*PATCHES, *STRINGS, *FM, *ENSEMBLES, *VOICES)


def make(name: str, rng: np.random.Generator, sample_rate: int) -> Instrument:
    """Draw one instrument of the kind ``name`` (one of ``INSTRUMENTS``).

    Raises:
        KeyError: There is no instrument of that name.
    """
    if name in PATCHES:
        return _subtractive(PATCHES[name], rng, sample_rate)
    if name in STRINGS:
        return _string(STRINGS[name], rng, sample_rate)
    if name in FM:
        return _fm(FM[name], rng, sample_rate)
    if name in ENSEMBLES:
        return _ensemble(ENSEMBLES[name], rng, sample_rate)
    return _voice(rng, sample_rate, VOICES[name])
