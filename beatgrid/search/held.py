"""The search again, held near a grid that a person has set: exact, but never another tempo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.search.attacks import fit_attacks, line_delay
from beatgrid.search.evidence import Evidence
from beatgrid.search.grid_search import GridSearch
from beatgrid.search.least_squares import find_peaks, fit_peaks
from beatgrid.search.line import Line
from beatgrid.search.refine import maximise
from beatgrid.search.snap import snap

# Steps of shift, and of the farthest beat where the tempo changes: inside one maximum of a curve
# smoothed by 10 ms.
STEP_S = 0.006
# The lattice of tempi and shifts is tried on the beats this near to the fixed one; the optimum is
# then carried on to the ends, twice as far each time.
LATTICE_REACH_S = 240.0
# So many of these beats tell which place of the lattice is the best.
LATTICE_BEATS = 384


def held_search(
    activation: Activation,
    grid: Grid,
    at_s: float,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    max_tempo_share: float = 0.005,
    max_shift_s: float = 0.040,
    search: GridSearch | None = None,
) -> Grid:
    """Find the best grid near a given one.

    Args:
        activation: Of the whole track.
        grid: Where to begin.
        at_s: The beat nearest to it moves by ``max_shift_s`` at most.
        start_s: Where the stretch begins that the grid is for.
        end_s: Where it ends; with the track by default.
        max_tempo_share: The tempo changes by at most this share of it.
        max_shift_s: See ``at_s``; never more than a quarter of a beat.
        search: Its settings count; by default those of ``GridSearch()``.

    Returns:
        The grid, its bars those of the given one; at a round tempo where that fits as well.

    Raises:
        NoGridError: The activation is flat.
    """
    search = search or GridSearch()
    evidence = search.evidence(activation)
    end_s = activation.duration_s if end_s is None else end_s
    period_s = grid.period_s
    k_at = round((at_s - grid.offset_s) / period_s)
    at_s = grid.offset_s + k_at * period_s
    max_shift_s = min(max_shift_s, period_s / 4)
    bpm_range = (grid.bpm * (1 - max_tempo_share), grid.bpm * (1 + max_tempo_share))

    def is_held(line: Line) -> bool:
        shift_s = line.time_s + round((at_s - line.time_s) / line.period_s) * line.period_s - at_s
        # Bounds that were reached by arithmetic are kept.
        return abs(shift_s) <= max_shift_s + 1e-9 and (
            bpm_range[0] - 1e-9 <= line.bpm <= bpm_range[1] + 1e-9
        )

    reach_s = LATTICE_REACH_S
    line = _best_of_lattice(
        evidence,
        Line.through(at_s, period_s, max(start_s, at_s - reach_s), min(end_s, at_s + reach_s)),
        at_s,
        max_tempo_share,
        max_shift_s,
    )
    while True:
        low_s, high_s = max(start_s, at_s - reach_s), min(end_s, at_s + reach_s)
        line = Line.through(line.time_s, line.period_s, low_s, high_s)
        better = maximise(evidence, line)
        line = better if is_held(better) else line
        if low_s == start_s and high_s == end_s:
            break
        reach_s *= 2
    peaks = find_peaks(activation, search.smoothing_s)
    for _ in range(2):
        better = fit_peaks(peaks, line, evidence.weight_at(line.times_s))
        line = better if is_held(better) else line
    better = fit_attacks(activation.attacks_s, line, evidence)
    line = better if is_held(better) else line
    round_line = snap(evidence, line, search.max_snap_drift_s, bpm_range)
    line = round_line if is_held(round_line) else line
    if (late := line_delay(activation.attacks_s, line, evidence)) is not None:
        delayed = line.delayed(late.delay_s)
        line = delayed if is_held(delayed) else line
    beat_s = line.time_s + round((at_s - line.time_s) / line.period_s) * line.period_s
    # 60 / (60 / bpm) is not quite bpm.
    bpm = round(line.bpm, 2) if abs(line.bpm - round(line.bpm, 2)) < 1e-9 else line.bpm
    return Grid(bpm, beat_s - (k_at % grid.beats_per_bar) * 60.0 / bpm, grid.beats_per_bar)


def _best_of_lattice(
    evidence: Evidence, line: Line, at_s: float, max_tempo_share: float, max_shift_s: float
) -> Line:
    """Return the line with the most evidence among all tempi and shifts allowed."""
    k_at = round((at_s - line.time_s) / line.period_s)
    k = line.k - k_at
    k = k[:: max(1, len(k) // LATTICE_BEATS)]
    farthest_s = max(float(np.abs(k).max(initial=1)) * line.period_s, line.period_s)
    n_tempi = int(np.ceil(max_tempo_share * farthest_s / STEP_S))
    n_shifts = int(np.ceil(max_shift_s / STEP_S))
    tempi = np.linspace(1 - max_tempo_share, 1 + max_tempo_share, 2 * n_tempi + 1)
    shifts_s = np.linspace(-max_shift_s, max_shift_s, 2 * n_shifts + 1)
    periods_s: FloatArray = line.period_s / tempi
    from_fixed_s = periods_s[:, None] * k
    sums = np.array([evidence(at_s + shift_s + from_fixed_s).sum(axis=1) for shift_s in shifts_s])
    shift, tempo = np.unravel_index(int(np.argmax(sums)), sums.shape)
    period_s = float(periods_s[tempo])
    return replace(line, time_s=at_s + float(shifts_s[shift]) - k_at * period_s, period_s=period_s)
