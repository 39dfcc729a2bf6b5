"""The grids worth comparing, and what there is to say about each.

Almost every wrong tempo of a good scan is a simple ratio of the right one, so a handful of
candidates contains the truth; the features describe how each explains the beats, the places
between them, and the onsets in low and high bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from beatgrid.grid import Activation, FloatArray
from beatgrid.search.evidence import Evidence, log_odds
from beatgrid.search.refine import Line, maximise
from beatgrid.search.scan import Scan

RATIOS = (1 / 2, 2 / 3, 3 / 4, 4 / 5, 1.0, 5 / 4, 4 / 3, 3 / 2, 2.0)
# Tempi closer than this are one candidate.
SAME_TEMPO = 0.006
PEAK_DISTANCE = 0.015
N_PEAKS = 5
# Places within a beat at which the evidence is averaged: twelfths of a period.
TWELFTHS = np.arange(12)

LEVEL_FEATURES = (
    "likelihood",
    "on",
    "half",
    "third",
    "quarter",
    "alternation_2",
    "alternation_3",
    "log_bpm",
    "log_bpm_squared",
    "slow",
    "fast",
    "low_on",
    "low_half",
    "low_alternation",
    "high_on",
    "high_half",
    "high_alternation",
    "downbeat_bar",
    "low_onsets",
    "mid_onsets",
    "high_onsets",
    "beats",
)
PHASE_FEATURES = (
    "on",
    "pickup",
    "swing",
    "alternation",
    "low",
    "mid",
    "high",
    "low_alternation",
    "high_alternation",
    "downbeat",
)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One grid and its description.

    Attributes:
        line: The grid.
        likelihood: Sum of evidence per second of music that counts, in units of the
            evidence's root mean square.
        level_features: What speaks for its tempo, in the order of ``LEVEL_FEATURES``.
        phase_features: What speaks for its beats rather than its off-beats, in the order of
            ``PHASE_FEATURES``; the off-beat grid has the same with the opposite sign.
    """

    line: Line
    likelihood: float
    level_features: FloatArray
    phase_features: FloatArray


class Describer:
    """Computes candidates' features from one track's channels.

    Args:
        evidence: Curve of the beat channel.
        activation: Gives the downbeat and onset channels, where they exist.
        silence_chance: As for the beat channel's log-odds.
        max_log_odds: As for the beat channel's log-odds.
    """

    def __init__(
        self,
        evidence: Evidence,
        activation: Activation,
        *,
        silence_chance: float,
        max_log_odds: float,
    ) -> None:
        self.evidence = evidence
        self.onset = _three_bands(activation.onset, evidence.weight)
        self.log_rates = _log_rates(self.onset, activation)
        self.downbeat = None
        if activation.downbeat is not None and np.ptp(activation.downbeat) > 0:
            g = log_odds(
                activation.downbeat,
                silence_chance=silence_chance,
                max_log_odds=max_log_odds,
                weight=evidence.weight,
            )
            self.downbeat = gaussian_filter1d(g * evidence.weight, 1.0, mode="constant")

    def sample(self, channel: FloatArray, times_s: FloatArray) -> FloatArray:
        """Values of a channel (frames, ...) at the frames nearest to the times."""
        frames = np.round(times_s * self.evidence.frame_rate).astype(np.int64)
        return channel[np.clip(frames, 0, len(channel) - 1)]

    def __call__(self, line: Line) -> Candidate:
        """Describe one grid."""
        times_s = line.times_s
        weight = self.evidence.weight_at(times_s)
        total = max(float(weight.sum()), 1e-9)
        around = self.evidence(times_s[:, None] + TWELFTHS * (line.period_s / 12))
        at = around.sum(axis=0) / total
        likelihood = float(around[:, 0].sum()) / max(self.evidence.effective_s, 1e-9)

        # Onset strength (beats, positions 0 1/2, bands) relative to each band's mean.
        onset = self.sample(self.onset, times_s[:, None] + np.array([0.0, 0.5]) * line.period_s)
        onset = onset * weight[:, None, None]
        band = onset.sum(axis=0) / total
        turn = _alternation(onset, total)
        downbeat_on = downbeat_half = downbeat_bar = 0.0
        if self.downbeat is not None:
            on = self.sample(self.downbeat, times_s)
            downbeat_on = float(on.sum()) / total
            downbeat_half = float(self.sample(self.downbeat, times_s + line.period_s / 2).sum())
            downbeat_half /= total
            downbeat_bar = max(_bar_contrast(on, weight, n) for n in (4, 3))

        octaves = float(np.log2(line.bpm / 140.0))
        level = [
            likelihood,
            at[0],
            at[6],
            max(at[4], at[8]),
            max(at[3], at[9]),
            _contrast(around[:, 0], 2) / total,
            _contrast(around[:, 0], 3) / total,
            octaves,
            octaves**2,
            max(0.0, -0.6 - octaves),
            max(0.0, octaves - 0.4),
            band[0, 0],
            band[1, 0],
            turn[0, 0],
            band[0, 2],
            band[1, 2],
            turn[0, 2],
            downbeat_bar,
            *(self.log_rates + np.log2(line.period_s)),
        ]
        phase = [
            at[0] - at[6],
            at[9] - at[3],
            at[8] - at[2],
            (_contrast(around[:, 0], 2) - _contrast(around[:, 6], 2)) / total,
            *(band[0] - band[1]),
            turn[0, 0] - turn[1, 0],
            turn[0, 2] - turn[1, 2],
            downbeat_on - downbeat_half,
        ]
        return Candidate(line, likelihood, np.array(level), np.array(phase))


