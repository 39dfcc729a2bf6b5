"""Variations of log-mel crops that leave every beat where it is.

All of it happens on decibels, so it is nearly free; changes of tempo are the crop's own
(``Crop.stretch``), since they move the labels. Rubber-band time stretching of the audio is
avoided on purpose: it moves onsets by up to 15 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from beatgrid.checks import Interval, Share, check_fields, shown
from beatgrid.errors import BeatgridError

FLOOR_DB = -80.0
# Partial cosines of a random equaliser curve: from a tilt to a bump of a few bands.
EQ_TERMS = 4

Factor = Annotated[float, Interval(0.1, 10)]
Tempo = Annotated[float, Interval(1, 10_000)]
Decibels = Annotated[float, Interval(-200, 200)]


@dataclass(frozen=True)
class Augment:
    """How far crops are varied; each effect comes with ``probability``, independently.

    Attributes:
        probability: Chance of each effect.
        stretch: Range of playback speed, drawn for each crop (read by the sampler).
        tempi: BPM between which playback speeds leave a crop's tempo (read by the sampler).
        shift: Pitch: moves the spectrum up or down by up to this share of the mel bands.
        eq_db: Amplitude of a random equaliser curve.
        gain_db: Range of gain; what falls below the floor is lost.
        contrast: Range of a factor on the decibels: compressed or expanded dynamics.
        noise_db: Range of a noise floor below the maximum.
        cut: Share of the bands that a low-pass may take off the top, and a high-pass a quarter
            of it off the bottom.
        mask: Largest share of the bands in a gap.
        mix: Share of the crops that a second track is mixed into, beat-matched (read by the
            sampler; none where no track suits); 0 for none.
        mix_db: Range of the second track's gain.
        mix_swap: Share of the mixed crops in which the second track replaces the first's bass or
            treble, where else it is added in all bands.
    """

    probability: Share = 0.5
    stretch: tuple[Factor, Factor] = (0.85, 1.18)
    tempi: tuple[Tempo, Tempo] = (40.0, 360.0)
    shift: Share = 0.03
    eq_db: Decibels = 6.0
    gain_db: tuple[Decibels, Decibels] = (-12.0, 0.0)
    contrast: tuple[Factor, Factor] = (0.8, 1.15)
    noise_db: tuple[Decibels, Decibels] = (-70.0, -40.0)
    cut: Share = 0.3
    mask: Share = 0.12
    mix: Share = 0.0
    mix_db: tuple[Decibels, Decibels] = (-12.0, 0.0)
    mix_swap: Share = 0.25

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ("stretch", "tempi", "gain_db", "contrast", "noise_db", "mix_db"):
            low, high = getattr(self, name)
            if low > high:
                raise BeatgridError(f"{name}={shown((low, high))}: must be a range, low end first")

    def __call__(
        self, log_mel: NDArray[np.float32], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Vary one crop.

        Args:
            log_mel: In dB relative to the track's maximum, (frames, mels).
            rng: Decides what happens.

        Returns:
            A new array of the same shape, at least ``FLOOR_DB``.
        """
        x = np.array(log_mel, dtype=np.float32)
        n_mels = x.shape[1]
        # Drawn first and always, so that one effect's settings do not change another's.
        chosen = rng.random(7) < self.probability

        def bands(share: float) -> int:
            return int(rng.integers(round(share * n_mels) + 1))

        if chosen[0]:
            x *= np.float32(rng.uniform(*self.contrast))
        if chosen[1]:
            x = _shifted(x, bands(self.shift) * int(rng.choice((-1, 1))))
        if chosen[2]:
            position = np.arange(n_mels) / n_mels
            terms = np.arange(EQ_TERMS)[:, np.newaxis]
            amplitudes = self.eq_db * rng.normal(size=EQ_TERMS) / np.arange(1, EQ_TERMS + 1)
            x += (amplitudes @ np.cos(np.pi * (terms + 1) * position)).astype(np.float32)
        if chosen[3]:
            x += np.float32(rng.uniform(*self.gain_db))
        if chosen[4]:
            level_db = np.float32(rng.uniform(*self.noise_db))
            noise_db = rng.normal(size=x.shape).astype(np.float32)
            noise_db *= 3
            noise_db += level_db
            x = add_power(x, noise_db)
        if chosen[5]:
            x[:, n_mels - bands(self.cut) :] = FLOOR_DB
            x[:, : bands(self.cut / 4)] = FLOOR_DB
        if chosen[6]:
            width = bands(self.mask)
            start = int(rng.integers(n_mels - width + 1))
            x[:, start : start + width] = FLOOR_DB
        return np.maximum(x, np.float32(FLOOR_DB), dtype=np.float32)


_TO_NEPER = np.float32(np.log(10) / 10)  # decibels of power to natural logarithm


def add_power(x_db: NDArray[np.float32], y_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the decibels of the sum of two powers, the larger of which is above -370 dB.

    float32 throughout: exact to 0.0001 dB, in a fraction of the time of ``np.logaddexp``.
    """
    power, other = x_db * _TO_NEPER, y_db * _TO_NEPER
    np.exp(power, out=power)
    power += np.exp(other, out=other)
    np.log(power, out=power)
    power /= _TO_NEPER
    return power


def _shifted(x: NDArray[np.float32], bands: int) -> NDArray[np.float32]:
    """Move features up by ``bands``; the emptied edge repeats the outermost band."""
    source = np.clip(np.arange(x.shape[1]) - bands, 0, x.shape[1] - 1)
    return x[:, source]


def resample_frames(
    log_mel: NDArray[np.floating], stretch: float, n_frames: int, start: float = 0.0
) -> NDArray[np.float32]:
    """Play (frames, mels) at another speed, linear between frames.

    Args:
        log_mel: At least ``start + (n_frames - 1) * stretch + 1`` frames; the last is repeated
            beyond.
        stretch: Source frames per resulting frame: above 1 is faster.
        n_frames: Frames of the result; frame i lies at source frame ``start + i * stretch``.
        start: Source frame of the first.
    """
    position = np.minimum(start + np.arange(n_frames) * stretch, len(log_mel) - 1)
    before = position.astype(np.int64)
    after = np.minimum(before + 1, len(log_mel) - 1)
    share = (position - before).astype(np.float32)[:, np.newaxis]
    x = np.asarray(log_mel, dtype=np.float32)
    played = x.take(before, axis=0)
    played *= 1 - share
    following = x.take(after, axis=0)
    following *= share
    played += following
    return played
