"""Signal primitives that every voice is made of: envelopes, wavetables, shaped noise, curves.

Everything is float32 (samples,) mono. Oscillators run through band-limited tables and noise is
drawn in the frequency domain, so nothing here loops over samples: speed is what lets a training
set of many hours be rendered from seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Samples = NDArray[np.float32]
Range = tuple[float, float]

Pitches = tuple[float, ...]
"""MIDI note numbers sounding together."""

Instrument = Callable[[Pitches, float, np.random.Generator], Samples]
"""Plays pitches for a number of seconds: float32 (samples,), beginning with its onset."""

HARMONICS = np.arange(1, 1000, dtype=np.float64)
TABLE_SIZE = 2048


def draw(rng: np.random.Generator, bounds: Range) -> float:
    """Draw from (low, high): log-uniform where both are positive, else uniform.

    Frequencies, times and gains are perceived as ratios; detunings and offsets around 0 are not.
    """
    low, high = bounds
    if low > 0 and high > 0:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))


def seconds(n: int, sample_rate: int) -> Samples:
    """Return the time of each of ``n`` samples in seconds, float32 (n,)."""
    return np.arange(n, dtype=np.float32) / np.float32(sample_rate)


def decay(n: int, tau_s: float, sample_rate: int) -> Samples:
    """Return an exponential decay from 1 with time constant ``tau_s``, (n,)."""
    return np.exp(seconds(n, sample_rate) * np.float32(-1.0 / tau_s))


def adsr(
    n: int, held_s: float, attack_s: float, decay_s: float, sustain: float, sample_rate: int
) -> Samples:
    """Return an envelope held for ``held_s`` and released over the rest of the ``n`` samples, (n,).

    The attack is a raised cosine of at least 0.3 ms (no click louder than the note itself), the
    decay exponential, the release a straight line to 0 at the last sample.
    """
    n_attack = min(n, max(12, int(attack_s * sample_rate)))
    n_held = min(n, max(n_attack, int(held_s * sample_rate)))
    out = np.float32(sustain) + np.float32(1.0 - sustain) * decay(
        n, max(decay_s, 1e-3), sample_rate
    )
    out[:n_attack] *= 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, n_attack, dtype=np.float32))
    out[n_held:] *= np.linspace(1, 0, n - n_held, dtype=np.float32)
    return out


def fade_out(x: Samples, sample_rate: int, fade_s: float = 0.005) -> Samples:
    """Fade the last ``fade_s`` to zero, in place; returns ``x``."""
    n = min(len(x), int(fade_s * sample_rate))
    if n:
        x[-n:] *= np.linspace(1, 0, n, dtype=np.float32)
    return x


def peak_normalised(x: Samples) -> Samples:
    """Scale ``x`` to a peak of 1; silence stays silence."""
    peak = float(np.max(np.abs(x), initial=0.0))
    return x / np.float32(peak) if peak > 1e-9 else x


def oscillate(
    spectra: NDArray[np.complexfloating] | NDArray[np.floating],
    freq_hz: float | Samples,
    n: int,
    sample_rate: int,
    position: Samples | None = None,
    phase: float = 0.0,
) -> Samples:
    """Play one or several single-cycle spectra, crossfading between neighbours over time.

    Args:
        spectra: Complex amplitude of the harmonics 1, 2, ... per table, (tables, harmonics) or
            (harmonics,); a real amplitude stands for a sine. Harmonics that would alias at the
            highest ``freq_hz`` are left out.
        freq_hz: Fundamental in hertz, a number or one per sample (samples,).
        n: Number of samples.
        sample_rate: In hertz.
        position: Table read at each sample, fractional in [0, tables - 1], (samples,); by
            default the first one.
        phase: Phase at the first sample in cycles.

    Returns:
        float32 (samples,).
    """
    spectra = np.atleast_2d(spectra)
    n_harmonics = min(
        spectra.shape[1], int(0.5 * sample_rate / float(np.max(freq_hz))), TABLE_SIZE // 2 - 1
    )
    if n_harmonics < 1:
        return np.zeros(n, np.float32)
    bins = np.zeros((len(spectra), TABLE_SIZE // 2 + 1), np.complex64)
    bins[:, 1 : n_harmonics + 1] = spectra[:, :n_harmonics] * np.complex64(-0.5j * TABLE_SIZE)
    tables = np.empty((len(spectra), TABLE_SIZE + 1), np.float32)
    tables[:, :-1] = fft.irfft(bins, TABLE_SIZE)
    tables[:, -1] = tables[:, 0]  # the neighbour of the last entry is the first
    flat = tables.ravel()

    if np.ndim(freq_hz) == 0:
        cycles = phase + np.arange(n) * (float(freq_hz) / sample_rate)
    else:
        steps = np.asarray(freq_hz, np.float64) / sample_rate
        cycles = phase + np.cumsum(steps) - steps[0]
    cycles -= np.floor(cycles)
    cycles *= TABLE_SIZE
    index = cycles.astype(np.int32)
    fraction = (cycles - index).astype(np.float32)

    def read(start: NDArray[np.int32]) -> Samples:
        low = flat.take(start)
        return low + fraction * (flat.take(start + 1) - low)

    if position is None or len(spectra) == 1:
        return read(index)
    # Rounding after the clip keeps the last table reachable without reading beyond it.
    table = np.clip(position, 0, len(spectra) - 1.0001).astype(np.int32)
    blend = np.clip(position, 0, len(spectra) - 1) - table
    index += table * np.int32(TABLE_SIZE + 1)
    near = read(index)
    return near + blend.astype(np.float32) * (read(index + np.int32(TABLE_SIZE + 1)) - near)


def band_noise(
    rng: np.random.Generator,
    n: int,
    sample_rate: int,
    low_hz: float,
    high_hz: float,
    slope_db: float = 0.0,
) -> Samples:
    """Return noise between two corner frequencies with gentle flanks, RMS about 1, (n,).

    Args:
        rng: Source of randomness.
        n: Number of samples.
        sample_rate: In hertz.
        low_hz: Lower corner.
        high_hz: Upper corner.
        slope_db: Tilt inside the band in dB per octave.
    """
    size = fft.next_fast_len(max(n, 16), real=True)
    freq = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(sample_rate / size)
    freq[0] = freq[1]
    gain = 1.0 / np.sqrt((1 + (low_hz / freq) ** 4) * (1 + (freq / high_hz) ** 6))
    if slope_db:
        gain *= (freq / max(low_hz, 20.0)) ** np.float32(slope_db / 6.02)
    noise = rng.standard_normal((2, len(freq)), dtype=np.float32)
    x = fft.irfft((noise[0] + 1j * noise[1]) * gain, size)[:n].astype(np.float32)
    return x / np.float32(np.sqrt(np.mean(x * x)) + 1e-12)


def joined(knots: NDArray[np.floating], block: int, n: int) -> Samples:
    """Interpolate linearly between values ``block`` samples apart, (n,); the last one is held.

    Args:
        knots: Values at samples 0, ``block``, 2 ``block`` ..., (knots,).
        block: Distance of the knots.
        n: Number of samples.
    """
    start = np.asarray(knots, np.float32)[: -(-n // block)]
    rise = np.diff(np.append(knots, knots[-1]).astype(np.float32))[: len(start)]
    ramp = np.arange(block, dtype=np.float32) / np.float32(block)
    lines = (start[:, None] + rise[:, None] * ramp).ravel()
    return np.pad(lines, (0, max(0, n - len(lines))), mode="edge")[:n]


def hertz(midi: float) -> float:
    """Return the frequency of a MIDI note number; 69 is 440 Hz."""
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))
