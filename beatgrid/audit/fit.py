"""The grid of a track that lies nearest to its label: same tempo level, sub-frame offset and BPM.

A label is compared with the best grid within about 1 % of its own tempo, whatever else the track
may hold. Its distance then has two parts: an offset, and a drift from the first beat to the last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.peaks import parabolic_peak
from beatgrid.search import GridSearch, NoGridError, Ranker
from beatgrid.search.decision import Decision
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.line import Line

# Rounding a tempo to whole BPM changes it by up to 0.9 % at 55 BPM.
NEAR_SHARE = 0.012
# Below it there is nothing to search for: a minute without a beat is no tempo.
MIN_BPM = 1.0
# Around beats, where onsets are looked for. Half a sixteenth note at 125 BPM: farther away lie
# other notes.
ONSET_REACH_S = 0.060
ONSET_STEP_S = 0.001


@dataclass(frozen=True)
class Fit:
    """A label beside the nearest grid that the activation holds.

    Distances are the fit's times less the label's: positive where the music is later than the
    label says.

    Attributes:
        line: The nearest grid; its beats are those nearest to the label's at the anchor, on-beats
            or off-beats.
        downbeat: Number k of the beat of ``line`` that is the label's downbeat at the anchor.
        anchor_s: The label's downbeat by which both are aligned: ``downbeatOffset``, or what is
            nearest to it within the track. That is where a person heard a beat; from there a wrong
            tempo runs away.
        offset_s: Distance at mid-track where the tempi agree, at the anchor where they do not.
        offset_std_s: Standard error of ``offset_s``.
        drift_s: How far the distance grows from the first beat of the track to the last.
        drift_std_s: Standard error of ``drift_s``.
        last_shift_s: How far the track's last beat moves if the fit's tempo takes the place of the
            label's and the beat at the anchor stays.
        phase_log_odds: Log-odds of beat against off-beat along ``line``, negative for off-beats.
        strength: Evidence per second of music along the best grid of that tempo, in nats, be it
            ``line`` or that of its off-beats.
        kept: Evidence on the label's own beats, as a share of that.
        spread_s: Robust spread of the activation's peaks around ``line``; None for too few peaks.
        onset_offset_s: From the fit's beats to the mean onset near them; None where no onset
            stands out.
        onset_gain: Mean onset strength on the fit's beats divided by that on the label's.
    """

    line: Line
    downbeat: int
    anchor_s: float
    offset_s: float
    offset_std_s: float
    drift_s: float
    drift_std_s: float
    last_shift_s: float
    phase_log_odds: float
    strength: float
    kept: float
    spread_s: float | None
    onset_offset_s: float | None
    onset_gain: float | None

    def grid(self, beats_per_bar: int) -> Grid:
        """Return the fit with the bars of the label."""
        offset_s = self.line.time_s + self.downbeat * self.line.period_s
        return Grid(self.line.bpm, offset_s, beats_per_bar)


def fit_label(
    grid: Grid, activation: Activation, duration_s: float, ranker: Ranker | None
) -> tuple[Fit, FeatureExtractor] | None:
    """Find the grid nearest to a label's.

    Args:
        grid: The label's.
        activation: Of its track.
        duration_s: Where the label ends.
        ranker: Tells beats from off-beats.

    Returns:
        The fit, and what measures further channels along it; None if no tempo near the label's
        stands out.
    """
    low, high = grid.bpm * (1 - NEAR_SHARE), grid.bpm * (1 + NEAR_SHARE)
    if low < MIN_BPM:
        return None
    search = GridSearch(low, high)
    try:
        decision = search.decide(activation, ranker)
    except NoGridError:
        return None
    line = search.refined(activation, decision)
    evidence = decision.evidence
    best = float(evidence(line.times_s).sum())
    label = Line.through(grid.offset_s, grid.period_s, 0.0, duration_s)
    anchor_s = anchor(grid, duration_s)
    phase_log_odds = float(decision.phase_logit[decision.best])
    if _distance_s(line, anchor_s) > line.period_s / 4:
        line, phase_log_odds = line.half_beat_later(), -phase_log_odds
    downbeat = round((anchor_s - line.time_s) / line.period_s)
    slope_s = line.period_s - label.period_s
    n_periods = label.last - label.first
    drift_s = slope_s * n_periods
    k_label = round((anchor_s - label.time_s) / label.period_s)
    offset_s = line.time_s + downbeat * line.period_s - anchor_s
    k = float(downbeat)
    if abs(drift_s) < label.period_s / 4:
        # At mid-track the offset is known best, and the drift can't have moved it to other beats.
        offset_s -= k_label * slope_s
        k -= k_label
    errors = line.errors
    onset_offset_s, onset_gain = _onsets(decision, activation, line, label)
    fit = Fit(
        line=line,
        downbeat=downbeat,
        anchor_s=anchor_s,
        offset_s=offset_s,
        offset_std_s=math.nan if errors is None else errors.at_beat_s(k),
        drift_s=drift_s,
        drift_std_s=math.nan if errors is None else errors.period_s * n_periods,
        last_shift_s=slope_s * (label.last - k_label),
        phase_log_odds=phase_log_odds,
        strength=best * evidence.scale / max(evidence.effective_s, 1.0),
        kept=float(evidence(label.times_s).sum()) / max(best, 1e-9),
        spread_s=line.residual_s,
        onset_offset_s=onset_offset_s,
        onset_gain=onset_gain,
    )
    return fit, decision.extractor


def anchor(grid: Grid, duration_s: float) -> float:
    """Return the time of the downbeat within a track that is nearest to a grid's offset."""
    if 0 <= grid.offset_s < duration_s:
        return grid.offset_s
    downbeats_s = grid.downbeat_times(duration_s)
    if not len(downbeats_s):
        downbeats_s = grid.beat_times(duration_s)
    return float(downbeats_s[0 if grid.offset_s < 0 else -1])


def _distance_s(line: Line, time_s: float) -> float:
    return float(line.distance_s(np.array([time_s]))[0])


def _onsets(
    decision: Decision, activation: Activation, fit: Line, label: Line
) -> tuple[float | None, float | None]:
    """Return where the mean onset lies from the fit's beats, and what the fit gains in onsets."""
    if activation.onset is None or not np.any(activation.onset):
        return None, None
    # Each band in units of its mean, compressed: a kick counts no more than a hat.
    bands = np.asarray(activation.onset, dtype=np.float64)
    curve = np.log1p(bands / np.maximum(bands.mean(axis=0), 1e-9)).sum(axis=1)
    shifts_s = np.arange(-ONSET_REACH_S, ONSET_REACH_S + ONSET_STEP_S / 2, ONSET_STEP_S)

    def around(line: Line) -> FloatArray:
        weight = decision.evidence.weight_at(line.times_s)
        frames = (line.times_s[:, None] + shifts_s) * activation.frame_rate
        at = np.interp(frames, np.arange(len(curve)), curve)
        return np.asarray(weight @ at / max(float(weight.sum()), 1e-9))

    on_fit, on_label = around(fit), around(label)
    best = int(np.argmax(on_fit))
    middle = len(shifts_s) // 2
    gain = float(on_fit[middle] / max(float(on_label[middle]), 1e-9))
    if not 0 < best < len(shifts_s) - 1:
        return None, gain
    shift, _ = parabolic_peak(on_fit[best - 1], on_fit[best], on_fit[best + 1])
    return float(shifts_s[best] + shift * ONSET_STEP_S), gain
