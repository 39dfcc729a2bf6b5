"""Which beat of the bar is the first, and how many beats a bar has.

The bar length is chosen by the network's downbeats alone. The first beat of a bar of four is chosen
by a model of more evidence (:mod:`beatgrid.search.bar_features`) where one was fitted, by the
network's downbeats elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.bar_features import BEATS_PER_BAR, bar_features, capped
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.line import Line
from beatgrid.search.odds import softmax
from beatgrid.search.ranker import LinearModel

# What a bar length other than the default has to be better by, in nats per bar.
OTHER_LENGTH_COST = 0.3


@dataclass(frozen=True)
class BarPhase:
    """Where the bar lines are.

    Attributes:
        beats_per_bar: Beats from one downbeat to the next.
        phase: Beats k with ``k % beats_per_bar == phase`` are downbeats.
        probability: Of this phase and length among all that were compared.
        length_probability: Of this length, whatever the phase.
    """

    beats_per_bar: int
    phase: int
    probability: float
    length_probability: float = 1.0

    def first_downbeat(self, line: Line) -> int:
        """Return the number k of the first downbeat of a line in the track, from 10 ms before 0."""
        n, phase = self.beats_per_bar, self.phase
        return phase + n * int(np.ceil((line.first_in_track - phase) / n))


def bars_of(
    extractor: FeatureExtractor,
    line: Line,
    beats_per_bar: Sequence[int],
    model: LinearModel | None = None,
) -> BarPhase | None:
    """Find the bars of a line, None where there is no downbeat channel.

    Args:
        extractor: Holds the channels.
        line: The grid.
        beats_per_bar: Bar lengths to compare; the first is the default.
        model: Scores the beats of a bar of four by their ``bar_features``.
    """
    if extractor.downbeat is None:
        return None
    at_beats = extractor.sample(extractor.downbeat, line.times_s)
    bars = bar_phase(at_beats, line.first, beats_per_bar)
    scores = model_scores(extractor, line.times_s, line.first, bars.beats_per_bar, model)
    if scores is None:
        return bars
    probability = softmax(scores)
    phase = int(np.argmax(probability))
    return BarPhase(
        BEATS_PER_BAR,
        phase,
        bars.length_probability * float(probability[phase]),
        bars.length_probability,
    )


def model_scores(
    extractor: FeatureExtractor,
    times_s: FloatArray,
    first_k: int,
    beats_per_bar: int,
    model: LinearModel | None,
) -> FloatArray | None:
    """Score each beat of the bar as its first by a fitted model.

    Args:
        extractor: Holds the channels.
        times_s: Beats in a row, at least two, (beats,).
        first_k: Number of the first of them.
        beats_per_bar: Of their bars.
        model: Scores the beats of a bar of four by their ``bar_features``.

    Returns:
        Entry p: log-odds, up to a constant, of the beats k with ``k % 4 == p``, (4,). None where
        there is no model, for bars of other lengths, and where a channel is missing.
    """
    if model is None or beats_per_bar != BEATS_PER_BAR:
        return None
    features = bar_features(extractor, times_s, first_k)
    return None if features is None else model.scores(features)


def bar_phase(
    downbeat_log_odds: FloatArray, first_k: int, beats_per_bar: Sequence[int]
) -> BarPhase:
    """Choose the bar length and phase with the highest sum of downbeat evidence.

    Args:
        downbeat_log_odds: Evidence for a downbeat at each beat, weighted, (beats,).
        first_k: Number of the first of these beats.
        beats_per_bar: Bar lengths to compare; the first is the default.
    """
    # What tells bars apart is how far downbeats stand out of the other beats. A level common to
    # all beats, as of a network that cannot tell bars apart, would favour the bar with more
    # of them.
    if len(downbeat_log_odds):
        downbeat_log_odds = downbeat_log_odds - downbeat_log_odds.mean()
    options, scores = [], []
    for n in beats_per_bar:
        n_bars = max(len(downbeat_log_odds) / n, 1.0)
        cost = 0.0 if n == beats_per_bar[0] else OTHER_LENGTH_COST * n_bars
        for phase in range(n):
            start = (phase - first_k) % n
            options.append((n, phase))
            scores.append(float(downbeat_log_odds[start::n].sum()) - cost)
    score = capped(np.asarray(scores))
    probability = softmax(score)
    best = int(np.argmax(score))
    n, phase = options[best]
    of_length = np.array([length == n for length, _ in options])
    return BarPhase(n, phase, float(probability[best]), float(probability[of_length].sum()))
