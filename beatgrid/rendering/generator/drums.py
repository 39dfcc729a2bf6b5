"""Percussion: one model of tones, noise bursts and metal (``kits`` has the drums as data).

Every hit starts at its first sample; the energy of sticks and beaters is there within 1 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from beatgrid.rendering.generator.dsp import (
    Range,
    Samples,
    band_noise,
    decay,
    draw,
    fade_out,
    oscillate,
    peak_normalised,
    seconds,
)

MEMBRANE_MODES = (1.0, 1.59, 2.14, 2.3)  # of an ideal circular membrane
METAL_MODES = (1.0, 1.34, 1.61, 1.92, 2.27, 2.68, 3.13, 3.89)  # close to the TR-808's oscillators


@dataclass(frozen=True)
class Drum:
    """Ranges from which one drum sound is drawn; levels are linear, times in seconds.

    Attributes:
        tone: Level of the pitched body.
        hz: Its lowest mode after the sweep.
        sweep: Octaves the pitch starts above ``hz``.
        sweep_s: Time constant of the pitch sweep.
        tone_s: Time constant of the body's decay.
        modes: How many membrane modes ring.
        noise: Level of the noise.
        band: Lowest and highest noise corner in hertz.
        noise_s: Time constant of the noise.
        bursts: Bursts at the start of the noise (claps have several).
        attack_s: Rise time of the noise (shakers, brushes).
        metal: Level of the inharmonic partials.
        metal_hz: Lowest partial.
        metal_s: Their time constant.
        click: Level of a 1 ms click at the onset.
        drive: Gain into the tanh shaper.
        hold: Samples each value is held for (1 is clean; more sounds like a console).
    """

    tone: Range = (0.0, 0.0)
    hz: Range = (50.0, 60.0)
    sweep: Range = (0.1, 0.3)
    sweep_s: Range = (0.02, 0.04)
    tone_s: Range = (0.1, 0.2)
    modes: int = 1
    noise: Range = (0.0, 0.0)
    band: tuple[Range, Range] = ((200.0, 400.0), (8000.0, 14000.0))
    noise_s: Range = (0.05, 0.1)
    bursts: int = 1
    attack_s: Range = (0.0002, 0.0004)
    metal: Range = (0.0, 0.0)
    metal_hz: Range = (300.0, 600.0)
    metal_s: Range = (0.05, 0.1)
    click: Range = (0.0, 0.0)
    drive: Range = (0.5, 1.0)
    hold: int = 1


def strike(drum: Drum, rng: np.random.Generator, sample_rate: int) -> Samples:
    """Render one hit drawn from the ranges of ``drum``, peak 1, float32 (samples,)."""
    tone, noise, metal = draw(rng, drum.tone), draw(rng, drum.noise), draw(rng, drum.metal)
    tone_s, noise_s, metal_s = (
        draw(rng, drum.tone_s),
        draw(rng, drum.noise_s),
        draw(rng, drum.metal_s),
    )
    longest_s = max(tone_s * (tone > 0), noise_s * (noise > 0), metal_s * (metal > 0), 0.01)
    n = int(min(5.0 * longest_s, 3.0) * sample_rate)
    t = seconds(n, sample_rate)
    out = np.zeros(n, np.float32)

    if tone > 0:
        hz, octaves, sweep_s = draw(rng, drum.hz), draw(rng, drum.sweep), draw(rng, drum.sweep_s)
        pitch = hz * 2.0 ** (octaves * np.exp(-t / sweep_s))
        cycles = np.cumsum(pitch, dtype=np.float64) / sample_rate
        for i, ratio in enumerate(MEMBRANE_MODES[: drum.modes]):
            mode = np.sin((2 * np.pi * ratio * cycles) % (2 * np.pi)).astype(np.float32)
            out += tone * 0.6**i * mode * decay(n, tone_s / (1 + 0.7 * i), sample_rate)
    if noise > 0:
        x = band_noise(rng, n, sample_rate, draw(rng, drum.band[0]), draw(rng, drum.band[1]))
        envelope = decay(n, noise_s, sample_rate)
        gap = int(draw(rng, (0.006, 0.011)) * sample_rate)
        for i in range(drum.bursts - 1):  # short bursts before the tail
            burst = np.exp(-t[:gap] / 0.004)
            envelope[i * gap : (i + 1) * gap] = burst[: max(0, n - i * gap)]
        if drum.bursts > 1:
            start = (drum.bursts - 1) * gap
            envelope[start:] = decay(n - start, noise_s, sample_rate)
        envelope *= -np.expm1(-t / draw(rng, drum.attack_s))
        out += noise * 0.5 * x * envelope
    if metal > 0:
        base = draw(rng, drum.metal_hz)
        square = (np.arange(1, 40) % 2) / np.arange(1, 40)
        partials = sum(
            oscillate(
                square, base * m * rng.uniform(0.97, 1.03), n, sample_rate, phase=rng.random()
            )
            for m in METAL_MODES
        )
        # Two differences take the partials' low end away, as the high-pass of a drum machine.
        ringing = np.zeros(n, np.float32)
        ringing[2:] = np.diff(np.asarray(partials, np.float32), n=2)
        out += np.float32(metal) * peak_normalised(ringing) * decay(n, metal_s, sample_rate)
    click = draw(rng, drum.click)
    if click > 0:
        m = int(0.0015 * sample_rate)
        burst = rng.standard_normal(m, dtype=np.float32) * decay(m, 0.0004, sample_rate)
        out[:m] += click * peak_normalised(burst)

    drive = draw(rng, drum.drive)
    out = np.tanh(drive * peak_normalised(out)) if drive > 0 else out
    if drum.hold > 1:
        out = np.repeat(out[:: drum.hold], drum.hold)[:n]
    return fade_out(peak_normalised(out).astype(np.float32), sample_rate, 0.01)


class Kit:
    """Drum sounds of one track, struck when first asked for.

    Args:
        drums: Ranges of each drum by name.
        rng: Source of randomness.
        sample_rate: In hertz.
        n_variants: Different hits per drum; played by humans no two are alike, samplers repeat.
    """

    def __init__(
        self,
        drums: Mapping[str, Drum],
        rng: np.random.Generator,
        sample_rate: int,
        n_variants: int = 1,
    ) -> None:
        self._drums = drums
        self._seed = int(rng.integers(2**32))
        self._sample_rate = sample_rate
        self._n_variants = n_variants
        self._hits: dict[tuple[str, int], Samples] = {}

    def hit(self, drum: str, count: int) -> Samples:
        """Return the ``count``-th hit on ``drum``, peak 1, (samples,)."""
        key = (drum, count % self._n_variants)
        if key not in self._hits:
            seed = (self._seed, sum(map(ord, drum)))  # one drum's ranges narrow to one sound
            sound = _settled(self._drums[drum], np.random.default_rng(seed))
            self._hits[key] = strike(
                sound, np.random.default_rng((*seed, key[1])), self._sample_rate
            )
        return self._hits[key]


def _settled(drum: Drum, rng: np.random.Generator) -> Drum:
    """Narrow each range of ``drum`` to +-6 % around one drawn value: hits on one instrument."""

    def narrow(bounds: Range) -> Range:
        value = draw(rng, bounds)
        return (0.94 * value, 1.06 * value)

    changes: dict[str, object] = {"band": (narrow(drum.band[0]), narrow(drum.band[1]))}
    for name in (
        "tone",
        "hz",
        "sweep",
        "sweep_s",
        "tone_s",
        "noise",
        "noise_s",
        "attack_s",
        "metal",
        "metal_hz",
        "metal_s",
        "click",
        "drive",
    ):
        changes[name] = narrow(getattr(drum, name))
    return replace(drum, **changes)  # type: ignore[arg-type]