def _contrast(at_beats: FloatArray, n: int) -> float:
    """How unevenly a sum is spread over every n-th beat: the highest share less the lowest."""
    sums = [float(at_beats[r::n].sum()) for r in range(n)]
    return max(sums) - min(sums)


def _bar_contrast(at_beats: FloatArray, weight: FloatArray, n: int) -> float:
    """Mean downbeat evidence at the best position in bars of n, less that at the second best.

    Largest at the true level: at half the tempo two positions share the downbeats, at twice
    the tempo every other bar has none.
    """
    means = [at_beats[r::n].sum() / max(float(weight[r::n].sum()), 1.0) for r in range(n)]
    second, best = sorted(means)[-2:]
    return float(best - second)


def _alternation(onset: FloatArray, total: float) -> FloatArray:
    """Difference between even and odd beats, (positions, bands), in units of the mean."""
    return np.abs(onset[::2].sum(axis=0) - onset[1::2].sum(axis=0)) / total


def _three_bands(onset: NDArray[np.floating] | None, weight: FloatArray) -> FloatArray:
    """Lowest band, mean of those between, and highest band, (frames, 3); 0 if unknown.

    Each in units of its mean, and smoothed by a frame, since onsets and beats are rarely in
    the same frame.
    """
    if onset is None or onset.shape[1] == 0:
        return np.zeros((len(weight), 3))
    between = onset[:, 1:-1] if onset.shape[1] > 2 else onset
    bands = np.stack((onset[:, 0], between.mean(axis=1), onset[:, -1]), axis=1)
    mean = np.average(bands, axis=0, weights=weight)
    return gaussian_filter1d(bands / np.maximum(mean, 1e-9), 1.0, axis=0, mode="nearest")


def _log_rates(onset: FloatArray, activation: Activation) -> FloatArray:
    """How much happens in a second: onsets in each of three bands, and beats, (4,), in octaves.

    Their number per beat tells the level: hardly any music has one low onset in four beats, or
    twenty high ones in each. Beats are the sum of the activation, in units of one sharp peak.
    """
    counts = []
    for band in onset.T:
        peaks, _ = find_peaks(band, height=band.mean() + 0.7 * band.std(), distance=4)
        counts.append(float(len(peaks)))
    counts.append(float(activation.beat.sum()))
    # A few more for none to be minus infinity.
    return np.log2((np.array(counts) + 5.0) / max(activation.duration_s, 1.0))


def strongest_tempi(scan: Scan, score: FloatArray, n: int) -> list[int]:
    """Indices of the highest local maxima of ``score``, at least 1.5 % of tempo apart."""
    inner = np.flatnonzero((score[1:-1] >= score[:-2]) & (score[1:-1] > score[2:])) + 1
    maxima = np.concatenate((inner, [int(np.argmax(score))]))
    maxima = maxima[np.argsort(-score[maxima], kind="stable")]
    chosen: list[int] = []
    for i in maxima[:512]:
        apart = np.abs(scan.frequency_hz[chosen] / scan.frequency_hz[i] - 1)
        if np.all(apart > PEAK_DISTANCE):
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
) -> list[Line]:
    """Lines to compare: the scan's peaks, refined, and simple ratios of the best of them.

    Args:
        evidence: Curve of the beat channel.
        scan: Scores of all tempi.
        score: Score by which the scan's peaks are chosen (with prior), (tempi,).
        bpm_range: Lowest and highest tempo allowed.
        ratios: Tempo ratios to the best peak.
    """
    peaks = []
    for i in strongest_tempi(scan, score, N_PEAKS):
        start = Line.at(scan.frequency_hz[i], scan.phase[i], 0.0, evidence.duration_s)
        peaks.append(maximise(evidence, start))
    best = peaks[0]
    lines = list(peaks)
    for ratio in ratios:
        period_s = best.period_s / ratio
        if not bpm_range[0] <= 60 / period_s <= bpm_range[1]:
            continue
        time_s = best.time_s + best_phase(evidence, best.time_s, period_s) * period_s
        line = Line.through(time_s, period_s, 0.0, evidence.duration_s)
        twins = [i for i, x in enumerate(lines) if abs(x.period_s / period_s - 1) < SAME_TEMPO]
        if not twins:
            lines.append(line)
        elif _total(evidence, line) > max(_total(evidence, lines[i]) for i in twins):
            lines[twins[0]] = line
    return lines


def _total(evidence: Evidence, line: Line) -> float:
    return float(evidence(line.times_s).sum())


def best_phase(evidence: Evidence, time_s: float, period_s: float, n_bins: int = 48) -> float:
    """Phase (0..1 after ``time_s``) at which a period collects the most evidence.

    The frames are binned by their phase, and the bins smoothed over a frame.
    """
    frames = np.arange(len(evidence.coefficients))
    phase = (frames / evidence.frame_rate - time_s) / period_s
    bins = ((phase - np.floor(phase)) * n_bins).astype(np.int64) % n_bins
    folded = np.bincount(bins, evidence.coefficients, n_bins)
    width = max(n_bins / (period_s * evidence.frame_rate), 1.0)
    folded = gaussian_filter1d(folded, width, mode="wrap")
    return (int(np.argmax(folded)) + 0.5) / n_bins
