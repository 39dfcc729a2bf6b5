"""How right a beatgrid is: per-track scores of an estimated grid against a labelled one.

The words used everywhere in this project, for a true and an estimated grid over
``[0, duration_s)``; T is the true beat period:

- *level*: the ratio estimated / true BPM, within 2 % of 1 ("ok"), 2, 1/2, 3/2, 2/3, 4/3 or 3/4;
  else "other", and "none" where no grid was found.
- *drift*: how far the estimated beats move against the true ones between the first and the last
  true beat.
- *phase*: estimated minus true beat time at mid-track; positive means that the estimate is late.
- *off-beat*: the phase is more than T/4.
- *Grid-OK@t*: the level is ok and the estimate is within t of every true beat.
- *multi*: an estimate at twice or half the true tempo is forgiven.

Both grids are lines in time, so the error changes linearly from beat to beat. All errors follow
from one pair of beats at mid-track and the two periods, and the worst beat is the first or the
last. No beat is dropped at the edges: the estimated grid is taken as unbounded, so a true beat at
0.001 s still finds its partner at -0.002 s.

Estimates at a multiple are compared beat by beat at the sparser of both grids:

- twice the tempo: every true beat has an estimated partner, at most T/4 away; the estimated beats
  in between are forgiven. Such a grid cannot be off-beat.
- half the tempo: every estimated beat has a true partner, at most T/2 away; the true beats
  in between are judged by the line through their neighbours. It is off-beat when it falls between
  true beats, whichever of the two it picked is forgiven.
- drift is that of the estimate brought back to the true level. It is meant for every named ratio,
  so that "3/2 and steady" can be told from a lost tempo; only 2 and 1/2 count as right.
- phase and maximal error mean nothing at 3/2, 2/3, 4/3, 3/4 and other ratios: None there.

A track without an estimate counts as wrong in every rate.

What differs from the literature: F-measure, CMLt and AMLt are those of Davies, Degara and Plumbley
(2009), as in ``mir_eval.beat.evaluate``: beats before 5 s are left out, +-70 ms, 17.5 % of phase
and period; but both sequences are whole grids, so beats count through breaks and silences as well.
Acc1 and Acc2 (4 %; Gouyon et al., 2006) compare single tempi with each other.
"""

from beatgrid.evaluation.sequences import continuity_totals, f_measure
from beatgrid.evaluation.summary import (
    HIGHER_IS_BETTER,
    STATISTICS,
    ReliabilityBin,
    auroc,
    bootstrap,
    reliability,
    reliability_of,
    summarise,
    tempo_range,
)
from beatgrid.evaluation.track import LEVELS, TrackScore, evaluate_track, metrical_level

__all__ = [
    "HIGHER_IS_BETTER",
    "LEVELS",
    "STATISTICS",
    "ReliabilityBin",
    "TrackScore",
    "auroc",
    "bootstrap",
    "continuity_totals",
    "evaluate_track",
    "f_measure",
    "metrical_level",
    "reliability",
    "reliability_of",
    "summarise",
    "tempo_range",
]
