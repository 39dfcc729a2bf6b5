"""Part 8: generated music whose tempo changes or that is cut; do its beats follow?

Every track of a labelled folder is played once as it is and once in each of the ways below, through
the shipped network. Varying speed moves the audio itself, so that the true beats are known to the
sample.

Labels are where notes begin; those of bowed strings take 40 to 150 ms to swell, and are heard, and
marked by the network, later. What a change of tempo costs is therefore also measured from the beats
of the same track as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import librosa
import mir_eval
import numpy as np
import soundfile
from scipy.interpolate import CubicSpline
from tables import write_table

import beatgrid
from beatgrid.data.labels import load_label
from beatgrid.grid import FloatArray, Grid
from beatgrid.prediction import Prediction

TOLERANCE_S = 0.020
MIN_DURATION_S = 45.0
MAX_TRACKS = 24
SAME_LEVEL_SHARE = 0.06
AS_IT_IS = "as it is"


@dataclass(frozen=True, eq=False)
class Warped:
    """A track that left its grid.

    Attributes:
        samples: Mono, (samples,).
        beats_s: The true beats, (beats,).
    """

    samples: FloatArray
    beats_s: FloatArray


def played_at(
    samples: FloatArray, rate: int, beats_s: FloatArray, speed: Callable[[FloatArray], FloatArray]
) -> Warped:
    """Play a track at a speed that changes with the time of playing."""
    t = np.arange(int(1.2 * len(samples))) / rate
    position_s = np.concatenate(([0.0], np.cumsum(speed(t)[:-1]) / rate))
    position_s = position_s[position_s < (len(samples) - 1) / rate]
    t = t[: len(position_s)]
    warped = np.interp(position_s * rate, np.arange(len(samples)), samples)
    return Warped(warped, np.interp(beats_s[beats_s < position_s[-1]], position_s, t))


def cut(samples: FloatArray, rate: int, beats_s: FloatArray, at_s: float, jump_s: float) -> Warped:
    """Cut ``jump_s`` out of a track, or repeat so much where it is negative."""
    samples = np.concatenate((samples[: int(at_s * rate)], samples[int((at_s + jump_s) * rate) :]))
    behind_s = beats_s - jump_s
    inside = (behind_s >= at_s) & (behind_s < len(samples) / rate)
    return Warped(samples, np.concatenate((beats_s[beats_s < at_s], behind_s[inside])))


def ways(samples: FloatArray, rate: int, grid: Grid, rng: np.random.Generator) -> dict[str, Warped]:
    """Make the variants of a track."""
    duration_s = len(samples) / rate
    beats_s = grid.beat_times(duration_s)
    turn_s, sign = rng.uniform(0.3, 0.7) * duration_s, rng.choice([-1, 1])
    change, slope = 1 + sign * rng.uniform(0.015, 0.08), sign * rng.uniform(0.03, 0.1)
    knots_s = np.arange(0, 1.3 * duration_s, 6.0)
    walk = CubicSpline(knots_s, rng.normal(0, 1, len(knots_s)))
    size = rng.uniform(0.01, 0.02) / 2  # its extremes are at about two standard deviations
    jump = rng.uniform(0.15, 0.85) + rng.integers(0, 2)
    half = rng.uniform(0.45, 0.55) + rng.integers(0, 2)

    def warped(speed: Callable[[FloatArray], FloatArray]) -> Warped:
        return played_at(samples, rate, beats_s, speed)

    return {
        AS_IT_IS: Warped(samples, beats_s),
        "change of 1.5 to 8 %": warped(lambda t: np.where(t < turn_s, 1.0, change)),
        "ramp of 3 to 10 %": warped(lambda t: 1 + slope * t / duration_s),
        "wander of 1 to 2 %": warped(lambda t: 1 + size * walk(t)),
        "edit": cut(samples, rate, beats_s, turn_s, sign * jump * grid.period_s),
        "edit by .45 to .55 beat": cut(samples, rate, beats_s, turn_s, sign * half * grid.period_s),
    }


def f_measure(beats_s: FloatArray, found_s: FloatArray) -> float:
    """F-measure at 20 ms, over the whole track."""
    return float(mir_eval.beat.f_measure(beats_s, found_s, f_measure_threshold=TOLERANCE_S))


def delay_s(beats_s: FloatArray, found_s: FloatArray) -> float:
    """Return how much later than the true beats the nearest found ones are, in the median.

    0 where they are not the same beats, a quarter of a period off or more.
    """
    apart_s = found_s - beats_s[:, None]
    nearest = np.argmin(np.abs(apart_s), axis=1)
    late_s = float(np.median(apart_s[np.arange(len(beats_s)), nearest]))
    return late_s if abs(late_s) < float(np.median(np.diff(beats_s))) / 4 else 0.0


def row_of(
    way: str, warped: Warped, found: Prediction, rate: int, late_s: float
) -> dict[str, object]:
    """Score one variant of a track whose beats are found so much late as it is."""
    constant_s = found.grid.beat_times(found.duration_s) if found.grid else np.zeros(0)
    tracked_s = librosa.beat.beat_track(y=warped.samples.astype(np.float32), sr=rate, units="time")[
        1
    ]
    true_bpm = 60 / float(np.median(np.diff(warped.beats_s)))
    bpm = np.median([s.bpm for s in found.segments]) if found.segments else np.nan
    return {
        "way": way,
        "split": found.constant_tempo is False,
        "level": abs(bpm / true_bpm - 1) < SAME_LEVEL_SHARE,
        "piecewise": f_measure(warped.beats_s, found.beat_times()),
        "from as it is": f_measure(warped.beats_s + late_s, found.beat_times()),
        "constant": f_measure(warped.beats_s, constant_s),
        "librosa": f_measure(warped.beats_s, tracked_s),
    }


def tempo_changes(folder: Path) -> None:
    """Score all variants of the tracks of a labelled folder."""
    predictor = beatgrid.load("shipped")
    rows: list[dict[str, object]] = []
    done = 0
    for path in sorted((folder / "labels").glob("*.labels.json")):
        label = load_label(path)
        samples, rate = soundfile.read(folder / "audio" / label.file_name, always_2d=True)
        mono = samples.mean(axis=1)
        if len(mono) < MIN_DURATION_S * rate:
            continue
        late_s = 0.0
        for way, warped in ways(mono, rate, label.grid, np.random.default_rng(done)).items():
            found = predictor(warped.samples, sample_rate=rate)
            if way == AS_IT_IS:
                late_s = delay_s(warped.beats_s, found.beat_times())
                print(f"{path.name}: beats {1000 * late_s:+.1f} ms", flush=True)
            rows.append(row_of(way, warped, found, rate, late_s))
        done += 1
        if done == MAX_TRACKS:
            break
    summary = []
    for way in dict.fromkeys(row["way"] for row in rows):
        own = [row for row in rows if row["way"] == way]
        right = [row for row in own if row["level"]]
        summary.append(
            {
                "tracks": way,
                "n": len(own),
                "split": sum(bool(row["split"]) for row in own),
                **{
                    f"F at 20 ms, {name}": float(np.mean([row[key] for row in own]))
                    for name, key in (
                        ("piecewise", "piecewise"),
                        ("from as it is", "from as it is"),
                        ("one grid", "constant"),
                        ("librosa", "librosa"),
                    )
                },
                "level right": len(right),
                "F of these": float(np.mean([row["piecewise"] for row in right])),
                "median F of these": float(np.median([row["piecewise"] for row in right])),
            }
        )
    write_table("8-tempo-changes", summary)
