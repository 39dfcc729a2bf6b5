"""Beats as a few spans of constant tempo, which is what other programs' grids are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beatgrid.grid import FloatArray

SPAN_TOLERANCE_S = 0.0005
"""A span's beats are at most this far from those that it stands for.

Half of the millisecond that an export may be off: the other half is for a format's rounding.
"""

# Times in results are rounded to a microsecond: a tempo that agrees this well over a span is the
# span's own.
_ROUNDING_S = 2e-6
# So much later than a span's end, and it has no beat more.
_ROUNDING_PERIODS = 1e-4
# Beats that are looked at together; grows with the span.
_FIRST_WINDOW = 64
# Beats of a constant grid that are this near are counted as right: half of what Grid-OK allows.
NEAR_S = 0.020
_MAX_CANDIDATES = 16


@dataclass(frozen=True)
class TempoSpan:
    """A stretch of constant tempo, from one beat to another.

    Attributes:
        start_s: Where it begins: 0 for the first of a track, otherwise ``first_beat_s``.
        end_s: Where it ends: the first beat of the next span, a whole number of beats after its
            own; the end of the track (or of the beats) for the last.
        bpm: Beats per minute, full precision.
        first_beat_s: First beat at or after ``start_s``.
        first_bar_position: Of that beat, 1 for a downbeat.
    """

    start_s: float
    end_s: float
    bpm: float
    first_beat_s: float
    first_bar_position: int

    @property
    def period_s(self) -> float:
        """Seconds from one beat to the next."""
        return 60.0 / self.bpm

    @property
    def n_beats(self) -> int:
        """Number of beats in it; the one at ``end_s`` is the next span's."""
        n_periods = (self.end_s - self.first_beat_s) / self.period_s
        return max(0, int(np.ceil(n_periods - _ROUNDING_PERIODS)))

    @property
    def beat_times_s(self) -> FloatArray:
        """Times of its beats, float64 (beats,)."""
        return self.first_beat_s + np.arange(self.n_beats, dtype=np.float64) * self.period_s


def fit_spans(
    times_s: FloatArray,
    bar_positions: NDArray[np.int64],
    beats_per_bar: int,
    duration_s: float,
    segment: NDArray[np.int64] | None = None,
    tempi: Sequence[float] = (),
) -> tuple[TempoSpan, ...]:
    """Return the fewest spans, from the left, that keep every beat within ``SPAN_TOLERANCE_S``.

    Each begins exactly on a beat and ends exactly on the first of the next, so that formats which
    chain tempi do not add up errors. An irregular interval, at an edit, is a span of one beat.

    Args:
        times_s: Ascending, at least one, float64 (beats,).
        bar_positions: 1 for a downbeat, (beats,); where they do not count on, a span ends.
        beats_per_bar: Where the count goes back to 1.
        duration_s: Length of the track.
        segment: Number of the segment each beat lies in, (beats,): spans end there too.
        tempi: Of the segments; taken for a span's where they agree to the rounding of times.
    """
    if len(times_s) == 1:
        bpm = tempi[0] if tempi else 120.0
        return (TempoSpan(0.0, duration_s, bpm, float(times_s[0]), int(bar_positions[0])),)
    breaks = bar_positions[1:] != bar_positions[:-1] % beats_per_bar + 1
    if segment is not None:
        breaks = breaks | (np.diff(segment) != 0)
    ends = [*(np.flatnonzero(breaks) + 1), len(times_s) - 1]
    spans: list[TempoSpan] = []
    start = 0
    for end in map(int, ends):
        while start < end:
            stop = _longest_chord(times_s, start, end)
            length_s, n_beats = float(times_s[stop] - times_s[start]), stop - start
            bpm = 60.0 * n_beats / length_s
            known = (b for b in tempi if abs(60.0 / b * n_beats - length_s) <= _ROUNDING_S)
            spans.append(
                TempoSpan(
                    float(times_s[start]) if spans else 0.0,
                    float(times_s[stop]),
                    next(known, bpm),
                    float(times_s[start]),
                    int(bar_positions[start]),
                )
            )
            start = stop
    return _closed(spans, times_s, bar_positions, beats_per_bar, duration_s)


