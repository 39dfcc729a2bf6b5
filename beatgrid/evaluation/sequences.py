"""The literature's scores of beat sequences: F-measure, CMLt and AMLt.

Equal to ``mir_eval.beat``, which the tests compare with. Ours is here because mir_eval takes about
a second to import and 20-40 ms to score the continuity of a 5-minute track.
"""

from __future__ import annotations

import numpy as np

from beatgrid.grid import FloatArray

TRIM_S = 5.0
F_MEASURE_WINDOW_S = 0.07
CONTINUITY_TOLERANCE = 0.175
"""Share of the true interval by which phase and interval of a correct beat may differ."""


def trim(beats_s: FloatArray) -> FloatArray:
    """Leave out the beats before 5 s, where listeners and trackers still settle."""
    return beats_s[beats_s >= TRIM_S]


def f_measure(reference_s: FloatArray, estimate_s: FloatArray) -> float:
    """Return the F-measure of beats matched one to one within 70 ms.

    Args:
        reference_s: True beat times in seconds, ascending, (true beats,).
        estimate_s: Estimated beat times in seconds, ascending, (estimated beats,).

    Returns:
        The harmonic mean of precision and recall, 0 if either sequence is empty.
    """
    # All windows are equally wide, so matching in order of time gives as many pairs as any way.
    true, found = reference_s.tolist(), estimate_s.tolist()
    n_matched = i = j = 0
    while i < len(true) and j < len(found):
        if found[j] < true[i] - F_MEASURE_WINDOW_S:
            j += 1
        elif found[j] > true[i] + F_MEASURE_WINDOW_S:
            i += 1
        else:
            n_matched, i, j = n_matched + 1, i + 1, j + 1
    return 2 * n_matched / max(len(true) + len(found), 1)


def continuity_totals(reference_s: FloatArray, estimate_s: FloatArray) -> tuple[float, float]:
    """Return CMLt and AMLt of two ascending beat sequences, those of ``mir_eval.beat``.

    Args:
        reference_s: True beat times in seconds, (true beats,), at least 2.
        estimate_s: Estimated beat times in seconds, (estimated beats,), at least 2.

    Returns:
        The share of correct beats at the label's own level, and at the best of: the label's level,
        its off-beat, twice the tempo, half the tempo on odd and on even beats.
    """
    steps = np.arange(2 * len(reference_s) - 1) / 2
    double_s = np.interp(steps, np.arange(len(reference_s)), reference_s)
    variations = (reference_s, double_s[1::2], double_s, reference_s[::2], reference_s[1::2])
    totals = [_continuity_total(variation, estimate_s) for variation in variations]
    return totals[0], max(totals)


def _continuity_total(reference_s: FloatArray, estimate_s: FloatArray) -> float:
    """Share of estimated beats whose phase and interval agree with the nearest true beat's."""
    if len(reference_s) < 2:  # no interval to measure by: nothing can be correct
        return 0.0
    right = np.clip(np.searchsorted(reference_s, estimate_s), 1, len(reference_s) - 1)
    left_is_nearer = estimate_s - reference_s[right - 1] <= np.abs(reference_s[right] - estimate_s)
    nearest = right - left_is_nearer
    # Intervals look back, but forward where the first beat of either sequence takes part.
    true_interval_s = np.diff(reference_s, prepend=np.nan)[nearest]
    found_interval_s = np.diff(estimate_s, prepend=np.nan)
    forward = nearest == 0
    forward[0] = True
    at = np.flatnonzero(forward)
    ahead = np.minimum(nearest[at] + 1, len(reference_s) - 1)
    true_interval_s[at] = reference_s[ahead] - reference_s[ahead - 1]
    ahead = np.minimum(at + 1, len(estimate_s) - 1)
    found_interval_s[at] = estimate_s[ahead] - estimate_s[ahead - 1]

    phase = np.abs(estimate_s - reference_s[nearest]) / true_interval_s
    period = np.abs(1 - found_interval_s / true_interval_s)
    correct = (phase < CONTINUITY_TOLERANCE) & (period < CONTINUITY_TOLERANCE)
    # A true beat serves one estimated beat, the first that is correct.
    n_correct = len(np.unique(nearest[correct]))
    return n_correct / max(len(reference_s), len(estimate_s))
