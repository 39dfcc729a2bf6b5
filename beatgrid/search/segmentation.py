"""The piecewise-constant grid with the most evidence, by dynamic programming over bars.

The states are the tempi found in parts of the track, each with every phase. A boundary has to gain
more than a few bars' evidence, and neighbours that one line explains are joined again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import uniform_filter1d

from beatgrid.grid import FloatArray
from beatgrid.search.candidates import strongest_tempi
from beatgrid.search.estimate import Segment
from beatgrid.search.evidence import Evidence
from beatgrid.search.line import Line
from beatgrid.search.refine import maximise
from beatgrid.search.scan import scan

N_PHASES = 48
# Segments last at least this many bars of four; a boundary must gain this many bars of evidence.
MIN_BARS = 8
BOUNDARY_COST_BARS = 3.0
BEATS_PER_BLOCK = 4
# Parts of the track whose own tempo is looked for, and how far from the track's it may be.
SPANS_S = (20.0, 40.0, 80.0, 160.0)
MAX_TEMPO_RATIO = 1.3
MAX_TEMPI = 48
# Periods of parts that differ by less than this share are one: 0.05 BPM at 120, about what a part
# of 20 s determines.
SAME_PERIOD_SHARE = 4e-4
# Zero-padding that suffices to tell whether a part has a tempo at all.
COARSE_OVERSAMPLING = 4
# This mean weight of a stretch means that there are beats in it.
PRESENT = 0.5
# Neighbours are one segment if one line keeps this share of what each had.
MERGE_SHARE = 0.8
# A segment whose beats have less than this share of the evidence of the strongest one's has no
# tempo: a free introduction, which any grid fits here and there. Of 24 tracks with changes, edits
# and ramps none has a segment below .31; of 10 free introductions none is above .15.
TEMPO_SHARE = 0.2
# Stretches with less than this share of the strongest one's evidence hold no beats.
COUNTING_SHARE = 0.1


@dataclass(frozen=True)
class FittedSegment:
    """A stretch of the track and its beats.

    Attributes:
        start_s: Where it begins.
        end_s: Where it ends (exclusive).
        line: Through its beats; at their mean tempo, if these are given.
        own_beats_s: Its beats, where they do not lie on the line; None where they do.
    """

    start_s: float
    end_s: float
    line: Line
    own_beats_s: FloatArray | None = None

    @property
    def reported(self) -> Segment:
        """What an estimate says of it."""
        times_s = self.beat_times_s
        first_s = float(times_s[0]) if len(times_s) else self.line.first_beat_s(self.start_s)
        return Segment(self.start_s, self.end_s, self.line.bpm, first_s)

    @property
    def beat_times_s(self) -> FloatArray:
        """Times of its beats; a first one up to 10 ms before 0 is at 0, (beats,)."""
        if self.own_beats_s is not None:
            return self.own_beats_s
        line = self.line
        first, end = (
            int(np.ceil((edge_s - line.time_s) / line.period_s))
            for edge_s in (self.start_s, self.end_s)
        )
        if self.start_s <= 0:
            first = line.first_in_track
        return np.maximum(line.time_s + np.arange(first, end) * line.period_s, 0.0)


def segment_tempo(
    evidence: Evidence, line: Line, *, harmonics: int, oversampling: int
) -> list[FittedSegment]:
    """Find the piecewise-constant grid with the most evidence.

    Args:
        evidence: Curve of the beat channel.
        line: The constant grid, whose tempo is one of those tried, and whose beat is the unit.
        harmonics: Of the scans of parts of the track.
        oversampling: Of the scans of parts of the track.

    Returns:
        Segments in order, covering the track; one if no boundary gains enough.
    """
    block_s = BEATS_PER_BLOCK * line.period_s
    n_blocks = int(evidence.duration_s / block_s)
    local_s = _local_periods(evidence, line, harmonics, oversampling)
    periods_s = [line.period_s, *local_s]
    gains = np.concatenate([_folded(evidence, p, block_s, n_blocks) for p in periods_s], axis=1)
    cost = BOUNDARY_COST_BARS * typical_sum(gains.max(axis=1))
    boundaries, states = best_path(gains, MIN_BARS, cost)
    segments = []
    edges_s = [0.0, *(b * block_s for b in boundaries), evidence.duration_s]
    for start_s, end_s, state in zip(edges_s[:-1], edges_s[1:], states, strict=True):
        period_s = periods_s[state // N_PHASES]
        time_s = (state % N_PHASES + 0.5) / N_PHASES * period_s
        segments.append(_refit(evidence, time_s, period_s, start_s, end_s))
    return _merged(evidence, with_exact_boundaries(evidence, segments, 2 * block_s))


def has_local_tempo(
    evidence: Evidence, bpm_range: tuple[float, float], min_contrast: float, *, harmonics: int
) -> bool:
    """Tell whether most parts of a track have a tempo, although the whole has none.

    Args:
        evidence: Curve of the beat channel.
        bpm_range: Lowest and highest tempo considered.
        min_contrast: How far a part's best tempo has to stand out, in standard deviations.
        harmonics: Of the scans of parts of the track.
    """
    parts = [evidence.part(s, s + SPANS_S[0]) for s in _starts(evidence, SPANS_S[0])]
    clear = []
    for part in parts:
        if part is None:
            continue
        scanned = scan(part, *bpm_range, harmonics=harmonics, oversampling=COARSE_OVERSAMPLING)
        clear.append(float(np.max(scanned.contrast, initial=0.0)) >= min_contrast)
    return len(clear) > 1 and bool(np.mean(clear) > 0.5)


def _local_periods(
    evidence: Evidence, line: Line, harmonics: int, oversampling: int
) -> list[float]:
    """Find periods in overlapping parts of the track, without repetitions."""
    found: list[tuple[float, float]] = []
    bpm_range = (line.bpm / MAX_TEMPO_RATIO, line.bpm * MAX_TEMPO_RATIO)
    for span_s in SPANS_S:
        for start_s in _starts(evidence, span_s):
            part = evidence.part(start_s, start_s + span_s)
            if part is None:
                continue
            scanned = scan(part, *bpm_range, harmonics=harmonics, oversampling=oversampling)
            if len(scanned.score) < 3:
                continue
            for i in strongest_tempi(scanned, scanned.score, 1):
                start = Line.at(scanned.frequency_hz[i], scanned.phase[i], 0.0, part.duration_s)
                found.append((float(scanned.contrast[i]), maximise(part, start).period_s))
    kept: list[float] = []
    for _, period_s in sorted(found, reverse=True):
        if all(abs(period_s / other - 1) > SAME_PERIOD_SHARE for other in (line.period_s, *kept)):
            kept.append(period_s)
    return kept[:MAX_TEMPI]


def _starts(evidence: Evidence, span_s: float) -> list[float]:
    """Return the starts of half-overlapping spans that cover the track, in seconds."""
    return list(np.arange(0.0, max(evidence.duration_s - span_s, 0.0) + 1, span_s / 2))


def _folded(evidence: Evidence, period_s: float, block_s: float, n_blocks: int) -> FloatArray:
    """Return each block's evidence for a grid of a period at every phase, (blocks, phases)."""
    frames = np.arange(len(evidence.coefficients))
    phase = frames / (evidence.frame_rate * period_s)
    place = ((phase - np.floor(phase)) * N_PHASES).astype(np.int64) % N_PHASES
    block = np.minimum(frames / (evidence.frame_rate * block_s), n_blocks - 1).astype(np.int64)
    size = n_blocks * N_PHASES
    folded = np.bincount(block * N_PHASES + place, evidence.coefficients, size)
    folded = folded.reshape(n_blocks, N_PHASES)
    # A bin holds this many frames per beat; smoothing over a frame fills bins that have none.
    per_beat = period_s * evidence.frame_rate / N_PHASES
    width = max(3, 2 * round(0.5 / per_beat) + 1)
    return uniform_filter1d(folded, width, axis=1, mode="wrap") / per_beat


