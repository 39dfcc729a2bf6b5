"""Part 9: bare percussion out of silence; do its beats lie at the attacks?

One sound on every beat and nothing else, through the shipped network and through spectral flux,
each with and without the attacks that are measured apart from the activation. Errors in
milliseconds, from the first sample of the sound: negative is early.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from tables import write_table

import beatgrid
from beatgrid.audio.features import log_mel
from beatgrid.calibration.synthetic import log_uniform
from beatgrid.grid import FloatArray, Grid
from beatgrid.predictor import Predictor

RATE = 44100
DURATION_S = 16.0
TRACKS_PER_SOUND = 2
SEED = 9
# Beats farther from a hit than this are those of another level.
NEAR_S = 0.05
NOISE_DB = -50.0


def _t(duration_s: float) -> FloatArray:
    return np.arange(int(duration_s * RATE)) / RATE


def _noise(rng: np.random.Generator, per_s: float, duration_s: float) -> FloatArray:
    return rng.standard_normal(int(duration_s * RATE)) * np.exp(-per_s * _t(duration_s))


def _kick(rng: np.random.Generator) -> FloatArray:
    t = _t(0.3)
    return np.sin(2 * np.pi * np.cumsum(48 + 102 * np.exp(-t * 35)) / RATE) * np.exp(-t * 9)


def _clap(rng: np.random.Generator) -> FloatArray:
    """Three bursts within 18 ms, and a tail."""
    t = _t(0.2)
    level = np.exp(-t * 250) + np.where(t >= 0.009, np.exp(-(t - 0.009) * 250), 0)
    level += np.where(t >= 0.018, np.exp(-(t - 0.018) * 35), 0)
    return rng.standard_normal(len(t)) * level


SOUNDS: dict[str, tuple[Callable[[np.random.Generator], FloatArray], float]] = {
    "impulse": (lambda rng: np.array([1.0]), 0.0),
    "click": (lambda rng: np.cos(2 * np.pi * 1500 * _t(0.03)) * np.exp(-230 * _t(0.03)), 0.0),
    "beep cut off at 50 ms": (lambda rng: np.sin(2 * np.pi * 1000 * _t(0.05)), 0.001),
    "rim": (lambda rng: np.sin(2 * np.pi * 1700 * _t(0.05)) * np.exp(-90 * _t(0.05)), 0.0),
    "hi-hat": (lambda rng: np.diff(_noise(rng, 70, 0.05)), 0.0),
    "open hi-hat": (lambda rng: np.diff(_noise(rng, 14, 0.22)), 0.0),
    "snare": (lambda rng: _noise(rng, 22, 0.2), 0.0),
    "kick": (_kick, 0.0),
    "kick, attack 2 ms": (_kick, 0.002),
    "kick, attack 5 ms": (_kick, 0.005),
    "kick, attack 10 ms": (_kick, 0.010),
    "clap": (_clap, 0.0),
    "noise, attack 10 ms": (lambda rng: _noise(rng, 22, 0.2), 0.010),
    "noise, attack 20 ms": (lambda rng: _noise(rng, 22, 0.2), 0.020),
}


def played(name: str, rng: np.random.Generator, in_room: bool) -> tuple[FloatArray, FloatArray]:
    """Play a sound on every beat; return samples and when the sound begins."""
    make, attack_s = SOUNDS[name]
    grid = Grid(round(log_uniform(rng, 60, 200), 2), float(rng.uniform(0.1, 1.0)))
    beats_s = grid.beat_times(DURATION_S - 0.1)
    samples = np.zeros(int(DURATION_S * RATE))
    decay_s, wet = rng.uniform(0.4, 1.5), 10 ** (-rng.uniform(8, 18) / 20)
    room = rng.standard_normal(RATE // 2) * 10 ** (-3 * _t(0.5) / decay_s)
    room *= wet / np.sqrt((room**2).sum())
    for i, start in enumerate(np.round(beats_s * RATE).astype(int)):
        sound = make(rng)
        if attack_s:
            sound = sound * np.minimum(np.arange(len(sound)) / (attack_s * RATE), 1)
        if in_room:
            n = len(sound) + len(room)
            tail = np.fft.irfft(np.fft.rfft(sound, n) * np.fft.rfft(room, n), n)
            sound = tail + np.pad(sound, (0, n - len(sound)))
        end = min(start + len(sound), len(samples))
        samples[start:end] += (0.7 if i % 4 else 1.0) * sound[: end - start]
    samples *= 0.8 / np.abs(samples).max()
    if in_room:
        hiss = rng.standard_normal(len(samples))
        hiss[1:] += hiss[:-1]
        samples += hiss / hiss.std() * 0.8 * 10 ** (NOISE_DB / 20)
    return samples, beats_s


def errors_ms(predictor: Predictor, samples: FloatArray, beats_s: FloatArray) -> list[float]:
    """Return the median error without and with attacks; NaN where most beats are others."""
    duration_s = len(samples) / RATE
    activation = predictor.source(
        log_mel(samples.astype(np.float32), predictor.features), duration_s
    )
    errors = []
    for given in (replace(activation, attacks_s=None), activation):
        found_s = predictor.search(given, predictor.source.ranker).beats_in(duration_s).times_s
        errors.append(float("nan"))
        if len(found_s):
            nearest = np.abs(found_s[:, None] - beats_s).argmin(axis=1)
            error_s = found_s - beats_s[nearest]
            near = np.abs(error_s) < NEAR_S
            if np.count_nonzero(near) >= 0.4 * len(beats_s):
                errors[-1] = 1000 * float(np.median(error_s[near]))
    return errors


def percussion() -> None:
    """Run part 9."""
    sources = {"network": beatgrid.load("shipped"), "flux": beatgrid.load(activation="flux")}
    rows = []
    for in_room in (False, True):
        for number, name in enumerate(SOUNDS):
            rng = np.random.default_rng([SEED, number, in_room])
            tracks = [played(name, rng, in_room) for _ in range(TRACKS_PER_SOUND)]
            place = f"room, hiss at {NOISE_DB:.0f} dB" if in_room else "dry"
            rows.append({"sound": name, "place": place, **_summary(sources, tracks)})
    write_table("9-bare-percussion", rows)


def _summary(
    sources: dict[str, Predictor], tracks: list[tuple[FloatArray, FloatArray]]
) -> dict[str, object]:
    """Return the range of errors over tracks, without and with attacks."""
    summary: dict[str, object] = {}
    for source, predictor in sources.items():
        errors = np.array([errors_ms(predictor, *track) for track in tracks])
        for column, title in enumerate(("activation alone", "with attacks")):
            own = errors[:, column]
            own = own[np.isfinite(own)]
            shown = (
                " to ".join(f"{e:+.1f}" for e in sorted({own.min(), own.max()}))
                if len(own)
                else "-"
            )
            summary[f"{source}, {title}"] = shown
    return summary
