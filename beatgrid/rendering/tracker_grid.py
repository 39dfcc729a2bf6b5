"""The grid of a tracker module, computed from the rows that were played.

Nothing is detected: beats are where rows 0, 4, 8 ... of every pattern begin, and their distance
follows from the format's own arithmetic (ticks per row, 2.5 / tempo seconds per tick).
"""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beatgrid.errors import BeatgridError
from beatgrid.grid import Grid
from beatgrid.rendering.openmpt import BLOCK, SAMPLE_RATE, Row

BPM_RANGE = (70.0, 200.0)
_MAX_GAP = 4  # beats: pattern delays and jumps may hide the start of some
_ROUND_LENGTHS = {2**k for k in range(2, 9)}  # rows of a pattern that bars of four beats fill


class LeftOutError(BeatgridError):
    """A module that does not belong into the set; the message is the reason."""


@dataclass(frozen=True)
class SteadyStretch:
    """The longest stretch of a module in which beats are equidistant.

    Attributes:
        first: Sample of the rendering at which the stretch begins.
        last: Where it ends, exclusive.
        grid: Beats, in seconds from ``first``; its offset is the first row of a pattern.
        rows_per_beat: The metrical level that was chosen.
        downbeat: "likely" where bars of four beats fill all patterns, otherwise "unknown".
    """

    first: int
    last: int
    grid: Grid
    rows_per_beat: int
    downbeat: str


def choose_rows_per_beat(rows_per_beat: int, row_s: float) -> int | None:
    """Choose the rows of a beat at a metrical level within ``BPM_RANGE``: a custom, not a fact.

    The module's own number (mostly the format's default of 4, that is 24 ticks at speed 6) is
    doubled while the tempo is above the range and halved, where it is even, while it is below.

    Args:
        rows_per_beat: The module's own.
        row_s: Duration of a row in seconds.

    Returns:
        None where no such level lies within the range.
    """
    slowest, fastest = BPM_RANGE
    while 60.0 / (rows_per_beat * row_s) > fastest:
        rows_per_beat *= 2
    while 60.0 / (rows_per_beat * row_s) < slowest and rows_per_beat % 2 == 0:
        rows_per_beat //= 2
    return rows_per_beat if slowest <= 60.0 / (rows_per_beat * row_s) <= fastest else None


def played_lengths(rows: Sequence[Row]) -> list[int]:
    """Count the rows played of each pattern, up to its end or a break, the last left out."""
    starts = [
        i
        for i, (a, b) in enumerate(itertools.pairwise(rows), 1)
        if b.order != a.order or b.row == 0
    ]
    return [end - start for start, end in itertools.pairwise([0, *starts])]


def find_steady(rows: Sequence[Row], n_samples: int, min_duration_s: float) -> SteadyStretch:
    """Return the longest stretch of a module in which beats are equidistant.

    Args:
        rows: As played; ``start`` is exact to ``BLOCK`` samples.
        n_samples: Length of the rendering.
        min_duration_s: A shorter stretch is none.

    Raises:
        LeftOutError: There is no such stretch, or its metrical level or timing is ambiguous.
    """
    if n_samples < min_duration_s * SAMPLE_RATE:
        raise LeftOutError(f"shorter than {min_duration_s:g} s")
    lengths = played_lengths(rows)
    if lengths and sum(length % 3 == 0 for length in lengths) > len(lengths) / 2:
        raise LeftOutError("patterns of 3 x 2^n rows: 3, 4 or 6 of them may be a beat")
    # Two rows at a time: speeds that alternate are swing, and the pair's duration is constant.
    pairs = [(b.start - a.start) / 2 for a, b in zip(rows, rows[2:], strict=False)]
    row_s = statistics.median(pairs) / SAMPLE_RATE
    module_rows_per_beat = Counter(row.rows_per_beat for row in rows).most_common(1)[0][0]
    rows_per_beat = choose_rows_per_beat(module_rows_per_beat, row_s)
    if rows_per_beat is None:
        raise LeftOutError(f"no level within {BPM_RANGE[0]:g} to {BPM_RANGE[1]:g} BPM")
    beats = [row for row in rows if row.row % rows_per_beat == 0]
    # First with a period known to a block in two rows, then with that of the whole run.
    run = _longest_run(beats, rows_per_beat * row_s * SAMPLE_RATE, (rows_per_beat / 2 + 1) * BLOCK)
    if len(run) > 1:
        run = _longest_run(beats, statistics.median(_distances(run)), 1.5 * BLOCK)
    if len(run) < 2:
        raise LeftOutError(f"tempo or phase changes: no {min_duration_s:g} s of equidistant beats")
    period, offset = exact_beats(run)
    # A run ends with its last beat, unless it is the end of the music that cut it off.
    first, last = run[0].start, run[-1].start
    if run[-1] is beats[-1]:
        last = min(n_samples, last + round(period))
    if last - first < min_duration_s * SAMPLE_RATE:
        raise LeftOutError(f"tempo or phase changes: no {min_duration_s:g} s of equidistant beats")
    bars = [row for row in run if row.row % (4 * rows_per_beat) == 0]
    head = next((row for row in run if row.row == 0), run[0])
    n_head = round((head.start - run[0].start) / period)
    in_bars = all(
        round((bar.start - head.start) / period) % 4 == 0 for bar in bars
    ) and _ROUND_LENGTHS.issuperset(lengths)
    return SteadyStretch(
        first=first,
        last=last,
        grid=Grid(60.0 * SAMPLE_RATE / period, (offset + n_head * period - first) / SAMPLE_RATE),
        rows_per_beat=rows_per_beat,
        downbeat="likely" if in_bars else "unknown",
    )


def _distances(rows: Sequence[Row]) -> list[int]:
    return [b.start - a.start for a, b in itertools.pairwise(rows)]


def _longest_run(beats: Sequence[Row], period: float, tolerance: float) -> Sequence[Row]:
    """Find the longest run of beats at multiples of a period apart, all in samples."""
    best, begin = beats[:0], 0
    for end, distance in enumerate([*_distances(beats), 0], 1):
        n_periods = round(distance / period)
        if 1 <= n_periods <= _MAX_GAP and abs(distance - n_periods * period) <= tolerance:
            continue
        if end - begin > len(best):
            best = beats[begin:end]
        begin = end
    return best


def exact_beats(run: Sequence[Row]) -> tuple[float, float]:
    """Return period and first beat in samples, from the player's own arithmetic.

    A tick lasts 2.5 / tempo seconds, truncated to whole samples by most formats (up to 0.2 %
    faster than written, that is half a second in four minutes) and not by others. What explains
    the start of every beat to within the block in which it was read is what was played.

    Raises:
        LeftOutError: Neither does.
    """
    starts = np.array([row.start for row in run])
    # The tempo of the middle: at either end it may just be about to change.
    tick = 2.5 * SAMPLE_RATE / run[len(run) // 2].tempo
    measured = statistics.median(_distances(run))
    for samples_per_tick in (float(int(tick)), tick):
        period = round(measured / samples_per_tick) * samples_per_tick
        earliest = starts - np.round((starts - starts[0]) / period) * period
        low, high = earliest.max(), earliest.min() + BLOCK
        if low < high:
            # The first row of all begins with the first sample.
            return period, 0.0 if low <= starts[0] == 0 else float(low + high - 1) / 2
    raise LeftOutError("beats do not follow from ticks of one tempo")