def best_path(gains: FloatArray, min_blocks: int, cost: float) -> tuple[list[int], list[int]]:
    """Find the best path through (blocks, states) with runs of a minimum length.

    Returns (first blocks of all runs but the first, state of each run).

    ``open_[s]`` is the best total of a path whose last run, at least ``min_blocks`` long, is in
    state s; a run that starts at block b is worth the best total up to b, less the cost, plus
    the state's gains since.
    """
    n_blocks, n_states = gains.shape
    min_blocks = min(min_blocks, n_blocks)
    total = np.concatenate((np.zeros((1, n_states)), np.cumsum(gains, axis=0)))
    best = np.full(n_blocks + 1, -np.inf)
    best[0] = 0.0
    open_ = np.full(n_states, -np.inf)
    start = np.zeros(n_states, dtype=np.int64)
    arrived: list[tuple[int, int]] = [(0, 0)] * (n_blocks + 1)  # (start of the run, state)
    for block in range(min_blocks, n_blocks + 1):
        opening = block - min_blocks
        value = best[opening] - (cost if opening else 0.0) - total[opening]
        better = value > open_
        open_ = np.where(better, value, open_)
        start = np.where(better, opening, start)
        state = int(np.argmax(open_ + total[block]))
        best[block] = open_[state] + total[block, state]
        arrived[block] = (int(start[state]), state)
    boundaries, states = [], []
    block = n_blocks
    while block > 0:
        block, state = arrived[block]
        boundaries.append(block)
        states.append(state)
    return boundaries[-2::-1], states[::-1]


