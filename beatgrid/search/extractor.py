"""Measures candidate grids on one track's channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from beatgrid.grid import Activation, FloatArray
from beatgrid.peaks import local_maxima
from beatgrid.search.evidence import Evidence, log_odds
from beatgrid.search.features import (
    HALF,
    LEVEL_FEATURES,
    ON,
    PHASE_FEATURES,
    Features,
    Measurements,
    evaluated,
)
from beatgrid.search.line import Line
from beatgrid.tempo_classes import log_probability_at

# Places within a beat at which the evidence is averaged: twelfths of a period.
TWELFTHS = np.arange(12)
# On the beat and half a beat later, in periods.
HALVES = np.array([0.0, 0.5])
# Onsets and downbeats are rarely in the same frame as the beat: smoothed by one.
SMOOTHING_FRAMES = 1.0
# An onset stands this far above its band's mean, in standard deviations, and this far from the
# next: a 32nd note at 330 BPM lasts 23 ms, a 16th 45 ms.
ONSET_HEIGHT_STD = 0.7
ONSET_DISTANCE_S = 0.045
# Added to each count of onsets, so that none at all is not minus infinity octaves.
EXTRA_COUNT = 5.0
# Bar lengths whose best position is compared with the second best.
BAR_LENGTHS = (4, 3)
MIN_WEIGHT = 1e-9
# Something begins at every n-th beat only where it has all but a hundredth of the onset strength at
# beats. Every second beat of the right levels of 800 tracks has less than 0.93 of it, of a doubled
# metronome all.
SKIPS = (2, 3, 4)
SOUNDING = 0.99


@dataclass(frozen=True, eq=False)
class Candidate:
    """One grid and its features.

    Attributes:
        line: The grid.
        likelihood: Sum of evidence per second of music that counts, in units of the
            evidence's root mean square.
        level_features: Those that choose its metrical level.
        phase_features: Those that choose between its beats and its off-beats.
        sounding: At every how many-th of its beats something begins: 1, or 2 to 4 where nothing
            ever does at the others.
    """

    line: Line
    likelihood: float
    level_features: Features
    phase_features: Features
    sounding: int = 1


class FeatureExtractor:
    """Computes candidates' features from one track's channels.

    Args:
        evidence: Curve of the beat channel.
        activation: Gives the downbeat and onset channels, where they exist.
        miss_probability: As for the beat channel's log-odds.
        max_log_odds: As for the beat channel's log-odds.

    Attributes:
        evidence: As given.
        onset: Onset strength in three bands, in units of their means, (frames, 3).
        downbeat: Weighted log-odds of a downbeat, (frames,); None where there is no such
            channel, or a constant one.
        spectrum_db: Levels in dB in bands, (frames, bands); None where there is no such channel.
    """

    def __init__(
        self,
        evidence: Evidence,
        activation: Activation,
        *,
        miss_probability: float,
        max_log_odds: float,
    ) -> None:
        self.evidence = evidence
        self.onset = _three_bands(activation.onset, evidence.weight)
        self.downbeat: FloatArray | None = None
        if activation.downbeat is not None and np.ptp(activation.downbeat) > 0:
            g = log_odds(
                activation.downbeat,
                miss_probability=miss_probability,
                max_log_odds=max_log_odds,
                weight=evidence.weight,
            )
            self.downbeat = gaussian_filter1d(
                g * evidence.weight, SMOOTHING_FRAMES, mode="constant"
            )
        self.spectrum_db = activation.spectrum_db
        self._log_rates = _log_rates(self.onset, activation)
        self._tempo = activation.tempo

    def __call__(self, line: Line, times_s: FloatArray | None = None) -> Candidate:
        """Compute the features of one grid.

        Args:
            line: The grid.
            times_s: Its beats, (beats,), where these are not those of the line alone, because the
                track was cut; by default those of the line.
        """
        times_s = line.times_s if times_s is None else times_s
        measured = self.measure(line, times_s)
        return Candidate(
            line,
            measured.likelihood,
            evaluated(LEVEL_FEATURES, measured),
            evaluated(PHASE_FEATURES, measured),
            self._sounding(times_s),
        )

    def measure(self, line: Line, times_s: FloatArray | None = None) -> Measurements:
        """Measure the channels along one grid; arguments as above."""
        times_s = line.times_s if times_s is None else times_s
        weight = self.evidence.weight_at(times_s)
        n_beats = max(float(weight.sum()), MIN_WEIGHT)
        around = self.evidence(times_s[:, None] + TWELFTHS * (line.period_s / 12))
        onset = self.sample(self.onset, times_s[:, None] + HALVES * line.period_s)
        onset = onset * weight[:, None, None]
        downbeat, downbeat_bar = self._downbeat(times_s, line.period_s, weight, n_beats)
        return Measurements(
            bpm=line.bpm,
            n_beats=n_beats,
            likelihood=float(around[:, ON].sum()) / max(self.evidence.effective_s, MIN_WEIGHT),
            evidence=around.sum(axis=0) / n_beats,
            contrast_2=np.array([_contrast(around[:, place], 2) for place in (ON, HALF)]),
            contrast_3=_contrast(around[:, ON], 3),
            onset=onset.sum(axis=0) / n_beats,
            onset_alternation=_alternation(onset, n_beats),
            downbeat=downbeat,
            downbeat_bar=downbeat_bar,
            log_counts=self._log_rates + np.log2(line.period_s),
            tempo=0.0 if self._tempo is None else log_probability_at(self._tempo, line.bpm),
        )

    def _sounding(self, times_s: FloatArray) -> int:
        strength = self.sample(self.onset, times_s).sum(axis=1)
        strength = strength * self.evidence.weight_at(times_s)
        total = strength.sum()
        every = (n for n in SKIPS if max(strength[k::n].sum() for k in range(n)) > SOUNDING * total)
        return max(every, default=1) if total > 0 else 1

    def sample(self, channel: FloatArray, times_s: FloatArray) -> FloatArray:
        """Return the values of a channel (frames, ...) at the frames nearest to the times."""
        frames = np.round(times_s * self.evidence.frame_rate).astype(np.int64)
        return channel[np.clip(frames, 0, len(channel) - 1)]

    def _downbeat(
        self, times_s: FloatArray, period_s: float, weight: FloatArray, n_beats: float
    ) -> tuple[FloatArray, float]:
        """Return mean downbeat evidence on and off the beat, (2,), and the contrast in the bar."""
        if self.downbeat is None:
            return np.zeros(2), 0.0
        at = self.sample(self.downbeat, times_s + HALVES[:, None] * period_s)
        bar = max(_bar_contrast(at[0], weight, n) for n in BAR_LENGTHS)
        return at.sum(axis=1) / n_beats, bar


def _contrast(at_beats: FloatArray, n: int) -> float:
    """Measure how unevenly a sum is spread over every n-th beat: highest share less lowest."""
    sums = [float(at_beats[r::n].sum()) for r in range(n)]
    return max(sums) - min(sums)


def _bar_contrast(at_beats: FloatArray, weight: FloatArray, n: int) -> float:
    """Return the mean downbeat evidence at the best place in bars of n, less the next best.

    Largest at the true level: at half the tempo two positions share the downbeats, at twice
    the tempo every other bar has none.
    """
    means = [at_beats[r::n].sum() / max(float(weight[r::n].sum()), 1.0) for r in range(n)]
    second, best = sorted(means)[-2:]
    return float(best - second)


def _alternation(onset: FloatArray, n_beats: float) -> FloatArray:
    """Return the difference of even and odd beats, (positions, bands), in units of the mean."""
    return np.abs(onset[::2].sum(axis=0) - onset[1::2].sum(axis=0)) / n_beats


def _three_bands(onset: NDArray[np.floating] | None, weight: FloatArray) -> FloatArray:
    """Return the lowest band, the mean of those between, the highest, (frames, 3); 0 if unknown.

    Each in units of its mean, and smoothed.
    """
    if onset is None or onset.shape[1] == 0:
        return np.zeros((len(weight), 3))
    between = onset[:, 1:-1] if onset.shape[1] > 2 else onset
    bands = np.stack((onset[:, 0], between.mean(axis=1), onset[:, -1]), axis=1)
    mean = np.average(bands, axis=0, weights=weight)
    return gaussian_filter1d(
        bands / np.maximum(mean, 1e-9), SMOOTHING_FRAMES, axis=0, mode="nearest"
    )


def _log_rates(onset: FloatArray, activation: Activation) -> FloatArray:
    """Return onsets per second in each of three bands, and beats per second, (4,), in octaves.

    Their number per beat tells the level: hardly any music has one low onset in four beats, or
    twenty high ones in each. Beats are the sum of the activation, in units of one sharp peak.
    """
    distance = max(1, round(ONSET_DISTANCE_S * activation.frame_rate))
    counts = []
    for band in onset.T:
        height = band.mean() + ONSET_HEIGHT_STD * band.std()
        counts.append(float(len(local_maxima(band, height, distance))))
    counts.append(float(activation.beat.sum()))
    return np.log2((np.array(counts) + EXTRA_COUNT) / max(activation.duration_s, 1.0))
