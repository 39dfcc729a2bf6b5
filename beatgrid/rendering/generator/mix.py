"""Mixing and mastering of one track: levels, ducking, echo, room, tone, loudness.

No step moves an onset: filters are zero-phase and smooth, echo and room only add later sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, signal

from beatgrid.rendering.generator.dsp import Range, Samples, band_noise, draw, joined, seconds
from beatgrid.rendering.generator.template import Genre

#: Level in dB against the drums, by role.
ROLE_DB: dict[str, Range] = {
    "bass": (-6.0, 3.0),
    "comp": (-10.0, 1.0),
    "pad": (-14.0, -3.0),
    "arp": (-13.0, -1.0),
    "lead": (-8.0, 3.0),
}

#: Peak level in dB of each drum against the kick; drums not named share one range.
DRUM_DB: dict[str, Range] = {
    "kick": (-1, 1),
    "snare": (-5, 0),
    "clap": (-7, -2),
    "hat": (-19, -9),
    "open": (-17, -7),
    "ride": (-18, -9),
    "crash": (-17, -8),
    "shaker": (-22, -12),
    "tambourine": (-18, -9),
}
OTHER_DRUM_DB: Range = (-12.0, -3.0)


def gain(db: float) -> np.float32:
    """Return the linear amplitude of a level in dB."""
    return np.float32(10 ** (db / 20))


def place(out: Samples, sound: Samples, start: int, level: float) -> None:
    """Add a sound to ``out`` at sample ``start``, cut to what lies inside; in place."""
    begin, end = max(start, 0), min(start + len(sound), len(out))
    if begin < end:
        out[begin:end] += np.float32(level) * sound[begin - start : end - start]


def loudness(x: Samples) -> float:
    """Return the RMS of the louder blocks of a signal that may pause, linear; 0 for silence."""
    blocks = x[: len(x) // 4096 * 4096].reshape(-1, 4096)
    power = np.einsum("ij,ij->i", blocks, blocks) / 4096 if len(blocks) else np.zeros(1)
    sounding = power[power > 1e-4 * power.max(initial=0.0)]
    return float(np.sqrt(np.quantile(sounding, 0.7))) if len(sounding) else 0.0


@dataclass(frozen=True)
class Track:
    """One player's sound before mixing.

    Attributes:
        role: As in ``template.Part``, or "drums".
        samples: float32 (samples,).
        voice: Name of the instrument; a drummer has none.
    """

    role: str
    samples: Samples
    voice: str = ""


def duck(
    x: Samples, kicks_s: NDArray[np.float64], depth: float, recovery_s: float, rate: int
) -> None:
    """Pull the level down at each kick and let it recover, in place."""
    n = int(recovery_s * rate)
    shape = (
        np.float32(1.0) - np.float32(depth) * (1.0 - seconds(n, rate) / np.float32(recovery_s)) ** 2
    )
    fade_in = int(0.004 * rate)
    shape[:fade_in] = np.linspace(1.0, shape[fade_in], fade_in, dtype=np.float32)
    starts = np.round(kicks_s * rate).astype(int)
    for start, following in zip(starts, [*starts[1:], len(x) + n], strict=True):
        begin, end = max(start, 0), min(start + n, following, len(x))
        if begin < end:
            x[begin:end] *= shape[begin - start : end - start]


def echo(x: Samples, delay_s: float, feedback: float, rate: int) -> Samples:
    """Return the echo of a signal without the direct sound, four repeats."""
    out = np.zeros_like(x)
    for i in range(1, 5):
        shift = round(i * delay_s * rate)
        if shift < len(x):
            out[shift:] += np.float32(feedback**i) * x[:-shift]
    return out


def room(rng: np.random.Generator, rate: int) -> Samples:
    """Return the impulse response of a random room without its direct sound, energy 1."""
    decay_s = draw(rng, (0.1, 0.8))
    n = int(min(4 * decay_s, 2.0) * rate)
    tail = band_noise(rng, n, rate, draw(rng, (100, 400)), draw(rng, (2500, 9000)), -1.5)
    tail *= np.exp(-seconds(n, rate) / np.float32(decay_s))
    tail[: int(draw(rng, (0.002, 0.03)) * rate)] = 0.0
    return tail / np.float32(np.sqrt(np.sum(tail**2)) + 1e-12)


def mix(
    tracks: list[Track],
    kicks_s: NDArray[np.float64],
    section_gain: Samples,
    muffled: Samples | None,
    beat_s: float,
    genre: Genre,
    rng: np.random.Generator,
    rate: int,
) -> Samples:
    """Balance, treat and master the tracks.

    Args:
        tracks: All players.
        kicks_s: Times of the kicks, which duck the music in genres that do.
        section_gain: Gain over time that follows the form, (samples,).
        muffled: How far the low-pass filter on the mix is closed, 0 to 1, (samples,), or None.
        beat_s: Length of a beat, for echoes in time with the music.
        genre: Template whose ranges apply.
        rng: Source of randomness.
        rate: Sample rate in hertz.

    Returns:
        Mastered mono mix, float32 (samples,), peak at most 1.
    """
    n = len(section_gain)
    dry, music, wet, echoed = (np.zeros(n, np.float32) for _ in range(4))
    drums_level = loudness(
        sum((t.samples for t in tracks if t.role == "drums"), np.zeros(n, np.float32))
    )
    drums_db = float(rng.uniform(-4, 5))
    music_room = draw(rng, (0.03, 0.6))
    drum_room = draw(rng, (0.01, 0.25))
    for track in tracks:
        if track.role == "drums":
            level = gain(drums_db) / np.float32(drums_level + 1e-9)
            dry += level * track.samples
            wet += (level * np.float32(drum_room)) * track.samples
            continue
        level = gain(float(rng.uniform(*ROLE_DB[track.role]))) / np.float32(
            loudness(track.samples) + 1e-9
        )
        if level > 1e6:
            continue
        scaled = level * track.samples
        music += scaled
        if track.role != "bass":
            wet += np.float32(music_room * rng.uniform(0.4, 1.5)) * scaled
            if track.role in ("lead", "arp") and rng.random() < 0.5:
                echoed += np.float32(draw(rng, (0.1, 0.5))) * scaled
    if echoed.any():
        delay_beats = float(rng.choice([0.75, 0.5, 1.0, 0.25, 1 / 3, 1.5]))
        music += echo(echoed, delay_beats * beat_s, draw(rng, (0.25, 0.6)), rate)
    depth = float(rng.uniform(*genre.sidechain))
    if depth > 0.05 and len(kicks_s):
        duck(music, kicks_s, depth, float(rng.uniform(0.4, 1.0)) * min(beat_s, 0.5), rate)
    music *= section_gain
    dry += music
    if muffled is not None:
        corner_hz = draw(rng, (250, 1500))
        sos = signal.butter(2, corner_hz, fs=rate, output="sos").astype(np.float32)
        dry += muffled * (signal.sosfilt(sos, dry).astype(np.float32) - dry)
        wet *= 1 - 0.9 * muffled
    return master(dry, wet, genre, rng, rate)


def master(
    dry: Samples, wet: Samples, genre: Genre, rng: np.random.Generator, rate: int
) -> Samples:
    """Add the room, balance the spectrum, raise the loudness, limit."""
    n = len(dry)
    lofi = rng.random() < genre.lofi
    size = fft.next_fast_len(n + rate // 20, real=True)
    spectrum = fft.rfft(dry + signal.oaconvolve(wet, room(rng, rate))[:n], size)
    spectrum *= _tone(spectrum, rng, rate, lofi)
    out = fft.irfft(spectrum, size)[:n].astype(np.float32)

    target_db = float(rng.uniform(*genre.rms_db))
    drive = draw(rng, genre.drive)
    out *= np.float32(1.0) / np.float32(loudness(out) + 1e-9)
    out = compressed(out, rate, ratio=draw(rng, genre.compression))
    # tanh at a level where the RMS is a third of full scale at drive 1: loud masters flatten more.
    out = np.tanh(np.float32(0.33 * drive) * out) / np.float32(np.tanh(0.33 * drive))
    out = limited(out * (gain(target_db) / np.float32(loudness(out) + 1e-9)), rate)
    floor_db = float(rng.uniform(-50, -38)) if lofi else float(rng.uniform(-100, -55))
    hiss = band_noise(rng, min(n, 1 << 18), rate, 200, 9000, -3.0)
    out += gain(target_db + floor_db + 12) * np.resize(hiss, n)
    return (out * np.float32(min(1.0, 0.99 / (np.max(np.abs(out), initial=0.0) + 1e-9)))).astype(
        np.float32
    )


def _tone(
    spectrum: NDArray[np.complexfloating], rng: np.random.Generator, rate: int, lofi: bool
) -> NDArray[np.float32]:
    """Return the gain per bin that moves a mix towards the balance of a mastered record.

    Real masters fall by 4 to 6 dB per octave; each target has its own slope and bumps, and only
    part of the way is gone, so that sparse and dull pieces stay sparse and dull.
    """
    edges = np.geomspace(30.0, min(16000.0, 0.45 * rate), 28)
    bins = np.minimum((edges / (0.5 * rate) * (len(spectrum) - 1)).astype(int), len(spectrum) - 1)
    power = spectrum.real**2 + spectrum.imag**2
    sums = np.add.reduceat(power, bins)[:-1] / np.maximum(np.diff(bins), 1)
    level_db = 10 * np.log10(sums + 1e-12 * sums.max() + 1e-30)
    centre = np.sqrt(edges[:-1] * edges[1:])
    octaves = np.log2(centre / 100.0)
    slope = float(rng.uniform(-6.5, -3.5))
    target_db = slope * np.maximum(octaves, 0) + np.minimum(octaves, 0) * float(rng.uniform(-1, 4))
    target_db += np.interp(octaves, np.linspace(-2, 8, 6), rng.normal(0, 2.0, 6))
    change_db = target_db - level_db
    change_db -= np.median(change_db)
    change_db = ndimage.gaussian_filter1d(np.clip(change_db, -14, 14), 1.5) * float(
        rng.uniform(0.3, 0.9)
    )
    if lofi:
        corner = draw(rng, (3000, 8000))
        change_db -= 9 * np.maximum(np.log2(centre / corner), 0) + 6 * np.maximum(
            -np.log2(centre / 120), 0
        )
    block = 1 + len(spectrum) // 4096
    freq = np.arange(0, len(spectrum) + block, block) * (0.5 * rate / (len(spectrum) - 1))
    curve = np.interp(np.log(freq + 1.0), np.log(centre + 1.0), change_db)
    curve -= 12 * np.maximum(np.log2(25.0 / np.maximum(freq, 5.0)), 0)  # nothing below hearing
    if rng.random() < 0.75:  # what lossy codecs leave of the top
        edge = float(rng.choice([15500, 16000, 16000, 17000, 18500, 19500]))
        curve -= np.clip((freq - edge) / 400, 0, 1) * 60
    return joined(10 ** (curve / 20), block, len(spectrum))


def compressed(x: Samples, rate: int, ratio: float, block: int = 1024) -> Samples:
    """Even out the level of a signal of loudness 1, as compressors on the whole mix do.

    The level is taken over +-60 ms around each block, slow against an onset, so that drums keep
    their attack while quiet passages come up by at most 12 dB.

    Args:
        x: Signal (samples,).
        rate: Sample rate in hertz.
        ratio: Change of level in dB that is left as one; 1 does nothing.
        block: Samples per gain value.
    """
    n_blocks = -(-len(x) // block)
    blocks = np.resize(x, n_blocks * block).reshape(n_blocks, block)
    power = np.einsum("ij,ij->i", blocks, blocks) / block
    power = ndimage.gaussian_filter1d(power.astype(np.float64), 0.06 * rate / block)
    change = np.clip(np.sqrt(power + 1e-9) ** (1.0 / ratio - 1.0), 0.25, 4.0)
    return x * joined(change, block, len(x))


def limited(x: Samples, rate: int, ceiling: float = 0.98, block: int = 64) -> Samples:
    """Limit the peaks with look-ahead: gain from block peaks, held, smoothed, interpolated.

    Args:
        x: Signal (samples,).
        rate: Sample rate in hertz.
        ceiling: Highest peak let through.
        block: Samples per gain value.
    """
    n_blocks = -(-len(x) // block)
    peaks = np.abs(np.resize(x, n_blocks * block)).reshape(n_blocks, block).max(1)
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    width = max(3, int(0.01 * rate / block))
    held = ndimage.minimum_filter1d(needed, 2 * width + 1)
    smooth = ndimage.uniform_filter1d(held, 2 * width - 1)
    return np.clip(x * joined(smooth, block, len(x)), -1.0, 1.0)


def sweep(rng: np.random.Generator, length_s: float, rate: int) -> Samples:
    """Render a riser: noise that grows louder and brighter, at times with a sliding tone."""
    n = int(length_s * rate)
    t = np.linspace(0, 1, n, dtype=np.float32)
    dark = band_noise(rng, n, rate, 150, 900)
    bright = band_noise(rng, n, rate, 2500, 12000)
    out = (1 - t) * dark + t * bright
    if rng.random() < 0.4:
        out += 1.5 * signal.sawtooth(2 * np.pi * np.cumsum(150 * 2 ** (3 * t)) / rate).astype(
            np.float32
        )
    out *= t**1.5
    return (out / np.float32(np.max(np.abs(out), initial=1e-9))).astype(np.float32)
