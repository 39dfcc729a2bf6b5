"""A slowing end: the last beats come later and later.

Too short for a segment of its own, and no constant tempo. Networks lose the beat there; the onsets
go on. Beats whose distance grows evenly from some beat on are compared with those of the line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.line import Line

MAX_BEATS = 32
MIN_BEATS = 5
# The n-th slowing beat is longer than the period by g n^p of it: for each p, the g that are tried.
GROWTH = {1: np.geomspace(0.004, 0.2, 40), 2: np.geomspace(0.0005, 0.04, 40)}
# In units of what the track's beats typically have: what the slowing beats have more than those
# of the line in all, what each has on average, and how little the line keeps on average.
MIN_GAIN = 3.5
MIN_MEAN = 0.55
MAX_KEPT = 0.3
# By how many periods of the steady tempo the last beat is late at least.
MIN_DELAY = 0.5
# Beats of less salience do not count: an end that fades out.
MIN_SALIENCE = 0.4
# Onsets count only if beats stand out of their mean by this share of it.
MIN_ONSET = 0.1
MAX_SALIENCE = 1.5
# Frames whose onsets are computed at a time: memory does not grow with the track.
CHUNK_FRAMES = 16384


@dataclass(frozen=True, eq=False)
class Ending:
    """The beats of a slowing end.

    Attributes:
        start_s: Where the slowing begins, half a beat behind the last beat on the line.
        times_s: Of the beats behind it, (beats,).
        line: Through them, at their mean tempo.
    """

    start_s: float
    times_s: FloatArray
    line: Line


def find_slowing_end(extractor: FeatureExtractor, line: Line, start_s: float) -> Ending | None:
    """Find the slowing end of a track; None if it keeps its tempo.

    Args:
        extractor: Holds the evidence for beats, and the onsets.
        line: The grid of the track's last segment.
        start_s: Where that segment begins.
    """
    steady_s = line.times_s[line.times_s >= start_s]
    if len(steady_s) < 3 * MAX_BEATS:
        return None
    salience = _salience(extractor, steady_s[:-MAX_BEATS])
    end_s = extractor.evidence.duration_s
    numbers = np.arange(1, MAX_BEATS + 1, dtype=np.float64)
    late = np.concatenate(
        [growth[:, None] * np.cumsum(numbers**power) for power, growth in GROWTH.items()]
    )
    # On the line, from the first beat that may be slow on.
    at_line = salience(steady_s[-MAX_BEATS:])
    best_gain, best = MIN_GAIN, None
    for beat in range(line.last - MAX_BEATS, line.last - MIN_BEATS + 2):
        n = numbers[: line.last - beat]
        kept = at_line[beat - line.last :]
        if np.all(np.cumsum(kept) >= MAX_KEPT * n):
            continue
        turn_s = line.time_s + beat * line.period_s
        times_s = turn_s + line.period_s * (n + late[:, : len(n)])
        values = np.where(times_s < end_s, salience(times_s), 0.0)
        total = np.cumsum(values, axis=1)
        i, last = divmod(int(np.argmax(total)), len(n))
        count = last + 1
        gain = float(total[i, last]) - max(float(kept.sum()), 0.0)
        if (
            gain > best_gain
            and times_s[i, last] - turn_s > (count + MIN_DELAY) * line.period_s
            and np.count_nonzero(values[i] > MIN_SALIENCE) >= MIN_BEATS
            and values[i, :count].mean() > MIN_MEAN
            and kept[:count].mean() < MAX_KEPT
        ):
            best_gain, best = gain, _ending(turn_s, line, times_s[i, :count], end_s)
    return best


def _salience(
    extractor: FeatureExtractor, steady_s: FloatArray
) -> Callable[[FloatArray], FloatArray]:
    """Return evidence and onset strength at given times: 0 at any time, 1 at a steady beat."""
    evidence = extractor.evidence
    onset = np.empty(len(extractor.onset))
    for start in range(0, len(onset), CHUNK_FRAMES):
        chunk = slice(start, start + CHUNK_FRAMES)
        onset[chunk] = np.log1p(extractor.onset[chunk]).mean(axis=1)
    level = float(onset.mean())
    beat_evidence = max(float(np.median(evidence(steady_s))), 1e-6)
    beat_onset = float(np.median(extractor.sample(onset, steady_s))) - level

    has_onsets = beat_onset > MIN_ONSET * level

    def salience(times_s: FloatArray) -> FloatArray:
        own = np.clip(evidence(times_s) / beat_evidence, -1, MAX_SALIENCE)
        if not has_onsets:
            return own
        strength = (extractor.sample(onset, times_s) - level) / beat_onset
        return 0.5 * (own + np.clip(strength, -1, MAX_SALIENCE))

    return salience


def _ending(turn_s: float, line: Line, times_s: FloatArray, end_s: float) -> Ending:
    """Describe an ending by its beats."""
    period_s = float(times_s[-1] - turn_s) / len(times_s)
    start_s = turn_s + line.period_s / 2
    return Ending(start_s, times_s, Line.through(float(times_s[0]), period_s, start_s, end_s))
