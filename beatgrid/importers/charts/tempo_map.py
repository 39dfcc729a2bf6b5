"""Tempi and time signatures that are stated at beats, as tempo marks at times."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence

from beatgrid.importers.track import TempoMark

MAX_CHANGES = 100_000
# A beat that is this near to a change is at it: positions are whole ticks or few decimals.
_EDGE_BEATS = 1e-6


def marks_of_beats(
    tempi: Sequence[tuple[float, float]],
    signatures: Sequence[tuple[float, int | None]] = (),
    start_s: float = 0.0,
) -> Iterator[TempoMark]:
    """Yield a mark for each change, in the order of time.

    Beats count from the last time signature on: behind a bar of 7/8 they are half a beat off those
    before it. Tempi that are not positive and finite take no time and have no beats.

    Args:
        tempi: (beat, beats per minute) from which each holds.
        signatures: (beat, beats in a bar or None where that is no whole number) likewise; without
            any, bars are not known.
        start_s: Time of the first tempo's beat.
    """
    tempi = sorted(tempi, key=lambda change: change[0])[:MAX_CHANGES]
    signatures = sorted(signatures, key=lambda change: change[0])[:MAX_CHANGES]
    firsts = [beat for beat, _ in signatures]
    time_s = start_s
    for i, (beat, bpm) in enumerate(tempi):
        stop = tempi[i + 1][0] if i + 1 < len(tempi) else math.inf
        if not (math.isfinite(bpm) and bpm > 0):
            continue
        inside = signatures[bisect.bisect_right(firsts, beat) : bisect.bisect_left(firsts, stop)]
        for at in (beat, *(first for first, _ in inside)):
            number = bisect.bisect_right(firsts, at) - 1
            since, bar = signatures[number] if number >= 0 else (0.0, None)
            whole = math.ceil(at - since - _EDGE_BEATS)
            position = None if bar is None else whole % bar + 1
            from_s = time_s + (at - beat) * 60 / bpm
            yield TempoMark(from_s + (since + whole - at) * 60 / bpm, bpm, bar, position, from_s)
        if math.isfinite(stop):
            time_s += (stop - beat) * 60 / bpm


def quarters_in_bar(top: float, bottom: float) -> int | None:
    """Return the quarter notes of a bar of top/bottom, if they are a whole number up to 64."""
    quarters = 4 * top / bottom if bottom > 0 else 0.0
    return int(quarters) if quarters == int(quarters) and 1 <= quarters <= 64 else None
