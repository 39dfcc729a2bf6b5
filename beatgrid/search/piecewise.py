"""The beats of a track whose tempo is not constant, from its segments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from beatgrid.grid import FloatArray
from beatgrid.search.bar_features import capped
from beatgrid.search.beats import Beats, joined
from beatgrid.search.downbeat import bar_phase, model_scores
from beatgrid.search.evidence import Evidence
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.follow import follow
from beatgrid.search.least_squares import Peaks
from beatgrid.search.ranker import LinearModel
from beatgrid.search.segmentation import FittedSegment, typical_sum

# Segments whose beats join within this share of a period are one passage, edits part others.
CONTINUOUS = 0.15
# A segment keeps its constant tempo unless beats that follow the evidence gain more than this
# share of what it has.
GLIDE_GAIN = 0.06
# Beats are certain where the evidence around, over so many beats, is this share of the typical.
CERTAIN_BEATS = 8
CERTAIN_SHARE = 0.35
# With fewer beats than these of a run the network's downbeats alone tell its bars.
ENOUGH_BEATS = 64
# Nats that a bar line has to gain to start a new count behind an edit.
NEW_COUNT_NATS = 3.0


def piecewise_beats(
    evidence: Evidence,
    extractor: FeatureExtractor,
    peaks: Peaks,
    segments: Sequence[FittedSegment],
    beats_per_bar: Sequence[int],
    bar_model: LinearModel | None = None,
) -> Beats:
    """Join the beats of segments; where the tempo glides, they follow the evidence.

    Args:
        evidence: Curve of the beat channel.
        extractor: Holds the downbeat channel.
        peaks: Sub-frame maxima of the activation.
        segments: In order, covering the track.
        beats_per_bar: Bar lengths compared, the default first.
        bar_model: Scores the beats of a bar of four by their ``bar_features``.

    Returns:
        The beats; without a downbeat channel bars are counted from the first beat.
    """
    parts = [segment.beat_times_s for segment in segments]
    for run in runs(parts):
        guide_s = np.concatenate([parts[i] for i in run])
        if len(guide_s) < 2 * CERTAIN_BEATS:
            continue
        followed_s = follow(evidence, peaks, guide_s)
        start = 0
        for i in run:
            own_s = followed_s[start : start + len(parts[i])]
            start += len(parts[i])
            before, after = float(evidence(parts[i]).sum()), float(evidence(own_s).sum())
            glides = after - before > GLIDE_GAIN * max(before, 0.0)
            if glides or segments[i].own_beats_s is not None:
                parts[i] = own_s
    parts = [part[(part >= 0) & (part < evidence.duration_s)] for part in parts]
    beats = joined(parts, [evidence(part) for part in parts])
    at_beats = evidence(beats.times_s)
    level = uniform_filter1d(at_beats, CERTAIN_BEATS, mode="nearest")
    typical = typical_sum(np.maximum(level, 0.0)) if len(level) else 0.0
    return Beats(
        beats.times_s,
        _bar_positions(
            extractor, beats.times_s, _run_of_each(beats.times_s), beats_per_bar, bar_model
        ),
        beats.segment,
        ~beats.filled & (level >= CERTAIN_SHARE * typical),
    )


def runs(parts: Sequence[FloatArray]) -> list[list[int]]:
    """Group consecutive segments whose beats join as if the tempo only glided."""
    runs: list[list[int]] = []
    for i, part in enumerate(parts):
        if runs and len(part) > 1 and len(parts[i - 1]) > 1:
            before = parts[i - 1]
            usual_s = 0.5 * float(before[-1] - before[-2] + part[1] - part[0])
            if abs(float(part[0] - before[-1]) / usual_s - 1) < CONTINUOUS:
                runs[-1].append(i)
                continue
        runs.append([i])
    return runs


def _run_of_each(times_s: FloatArray) -> NDArray[np.int64]:
    """Assign a number to each stretch between gaps that are no whole beat, (beats,)."""
    if len(times_s) < 3:
        return np.zeros(len(times_s), dtype=np.int64)
    gap_s = np.diff(times_s)
    usual_s = np.minimum(np.append(gap_s[1:], gap_s[-1]), np.append(gap_s[0], gap_s[:-1]))
    usual_s = np.maximum(usual_s, 0.5 * float(np.median(gap_s)))
    return np.concatenate(([0], np.cumsum(np.abs(gap_s / usual_s - 1) > CONTINUOUS)))


def _first_beat_nats(
    extractor: FeatureExtractor, times_s: FloatArray, n: int, model: LinearModel | None
) -> FloatArray:
    """Score which of the first n of some beats is the first of the bar, (n,)."""
    if len(times_s) >= ENOUGH_BEATS:
        scores = model_scores(extractor, times_s, 0, n, model)
        if scores is not None:
            return capped(scores)
    assert extractor.downbeat is not None
    at_beats = extractor.sample(extractor.downbeat, times_s)
    at_beats = at_beats - at_beats.mean()
    return capped(np.array([at_beats[p::n].sum() for p in range(n)]))


def _bar_positions(
    extractor: FeatureExtractor,
    times_s: FloatArray,
    run: NDArray[np.int64],
    beats_per_bar: Sequence[int],
    bar_model: LinearModel | None,
) -> NDArray[np.int64]:
    """Count bars through the beats, (beats,); an edit may start a new count.

    The best sequence of first positions of the runs, by dynamic programming.
    """
    if extractor.downbeat is None or not len(times_s):
        return np.arange(len(times_s)) % beats_per_bar[0] + 1
    at_beats = extractor.sample(extractor.downbeat, times_s)
    longest = run == np.argmax(np.bincount(run))
    n = bar_phase(at_beats[longest], 0, beats_per_bar).beats_per_bar
    firsts = np.flatnonzero(np.diff(run, prepend=-1))
    ends = np.append(firsts[1:], len(run))
    total = np.zeros(n)
    origins = []
    count = 0
    for number, (first, end) in enumerate(zip(firsts, ends, strict=True)):
        # Entry p: position p + 1 at the first beat of the run.
        gain = _first_beat_nats(extractor, times_s[first:end], n, bar_model)[-np.arange(n) % n]
        if number:
            continued = np.roll(total, count % n)
            origin = np.where(
                continued >= total.max() - NEW_COUNT_NATS,
                (np.arange(n) - count) % n,
                int(np.argmax(total)),
            )
            total = np.maximum(continued, total.max() - NEW_COUNT_NATS)
            origins.append(origin)
        total = total + gain
        count = int(end - first)
    position = np.empty(len(times_s), dtype=np.int64)
    state = int(np.argmax(total))
    for number in range(len(firsts) - 1, -1, -1):
        first, end = firsts[number], ends[number]
        position[first:end] = (state + np.arange(end - first)) % n + 1
        if number:
            state = int(origins[number - 1][state])
    return position