def _closed(
    spans: list[TempoSpan],
    times_s: FloatArray,
    bar_positions: NDArray[np.int64],
    beats_per_bar: int,
    duration_s: float,
) -> tuple[TempoSpan, ...]:
    """Return the spans with the last beat in the last of them, up to the track's end."""
    last = spans[-1]
    position = (last.first_bar_position - 1 + last.n_beats) % beats_per_bar + 1
    end_s = end_behind(float(times_s[-1]), last.period_s, duration_s)
    if position == bar_positions[-1]:
        spans[-1] = TempoSpan(
            last.start_s, end_s, last.bpm, last.first_beat_s, last.first_bar_position
        )
    else:
        beat_s = float(times_s[-1])
        spans.append(TempoSpan(beat_s, end_s, last.bpm, beat_s, int(bar_positions[-1])))
    return tuple(spans)


def end_behind(last_beat_s: float, period_s: float, duration_s: float) -> float:
    """Return where the last span of a track ends, given its last beat."""
    earliest_s = last_beat_s + 2 * _ROUNDING_PERIODS * period_s
    return max(earliest_s, min(duration_s, last_beat_s + period_s))


def _longest_chord(times_s: FloatArray, start: int, end: int) -> int:
    """Return the last beat to which a line from ``start`` keeps those between in tolerance."""
    stop = start + 1
    lowest, highest = -np.inf, np.inf
    window = _FIRST_WINDOW
    first = start + 1
    while first <= end:
        last = min(end, first + window - 1)
        n_beats = np.arange(first, last + 1) - start
        rise_s = times_s[first : last + 1] - times_s[start]
        low = np.maximum.accumulate(
            np.concatenate(([lowest], (rise_s - SPAN_TOLERANCE_S) / n_beats))
        )
        high = np.minimum.accumulate(
            np.concatenate(([highest], (rise_s + SPAN_TOLERANCE_S) / n_beats))
        )
        period_s = rise_s / n_beats
        fits = np.flatnonzero((low[:-1] <= period_s) & (period_s <= high[:-1]))
        if len(fits):
            stop = first + int(fits[-1])
        lowest, highest = float(low[-1]), float(high[-1])
        if lowest > highest:
            break
        first, window = last + 1, 2 * window
    return stop


def constant_span(
    spans: Sequence[TempoSpan],
    times_s: FloatArray,
    bar_positions: NDArray[np.int64],
    beats_per_bar: int,
    duration_s: float,
) -> TempoSpan:
    """Return the one grid that agrees best with the beats, within ``NEAR_S``.

    Compared, by the F-measure, are the longest spans, each continued over the whole track, and
    the line through all beats.
    """
    best: tuple[float, TempoSpan] | None = None
    for period_s, beat_s in _candidates(spans, times_s):
        index = np.round((times_s - beat_s) / period_s).astype(np.int64)
        near = np.abs(times_s - beat_s - index * period_s) <= NEAR_S
        n_grid = (times_s[-1] - times_s[0]) / period_s + 1
        agreement = 2 * float(near.sum()) / (len(times_s) + n_grid)
        if best is not None and agreement <= best[0]:
            continue
        bar = (bar_positions[near] - 1 - index[near]) % beats_per_bar
        first = int(np.ceil(-beat_s / period_s - 1e-9))
        position = int(np.bincount(bar, minlength=1).argmax() + first) % beats_per_bar + 1
        first_s = max(0.0, float(beat_s + first * period_s))
        best = agreement, TempoSpan(0.0, duration_s, 60.0 / period_s, first_s, position)
    assert best is not None
    return best[1]


def _candidates(spans: Sequence[TempoSpan], times_s: FloatArray) -> Iterator[tuple[float, float]]:
    """Yield period and a beat of grids that may stand for all."""
    longest = sorted(spans, key=lambda span: span.first_beat_s - span.end_s)
    for span in longest[:_MAX_CANDIDATES]:
        yield span.period_s, span.first_beat_s
    if len(times_s) > 1:
        slope, intercept = np.polyfit(np.arange(len(times_s)), times_s, 1)
        yield float(slope), float(intercept)
