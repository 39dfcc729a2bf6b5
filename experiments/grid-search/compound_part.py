"""Part 10: compound metre and bare metronomes, from audio, through the shipped network.

Drums and bass as in the cases that once failed, at ten tempi each: gallops (kick on the beat, bass
on the other triplets), 6/8 counted in dotted quarters, off-beat bass louder than the kick, and
clicks alone. No piece of these is in the music that the weights were trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from percussion_part import RATE
from tables import write_table

import beatgrid
from beatgrid.evaluation import evaluate_track
from beatgrid.grid import FloatArray, Grid

DURATION_S = 45.0
SEED = 10
ROOTS_HZ = (55.0, 55.0, 65.4, 49.0)
TEMPI = (60, 70, 80, 90, 100, 110, 120, 135, 150, 170)
COMPOUND_TEMPI = (50, 55, 60, 66, 72, 76, 80, 85, 90, 100)


def _t(duration_s: float) -> FloatArray:
    return np.arange(int(duration_s * RATE)) / RATE


def _kick() -> FloatArray:
    t = _t(0.3)
    return np.sin(2 * np.pi * np.cumsum(48 + 102 * np.exp(-t * 35)) / RATE) * np.exp(-t * 9)


def _tone(frequency_hz: float, duration_s: float) -> FloatArray:
    t = _t(duration_s)
    harmonics = sum(np.sin(2 * np.pi * frequency_hz * k * t) / k for k in range(1, 12))
    return 0.4 * harmonics * np.minimum(1, t / 0.004) * np.minimum(1, (duration_s - t) / 0.02)


def _chord(root_hz: float, duration_s: float) -> FloatArray:
    tones = [_tone(root_hz * 2 ** (step / 12), duration_s) for step in (0, 3, 7)]
    return np.sum(tones, axis=0) * np.exp(-5 * _t(duration_s)) * 0.6


class Bars:
    """A piece in the making: sounds at places of its bars, in units of ``unit_s``."""

    def __init__(self, unit_s: float, units_per_bar: int, offset_s: float, seed: int) -> None:
        self.samples = np.zeros(int(DURATION_S * RATE))
        self.n_bars = int((DURATION_S - offset_s) / (unit_s * units_per_bar))
        self._unit_s, self._n, self._offset_s = unit_s, units_per_bar, offset_s
        self._rng = np.random.default_rng([SEED, seed])

    def noise(self, per_s: float, duration_s: float) -> FloatArray:
        """Return a burst of noise that decays."""
        samples = self._rng.standard_normal(int(duration_s * RATE))
        return samples * np.exp(-per_s * _t(duration_s))

    def play(
        self, sound: Callable[[int], FloatArray], gain: float, places: Sequence[float]
    ) -> None:
        """Put a sound, made for each bar's number, at places of every bar."""
        for bar in range(self.n_bars):
            samples = sound(bar)
            for place in places:
                at_s = self._offset_s + (bar * self._n + place) * self._unit_s
                start = round(at_s * RATE)
                end = min(start + len(samples), len(self.samples))
                varied = gain * (1 + 0.05 * self._rng.standard_normal())
                self.samples[start:end] += varied * samples[: end - start]


def _drums(bars: Bars, kick: Sequence[float], snare: Sequence[float], hat: Sequence[float]) -> None:
    bars.play(lambda _: _kick(), 1.0, kick)
    bars.play(lambda _: bars.noise(22, 0.2) * 0.7, 0.7, snare)
    bars.play(lambda _: np.diff(bars.noise(70, 0.05)) * 0.4, 0.4, hat)


