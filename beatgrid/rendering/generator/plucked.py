"""Plucked and struck strings, from harp to distorted guitar; models as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from beatgrid.rendering.generator.dsp import (
    HARMONICS,
    Instrument,
    Pitches,
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
        (0.7, 1.8),
        (0.001, 0.006),
        (0.12, 0.13),
        (1.1, 1.9),
        strings=2,
        knock=(0.01, 0.06),
        release_s=(0.05, 0.25),
    ),
    "honky_piano": String(
        (0.5, 1.2), (0.001, 0.004), (0.1, 0.14), (0.8, 1.3), strings=3, knock=(0.03, 0.1)
    ),
    "guitar": String((0.5, 1.5), strum_s=(0.001, 0.007), knock=(0.02, 0.12)),
    "clean_guitar": String(
        (0.6, 2.0),
        bright=(1.0, 1.5),
        strum_s=(0.001, 0.006),
        drive=(0, 1.5),
        release_s=(0.02, 0.05),
    ),
    "muted_guitar": String(
        bright=(0.7, 1.1),
        strum_s=(0.001, 0.003),
        knock=(0.1, 0.3),
        mute=(0.03, 0.1),
        release_s=(0.01, 0.03),
    ),
    "power_guitar": String(
        (1.5, 4),
        (0.0005, 0.003),
        bright=(0.6, 1.0),
        strum_s=(0, 0.002),
        drive=(15, 80),
        release_s=(0.01, 0.05),
    ),
    "palm_guitar": String(
        (1, 2),
        (0.004, 0.02),
        bright=(0.7, 1.1),
        drive=(10, 50),
        mute=(0.06, 0.2),
        knock=(0.05, 0.2),
        release_s=(0.01, 0.02),
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
}


def string(model: String, rng: np.random.Generator, sample_rate: int) -> Instrument:
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
            rate = (1 + damping * HARMONICS**2) / (mute * decay_s * (220.0 / hz) ** 0.5)
            initial = (
                np.sin(np.pi * HARMONICS * at)
                / HARMONICS**bright
                / np.sqrt(1 + (HARMONICS * hz / 9000) ** 4)
            )
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
