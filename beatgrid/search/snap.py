"""Round tempi, where the data cannot tell the difference.

Most electronic music is made at a whole number of beats per minute, or at a half.
"""

from __future__ import annotations

import math
from dataclasses import replace

from beatgrid.search.evidence import Evidence
from beatgrid.search.line import Line

STEPS_BPM = (1.0, 0.5, 0.01)
MAX_SIGMA = 3.0
MIN_SCORE_KEPT = 0.99
# Standard errors of a flawless activation can vanish; rounding noise must not forbid.
MIN_STD_BPM = 1e-4


def snap(
    evidence: Evidence, line: Line, max_drift_s: float, bpm_range: tuple[float, float]
) -> Line:
    """Return the line at the roundest tempo that fits as well, or the line itself.

    A multiple of 1, then 0.5, then 0.01 BPM is taken if over the whole track it drifts from
    the measured tempo by at most ``max_drift_s``, lies within three standard errors, and keeps
    99 % of the score. The beat nearest the middle of the track stays where it is.

    Args:
        evidence: Curve the score is a sum of.
        line: Measured grid with standard errors.
        max_drift_s: Drift allowed from the first to the last beat.
        bpm_range: Lowest and highest tempo allowed.
    """
    n_periods = line.last - line.first
    tolerance_bpm = math.inf
    if line.bpm_std is not None:
        tolerance_bpm = MAX_SIGMA * max(line.bpm_std, MIN_STD_BPM)
    score = float(evidence(line.times_s).sum())
    for step_bpm in STEPS_BPM:
        bpm = round(round(line.bpm / step_bpm) * step_bpm, 2)
        if not bpm_range[0] <= bpm <= bpm_range[1]:
            continue
        rounded = replace(line, period_s=60.0 / bpm)
        drift_s = abs(rounded.period_s - line.period_s) * n_periods
        if drift_s > max_drift_s or abs(bpm - line.bpm) > tolerance_bpm:
            continue
        if float(evidence(rounded.times_s).sum()) >= MIN_SCORE_KEPT * score:
            return rounded
    return line
