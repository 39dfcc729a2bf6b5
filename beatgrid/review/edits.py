"""All that a person can do to a grid: a function each, and a table of them by name.

An edit is a JSON object as the page sends it, ``{"op": NAME, ...}``. Each function takes the grid
and what the edit names, and returns another grid. Where there are several tempi, an edit is of the
stretch that ``at_s``, the cursor, lies in.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from beatgrid.checks import Interval, Some, hints_of, mismatch, shown
from beatgrid.errors import BeatgridError
from beatgrid.grid import Activation, Grid
from beatgrid.review.likeliest_bars import likeliest_bars
from beatgrid.review.reviewed_grid import ReviewedGrid, Stretch
from beatgrid.search import NoGridError
from beatgrid.search.held import held_search

Seconds = Annotated[float, Interval(-100_000, 100_000)]
Bpm = Annotated[float, Interval(10, 1000)]

# Snapping holds the tempo within this share and the beat at the cursor within this time.
SNAP_TEMPO_SHARE = 0.005
SNAP_SHIFT_S = 0.040
# Fingers are less exact: a tapped tempo is looked for within the tolerance of the literature, its
# beat within a quarter of a period.
TAP_TEMPO_SHARE = 0.04
TAP_SHIFT_S = 1.0
MIN_TAPS = 3
# The shortest stretch: two beats of a slow tempo.
MIN_STRETCH_S = 1.0


class EditError(BeatgridError):
    """An edit that cannot be done; the line says why."""


@dataclass(frozen=True)
class Sources:
    """What an edit may look at besides the grid.

    Attributes:
        found: The grid as the search found it.
        alternatives: (tempo, time of a beat) of the grids that came close.
        activation: Of the track; None while it is not computed, or cannot be.
    """

    found: ReviewedGrid
    alternatives: Sequence[tuple[float, float]] = ()
    activation: Activation | None = None


def apply_edit(grid: ReviewedGrid, edit: Mapping[str, Any], sources: Sources) -> ReviewedGrid:
    """Return the grid after an edit.

    Args:
        grid: Before.
        edit: ``{"op": NAME, ...}``, as it came from the page: not checked yet.
        sources: What else counts.

    Raises:
        EditError: There is no such edit, its arguments are not what they must be, or it cannot be
            done to this grid.
    """
    name = edit.get("op")
    function = EDITS.get(name) if isinstance(name, str) else None
    if function is None:
        raise EditError(f"op={shown(name)}: no such edit; known are {', '.join(EDITS)}")
    arguments = {key: value for key, value in edit.items() if key != "op"}
    parameters = inspect.signature(function).parameters
    wanted = {key: parameters[key] for key in parameters if key not in ("grid", "sources")}
    hints = hints_of(function)
    if unknown := sorted(arguments.keys() - wanted.keys()):
        raise EditError(f"{name}: takes no {unknown[0]}")
    for key, parameter in wanted.items():
        if key not in arguments and parameter.default is inspect.Parameter.empty:
            raise EditError(f"{name}: lacks {key}")
        if key in arguments:
            form = mismatch(arguments[key], hints[key])
            if form is not None:
                raise EditError(f"{name}: {key} is {shown(arguments[key])}, must be {form}")
    if "sources" in parameters:
        arguments["sources"] = sources
    edited = function(grid, **arguments)
    for stretch in edited.stretches:
        if not 10 <= stretch.grid.bpm <= 1000:
            raise EditError(f"{stretch.grid.bpm:.2f} BPM: tempi from 10 to 1000 can be set")
    return edited


def nudge(grid: ReviewedGrid, at_s: Seconds, ms: Seconds) -> ReviewedGrid:
    """Move the beats by milliseconds."""
    return _with(grid, at_s, lambda stretch: stretch.moved(ms / 1000))


def shift(
    grid: ReviewedGrid, at_s: Seconds, beats: Annotated[float, Interval(-16, 16)]
) -> ReviewedGrid:
    """Move the beats by beats or parts of one."""
    return _with(grid, at_s, lambda stretch: stretch.moved(beats * stretch.grid.period_s))


def one(grid: ReviewedGrid, at_s: Seconds) -> ReviewedGrid:
    """Make the beat nearest to the cursor the first of its bar."""

    def changed(stretch: Stretch) -> Stretch:
        n = stretch.grid.beats_per_bar
        if stretch.own_beats is None:
            beat_s = _nearest_beat_s(stretch.grid, at_s)
            return replace(stretch, grid=Grid(stretch.grid.bpm, beat_s, n))
        times_s = np.array([time_s for time_s, _ in stretch.own_beats])
        first = int(np.argmin(np.abs(times_s - at_s)))
        own = tuple((float(t), (i - first) % n + 1) for i, t in enumerate(times_s))
        return Stretch(stretch.start_s, Grid(stretch.grid.bpm, float(times_s[first]), n), own)

    return replace(_with(grid, at_s, changed), downbeat_known=True)


def scale(
    grid: ReviewedGrid,
    at_s: Seconds,
    ratio: Annotated[float, Interval(0.2, 5)],
    sources: Sources,
) -> ReviewedGrid:
    """Multiply the tempo; a downbeat stays one.

    At a slower tempo only some of the old downbeats can stay: those that the activation speaks for
    most, and without one that nearest to the cursor.
    """

    def changed(stretch: Stretch) -> Stretch:
        old = stretch.grid
        bar_s = old.period_s * old.beats_per_bar
        downbeat_s = old.offset_s + round((at_s - old.offset_s) / bar_s) * bar_s
        new = Grid(old.bpm * ratio, downbeat_s, old.beats_per_bar)
        if ratio < 1:
            new = likeliest_bars(new, bar_s, stretch.start_s, end_s, sources.activation)
        return Stretch(stretch.start_s, new)

    end_s = grid.end_s(grid.index_at(at_s)) if grid.stretches else 0.0
    return _with(grid, at_s, changed)


def bpm(grid: ReviewedGrid, at_s: Seconds, bpm: Bpm) -> ReviewedGrid:
    """Set the tempo; the beat nearest to the cursor stays, with its place in the bar."""
    if not grid.stretches:
        return _first_grid(grid, Grid(float(bpm), at_s))

    def changed(stretch: Stretch) -> Stretch:
        return Stretch(stretch.start_s, _at_tempo(stretch.grid, float(bpm), at_s))

    return _with(grid, at_s, changed)


def tap(
    grid: ReviewedGrid,
    at_s: Seconds,
    times_s: Annotated[Sequence[Seconds], Some()],
    sources: Sources,
    placed: bool = True,
) -> ReviewedGrid:
    """Set the tempo to what was tapped.

    The activation then makes it exact: the search, held near it.

    Args:
        grid: Before.
        at_s: The cursor.
        times_s: Of the taps, ascending.
        sources: The activation counts.
        placed: The times are times of the track, tapped while it played: they place the beats as
            well. Otherwise only the time between them counts.
    """
    period_s, first_s = _tapped(np.asarray(times_s, dtype=np.float64))
    if not 10 <= 60 / period_s <= 1000:
        raise EditError(f"tapped {60 / period_s:.1f} BPM; tempi from 10 to 1000 can be set")
    if placed:
        at_s = float(np.mean(times_s))
    old = grid.stretches[grid.index_at(at_s)].grid if grid.stretches else None
    n = old.beats_per_bar if old else 4
    if placed or old is None:
        beat_s = first_s + round((at_s - first_s) / period_s) * period_s if placed else at_s
        # The bar goes on: the tapped beat that is nearest to a downbeat is one.
        new = Grid(60 / period_s, beat_s, n)
        if old is not None:
            bar_s = old.period_s * n
            downbeat_s = old.offset_s + round((at_s - old.offset_s) / bar_s) * bar_s
            new = Grid(new.bpm, _nearest_beat_s(new, downbeat_s), n)
    else:
        new = _at_tempo(old, 60 / period_s, at_s)
    if not grid.stretches:
        grid = _first_grid(grid, new)
    else:
        grid = _with(grid, at_s, lambda stretch: Stretch(stretch.start_s, new))
    if sources.activation is None:
        return grid
    try:
        return _held(grid, at_s, sources.activation, TAP_TEMPO_SHARE, TAP_SHIFT_S)
    except EditError:
        return grid  # nothing there to hold on to: what was tapped is what is known


def beats_per_bar(
    grid: ReviewedGrid, at_s: Seconds, beats: Annotated[int, Interval(1, 16)]
) -> ReviewedGrid:
    """Set the beats of a bar, of the whole track; the downbeat nearest to the cursor stays one."""
    _require(grid)
    stretches = []
    for index, stretch in enumerate(grid.stretches):
        fixed_s = at_s if index == grid.index_at(at_s) else stretch.start_s
        old = stretch.grid
        bar_s = old.period_s * old.beats_per_bar
        downbeat_s = old.offset_s + round((fixed_s - old.offset_s) / bar_s) * bar_s
        own = stretch.own_beats
        if own is not None:
            far_s = [abs(t - fixed_s) if at == 1 else math.inf for t, at in own]
            first = far_s.index(min(far_s))
            own = tuple((t, (i - first) % beats + 1) for i, (t, _) in enumerate(own))
        stretches.append(Stretch(stretch.start_s, Grid(old.bpm, downbeat_s, beats), own))
    return replace(grid, stretches=tuple(stretches))


def split(grid: ReviewedGrid, at_s: Seconds) -> ReviewedGrid:
    """Begin another stretch at the cursor, for now with the same beats."""
    _require(grid)
    index = grid.index_at(at_s)
    start_s, end_s = grid.stretches[index].start_s, grid.end_s(index)
    if at_s - start_s < MIN_STRETCH_S or end_s - at_s < MIN_STRETCH_S:
        raise EditError(f"a stretch lasts at least {MIN_STRETCH_S:g} s: split farther from its end")
    new = replace(grid.stretches[index], start_s=float(at_s))
    stretches = (*grid.stretches[: index + 1], new, *grid.stretches[index + 1 :])
    return replace(grid, stretches=stretches)


def merge(grid: ReviewedGrid, at_s: Seconds) -> ReviewedGrid:
    """Join the stretch at the cursor with the next, the last with the one before; its beats stay.

    Beats that follow a gliding tempo become those of their mean tempo.
    """
    if len(grid.stretches) < 2:
        raise EditError("there is one stretch only: nothing to merge")
    index = grid.index_at(at_s)
    kept = replace(grid.stretches[index], own_beats=None)
    other = index + 1 if index + 1 < len(grid.stretches) else index - 1
    first = min(index, other)
    kept = replace(kept, start_s=grid.stretches[first].start_s)
    return replace(grid, stretches=(*grid.stretches[:first], kept, *grid.stretches[first + 2 :]))


def fit(grid: ReviewedGrid, first_s: Seconds, last_s: Seconds) -> ReviewedGrid:
    """Put a beat at either of two times: tempo and phase follow.

    As many beats lie between them as do at the present tempo, to the nearest. The first keeps its
    place in the bar.
    """
    _require(grid)
    first_s, last_s = sorted((float(first_s), float(last_s)))
    index = grid.index_at(first_s)
    old = grid.stretches[index].grid
    n_beats = round((last_s - first_s) / old.period_s)
    if n_beats < 1:
        raise EditError("less than a beat lies between the two: choose one far behind the first")
    new_bpm = 60.0 * n_beats / (last_s - first_s)
    place = round((first_s - old.offset_s) / old.period_s) % old.beats_per_bar
    new = Grid(new_bpm, first_s - place * 60.0 / new_bpm, old.beats_per_bar)
    return _with(grid, first_s, lambda stretch: Stretch(stretch.start_s, new))


def snap(grid: ReviewedGrid, at_s: Seconds, sources: Sources) -> ReviewedGrid:
    """Search again, the tempo held within 0.5 % and the beat at the cursor within 40 ms."""
    _require(grid)
    if sources.activation is None:
        raise EditError("the activation of this track is not known yet: wait a moment")
    return _held(grid, at_s, sources.activation, SNAP_TEMPO_SHARE, SNAP_SHIFT_S)


def alternative(
    grid: ReviewedGrid, number: Annotated[int, Interval(0, 20)], sources: Sources
) -> ReviewedGrid:
    """Switch to another grid that the search considered, or with number 0 back to what it found.

    Its beat that is nearest to a downbeat found begins its bars: the first downbeat, or where the
    alternative is slower the one that the activation speaks for most.
    """
    if number == 0:
        return sources.found
    if number > len(sources.alternatives):
        raise EditError(f"there is no alternative {number}")
    tempo, beat_s = sources.alternatives[number - 1]
    found = sources.found.stretches
    n = found[0].grid.beats_per_bar if found else 4
    new = Grid(tempo, beat_s, n)
    if found:
        old = found[0].grid
        new = Grid(tempo, _nearest_beat_s(new, old.offset_s), n)
        if tempo < old.bpm:
            bar_s = old.period_s * n
            new = likeliest_bars(new, bar_s, 0.0, grid.duration_s, sources.activation)
    return replace(grid, stretches=(Stretch(0.0, new),))


EDITS: dict[str, Callable[..., ReviewedGrid]] = {
    function.__name__: function
    for function in (
        *(nudge, shift, one, scale, bpm, tap, beats_per_bar, split, merge, fit, snap),
        alternative,
    )
}
"""Every edit by its name."""


def _require(grid: ReviewedGrid) -> None:
    if not grid.stretches:
        raise EditError("there is no grid yet: type a BPM or tap")


def _with(grid: ReviewedGrid, at_s: float, changed: Callable[[Stretch], Stretch]) -> ReviewedGrid:
    """Return the grid with the stretch at a time changed."""
    _require(grid)
    index = grid.index_at(at_s)
    stretches = list(grid.stretches)
    stretches[index] = changed(stretches[index])
    return replace(grid, stretches=tuple(stretches))


def _first_grid(grid: ReviewedGrid, new: Grid) -> ReviewedGrid:
    return replace(grid, stretches=(Stretch(0.0, new),), downbeat_known=False)


def _nearest_beat_s(grid: Grid, time_s: float) -> float:
    return grid.offset_s + round((time_s - grid.offset_s) / grid.period_s) * grid.period_s


def _at_tempo(grid: Grid, new_bpm: float, at_s: float) -> Grid:
    """Return a grid at another tempo; the beat nearest to a time stays, with its place."""
    k = round((at_s - grid.offset_s) / grid.period_s)
    beat_s = grid.offset_s + k * grid.period_s
    place = k % grid.beats_per_bar
    return Grid(new_bpm, beat_s - place * 60.0 / new_bpm, grid.beats_per_bar)


def _held(
    grid: ReviewedGrid, at_s: float, activation: Activation, tempo_share: float, shift_s: float
) -> ReviewedGrid:
    def changed(stretch: Stretch) -> Stretch:
        index = grid.index_at(at_s)
        try:
            new = held_search(
                activation,
                stretch.grid,
                at_s,
                start_s=stretch.start_s,
                end_s=grid.end_s(index),
                max_tempo_share=tempo_share,
                max_shift_s=shift_s,
            )
        except NoGridError as error:
            raise EditError(f"nothing to snap to: {error}") from error
        return Stretch(stretch.start_s, new)

    return _with(grid, at_s, changed)


def _tapped(times_s: np.ndarray) -> tuple[float, float]:
    """Return period and time of a beat of taps, in which beats may be missing.

    A straight line through the taps, numbered by the median of the gaps between them.
    """
    if len(times_s) < MIN_TAPS:
        raise EditError(f"tap at least {MIN_TAPS} times")
    gaps_s = np.diff(times_s)
    if not np.all(gaps_s > 0):
        raise EditError("taps must follow each other in time")
    usual_s = float(np.median(gaps_s))
    k = np.concatenate(([0.0], np.cumsum(np.maximum(np.round(gaps_s / usual_s), 1.0))))
    period_s, first_s = np.polyfit(k, times_s, 1)
    if not (math.isfinite(period_s) and period_s > 0):
        raise EditError("taps must follow each other in time")
    return float(period_s), float(first_s)
