"""The grids worth comparing.

Almost every wrong tempo of a good scan is a simple ratio of the right one, so a handful of
candidates contains the truth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from beatgrid.grid import FloatArray
from beatgrid.search.evidence import Evidence
from beatgrid.search.hint import TempoHint
from beatgrid.search.line import Line
from beatgrid.search.refine import maximise
from beatgrid.search.scan import Scan

RATIOS = (1 / 2, 2 / 3, 3 / 4, 4 / 5, 1.0, 5 / 4, 4 / 3, 3 / 2, 2.0)
# Tempi that differ by less than this share are one candidate: the ratio of a refined peak and
# another refined peak differ by far less, different tempi of music by more.
SAME_TEMPO_SHARE = 0.006
# Side lobes of a maximum of the scan are nearer to it than this share of its tempo.
PEAK_DISTANCE_SHARE = 0.015
N_PEAKS = 5
# Maxima of the scan that are looked at for peaks far enough apart.
MAX_MAXIMA = 512
PHASE_BINS = 48


def strongest_tempi(scan: Scan, score: FloatArray, n: int) -> list[int]:
    """Return the indices of the highest local maxima of ``score``, 1.5 % of tempo apart."""
    inner = np.flatnonzero((score[1:-1] >= score[:-2]) & (score[1:-1] > score[2:])) + 1
    maxima = np.concatenate((inner, [int(np.argmax(score))]))
    maxima = maxima[np.argsort(-score[maxima], kind="stable")]
    chosen: list[int] = []
    for i in maxima[:MAX_MAXIMA]:
        apart = np.abs(scan.frequency_hz[chosen] / scan.frequency_hz[i] - 1)
        if np.all(apart > PEAK_DISTANCE_SHARE):
            chosen.append(int(i))
            if len(chosen) == n:
                break
    return chosen


def candidate_lines(
    evidence: Evidence,
    scan: Scan,
    score: FloatArray,
    bpm_range: tuple[float, float],
    ratios: Sequence[float] = RATIOS,
    hint: TempoHint | None = None,
) -> list[Line]:
    """Collect the lines to compare: the scan's peaks, refined, and simple ratios of the best.

    Args:
        evidence: Curve of the beat channel.
        scan: Scores of all tempi.
        score: Score by which the scan's peaks are chosen (with prior), (tempi,).
        bpm_range: Lowest and highest tempo allowed.
        ratios: Tempo ratios to the best peak.
        hint: Its strongest tempo is a candidate as well.
    """
    peaks = [_refined(evidence, scan, i) for i in strongest_tempi(scan, score, N_PEAKS)]
    best = peaks[0]
    lines = list(peaks)
    for ratio in ratios:
        period_s = best.period_s / ratio
        if not bpm_range[0] <= 60 / period_s <= bpm_range[1]:
            continue
        time_s = best.time_s + best_phase(evidence, best.time_s, period_s) * period_s
        line = Line.through(time_s, period_s, 0.0, evidence.duration_s)
        twins = [
            i for i, x in enumerate(lines) if abs(x.period_s / period_s - 1) < SAME_TEMPO_SHARE
        ]
        if not twins:
            lines.append(line)
        elif _total(evidence, line) > max(_total(evidence, lines[i]) for i in twins):
            lines[twins[0]] = line
    if hint is not None and not any(hint.agrees(line.bpm) for line in lines):
        named = np.flatnonzero(hint.log_odds(60 * scan.frequency_hz) > 0)
        if len(named):
            lines.append(_refined(evidence, scan, int(named[np.argmax(score[named])])))
    return lines


def _refined(evidence: Evidence, scan: Scan, i: int) -> Line:
    """Return the optimum next to a tempo of the scan."""
    start = Line.at(scan.frequency_hz[i], scan.phase[i], 0.0, evidence.duration_s)
    return maximise(evidence, start)


def _total(evidence: Evidence, line: Line) -> float:
    return float(evidence(line.times_s).sum())


def best_phase(evidence: Evidence, time_s: float, period_s: float) -> float:
    """Return the phase (0..1 after ``time_s``) at which a period collects the most evidence.

    The frames are binned by their phase, and the bins smoothed over a frame.
    """
    frames = np.arange(len(evidence.coefficients))
    phase = (frames / evidence.frame_rate - time_s) / period_s
    bins = ((phase - np.floor(phase)) * PHASE_BINS).astype(np.int64) % PHASE_BINS
    folded = np.bincount(bins, evidence.coefficients, PHASE_BINS)
    width = max(PHASE_BINS / (period_s * evidence.frame_rate), 1.0)
    folded = gaussian_filter1d(folded, width, mode="wrap")
    return (int(np.argmax(folded)) + 0.5) / PHASE_BINS