def _bass(bars: Bars, places: Sequence[float], duration_s: float, gain: float = 0.8) -> None:
    bars.play(lambda bar: _tone(ROOTS_HZ[bar // 4 % 4], duration_s), gain, places)


def _chords(bars: Bars, places: Sequence[float], duration_s: float) -> None:
    bars.play(lambda bar: _chord(4 * ROOTS_HZ[bar // 4 % 4], duration_s), 0.6, places)


TRIPLETS = [i / 3 for i in range(12)]
INNER = [i / 3 for i in range(12) if i % 3]


def _gallop(bars: Bars) -> None:
    _drums(bars, range(4), (1, 3), TRIPLETS)
    _bass(bars, INNER, 0.2)


def _gallop_chords(bars: Bars) -> None:
    _gallop(bars)
    _chords(bars, (0, 1.5, 3), 0.3)


def _gallop_no_hat(bars: Bars) -> None:
    _drums(bars, range(4), (1, 3), ())
    _bass(bars, INNER, 0.2)


def _six_eight(bars: Bars) -> None:
    _drums(bars, (0,), (3,), range(6))
    _bass(bars, (0, 2, 3, 5), 0.25)


def _six_eight_full(bars: Bars) -> None:
    _drums(bars, (0, 2), (3,), range(6))
    _bass(bars, (0, 3), 0.5)
    _chords(bars, (0,), 1.0)
    _chords(bars, range(6), 0.2)


def _jig(bars: Bars) -> None:
    _drums(bars, (0, 3), (), (0, 2, 3, 5))
    _bass(bars, (0, 3), 0.2)
    _chords(bars, (2, 5), 0.15)


def _offbeat_bass(bars: Bars) -> None:
    bars.play(lambda _: _kick(), 0.35, range(4))
    bars.play(lambda _: np.diff(bars.noise(70, 0.05)) * 0.4, 0.2, (0.5, 1.5, 2.5, 3.5))
    _bass(bars, (0.5, 1.5, 2.5, 3.5), 0.2, gain=1.6)


def _click(bars: Bars) -> None:
    t = _t(0.03)
    click = 0.8 * np.cos(2 * np.pi * 1500 * t) * np.exp(-t * 230)
    bars.play(lambda _: click, 1.0, (0,))
    bars.play(lambda _: click, 1 / 1.6, (1, 2, 3))


@dataclass(frozen=True)
class Kind:
    """Pieces of one kind.

    Attributes:
        name: For the table.
        play: Writes the bars.
        compound: In 6/8, its beat of three units; otherwise 4/4.
    """

    name: str
    play: Callable[[Bars], None]
    compound: bool = False


KINDS = (
    Kind("gallop, with hi-hat triplets", _gallop),
    Kind("gallop, with chords", _gallop_chords),
    Kind("gallop, kick, snare and bass alone", _gallop_no_hat),
    Kind("6/8, drums and bass", _six_eight, compound=True),
    Kind("6/8, with chords and arpeggio", _six_eight_full, compound=True),
    Kind("6/8, jig", _jig, compound=True),
    Kind("off-beat bass 11 dB above the kick", _offbeat_bass),
    Kind("metronome, accent on one", _click),
)


def compound() -> None:
    """Run part 10."""
    predictor = beatgrid.load("shipped")
    rows = []
    for number, kind in enumerate(KINDS):
        right, wrong, sure = 0, [], 0
        tempi = COMPOUND_TEMPI if kind.compound else TEMPI
        for bpm in tempi:
            unit_s, units = (20.0 / bpm, 6) if kind.compound else (60.0 / bpm, 4)
            bars = Bars(unit_s, units, 0.2, seed=1000 * number + bpm)
            kind.play(bars)
            samples = (0.8 * bars.samples / np.abs(bars.samples).max()).astype(np.float32)
            found = predictor(samples, sample_rate=RATE)
            score = evaluate_track(Grid(bpm, 0.2), found.grid, DURATION_S)
            if score.grid_ok_21:
                right += 1
            else:
                said = (
                    "none"
                    if found.bpm is None
                    else f"{found.bpm:.0f} (.{99 * found.confidence:02.0f})"
                )
                wrong.append(f"{bpm}: {said}")
                sure += found.confidence >= 0.9
        rows.append(
            {
                "music": kind.name,
                "right": f"{right} of {len(tempi)}",
                "wrong at .9 and more": sure,
                "true BPM: found (confidence)": ", ".join(wrong) or "-",
            }
        )
    write_table("10-compound", rows)
