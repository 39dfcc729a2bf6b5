"""Voices, and ensembles of many: a singer by formants, choirs and strings by smeared spectra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

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
from beatgrid.rendering.generator.subtractive import waveform

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


def _formants(vowel: NDArray[np.float64], hz: float) -> NDArray[np.float64]:
    """Return the harmonic amplitudes of a sung vowel at a fundamental, (harmonics,)."""
    f = HARMONICS * hz
    peaks = sum(
        gain / (1 + ((f - centre) / width) ** 2)
        for centre, width, gain in zip(vowel, (90, 120, 180), (1.0, 0.6, 0.35), strict=True)
    )
    return HARMONICS**-0.6 * (peaks + 0.02) / np.sqrt(1 + (f / 6000) ** 4)


def voice(rng: np.random.Generator, sample_rate: int, effort: float) -> Instrument:
    """Render a singing, rapping or shouting voice.

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
    "pad": Ensemble(
        ("saw", "square", "digital", "organ"), (6, 30), (600, 5000), (0.02, 0.5), (0.2, 0.8)
    ),
    "strings": Ensemble(("saw",), (6, 18), (2500, 7000), (0.03, 0.15), (0.1, 0.4)),
    "spiccato": Ensemble(("saw",), (5, 14), (2500, 8000), (0.003, 0.012), (0.05, 0.15)),
    "choir": Ensemble(("saw",), (10, 30), (2500, 5000), (0.03, 0.2), (0.1, 0.4), vowel=True),
    "wall": Ensemble(("saw",), (12, 40), (5000, 16000), (0.001, 0.004), (0.05, 0.2)),
}


def ensemble(model: Ensemble, rng: np.random.Generator, sample_rate: int) -> Instrument:
    wave = waveform(str(rng.choice(model.wave)), rng)
    cents, cutoff_hz = draw(rng, model.cents), draw(rng, model.cutoff_hz)
    attack_s, release_s = draw(rng, model.attack_s), draw(rng, model.release_s)

    def play(pitches: Pitches, duration_s: float, rng: np.random.Generator) -> Samples:
        n = max(64, int((duration_s + release_s) * sample_rate))
        size = fft.next_fast_len(n, real=True)
        envelope = np.zeros(size // 2 + 1, np.float32)
        vowel = VOWELS[rng.integers(len(VOWELS))] if model.vowel else None
        for pitch in pitches:
            hz = hertz(pitch)
            amplitude = wave / np.sqrt(1 + (HARMONICS * hz / cutoff_hz) ** 4)
            if vowel is not None:
                amplitude = amplitude * _formants(vowel, hz) * HARMONICS**0.6
            for k in range(1, min(60, int(0.45 * sample_rate / hz)) + 1):
                centre = k * hz * size / sample_rate
                width = max(centre * (2 ** (cents / 1200) - 1), 0.7)
                low, high = max(int(centre - 2 * width), 1), int(centre + 2 * width) + 2
                bins = np.arange(low, min(high, len(envelope)), dtype=np.float32)
                bump = np.exp(-(((bins - np.float32(centre)) / np.float32(width)) ** 2))
                envelope[low : low + len(bins)] += np.float32(amplitude[k - 1] / width**0.5) * bump
        noise = rng.standard_normal((2, len(envelope)), dtype=np.float32)
        spectrum = envelope * (noise[0] + 1j * noise[1])
        out = fft.irfft(spectrum, size)[:n].astype(np.float32)
        out /= np.float32(np.std(out) + 1e-12)
        return out * adsr(n, duration_s, attack_s, 1.0, 1.0, sample_rate)

    return play


#: Effort of the voices (see ``voice``).
VOICES: dict[str, float] = {"vocal": 0.1, "rap": 0.35, "shout": 0.7, "scream": 1.0}