def _refit(
    evidence: Evidence, time_s: float, period_s: float, start_s: float, end_s: float
) -> FittedSegment:
    line = Line.through(time_s, period_s, start_s, end_s)
    return FittedSegment(start_s, end_s, maximise(evidence, line))


def with_exact_boundaries(
    evidence: Evidence, segments: list[FittedSegment], reach_s: float
) -> list[FittedSegment]:
    """Move each boundary to where one grid's evidence ends and the next one's begins."""
    for i in range(len(segments) - 1):
        left, right = segments[i], segments[i + 1]
        low_s, high_s = left.end_s - reach_s, left.end_s + reach_s
        times_s = np.arange(low_s, high_s, min(left.line.period_s, right.line.period_s) / 4)
        value = _sum_between(evidence, left.line, low_s, times_s)
        value -= _sum_between(evidence, right.line, low_s, times_s)
        boundary_s = float(times_s[int(np.argmax(value))])
        segments[i] = replace(left, end_s=boundary_s)
        segments[i + 1] = replace(right, start_s=boundary_s)
    return [_refit(evidence, p.line.time_s, p.line.period_s, p.start_s, p.end_s) for p in segments]


def _sum_between(evidence: Evidence, line: Line, start_s: float, ends_s: FloatArray) -> FloatArray:
    """Return the evidence of a line's beats from a start up to each of several ends, (ends,)."""
    first = int(np.ceil((start_s - line.time_s) / line.period_s))
    last = int(np.ceil((ends_s[-1] - line.time_s) / line.period_s))
    beats_s = line.time_s + np.arange(first, last + 1, dtype=np.float64) * line.period_s
    total = np.concatenate((np.zeros(1), np.cumsum(evidence(beats_s))))
    return total[np.searchsorted(beats_s, ends_s)]


def evidence_of(evidence: Evidence, line: Line, start_s: float, end_s: float) -> float:
    """Sum the evidence of a line's beats in [start, end)."""
    return float(_sum_between(evidence, line, start_s, np.array([end_s]))[0])


def _merged(evidence: Evidence, segments: list[FittedSegment]) -> list[FittedSegment]:
    """Join neighbours that one line explains as well, up to half a beat, or without a tempo."""
    per_beat = [_evidence_per_beat(evidence, segment) for segment in segments]
    free = [value < TEMPO_SHARE * max(per_beat) for value in per_beat]
    merged, merged_free = segments[:1], free[0]
    for segment, segment_free in zip(segments[1:], free[1:], strict=True):
        last = merged[-1]
        parts = [(p, evidence_of(evidence, p.line, p.start_s, p.end_s)) for p in (last, segment)]
        strongest = max(parts, key=lambda part: part[1])[0].line
        trial = _refit(evidence, strongest.time_s, strongest.period_s, last.start_s, segment.end_s)
        grids = (trial.line, trial.line.half_beat_later())
        kept = [
            max(evidence_of(evidence, g, p.start_s, p.end_s) for g in grids) >= MERGE_SHARE * gain
            for p, gain in parts
        ]
        silent = any(_silent(evidence, p) for p in (last, segment))
        if all(kept) or silent or merged_free or segment_free:
            merged[-1] = trial
            merged_free = merged_free and segment_free
        else:
            merged.append(segment)
            merged_free = segment_free
    return merged


def _evidence_per_beat(evidence: Evidence, segment: FittedSegment) -> float:
    """Return the mean evidence of a segment's beats."""
    total = evidence_of(evidence, segment.line, segment.start_s, segment.end_s)
    return total * segment.line.period_s / max(segment.end_s - segment.start_s, 1e-9)


def _silent(evidence: Evidence, segment: FittedSegment) -> bool:
    """Tell whether most of a segment does not count."""
    low, high = (int(t * evidence.frame_rate) for t in (segment.start_s, segment.end_s))
    return high <= low or float(evidence.weight[low:high].mean()) < PRESENT


def typical_sum(evidence_sums: FloatArray) -> float:
    """Return what a stretch with beats typically adds up to: upper quartile of those that count."""
    counting = evidence_sums[evidence_sums > COUNTING_SHARE * np.max(evidence_sums)]
    return float(np.quantile(counting, 0.75)) if len(counting) else 0.0
