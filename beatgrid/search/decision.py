"""The choice among the candidates of one track, with or without a ranker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from beatgrid.grid import FloatArray, Grid
from beatgrid.search.estimate import Alternative
from beatgrid.search.evidence import Evidence
from beatgrid.search.extractor import Candidate, FeatureExtractor
from beatgrid.search.features import (
    CONFIDENCE_FEATURES,
    MIN_PROBABILITY,
    PHASE_FEATURES,
    Choice,
    evaluated,
)
from beatgrid.search.half_beat import find_half_beat_edit
from beatgrid.search.hint import TempoHint
from beatgrid.search.line import Line
from beatgrid.search.odds import sigmoid, softmax
from beatgrid.search.ranker import Ranker

# Without a ranker, likelihood per second times this is taken for a log-probability: it only
# shapes the confidence then, never the choice.
PLAIN_SHARPNESS = 2.0
# What a candidate pays for beats at which nothing ever begins, more than any ranker gives: a
# network that has learnt from music imagines beats between the sounds of a metronome.
SKIPPING_NATS = 20.0
# Candidates farther behind than this many nats do not win by an edit: on 327 tracks with half a
# beat cut out the most that one gained is 4.
EDIT_NATS = 5.0
# Tempi that differ by less than this share are the same.
SAME_TEMPO_SHARE = 0.01


@dataclass(frozen=True)
class TempoPrior:
    """A log-normal distribution of tempi.

    Attributes:
        bpm: Its centre.
        octaves: Its standard deviation.
        weight: Factor of its logarithm; 0 switches it off.
    """

    bpm: float
    octaves: float
    weight: float

    def log(self, bpm: FloatArray) -> FloatArray:
        """Return the weighted logarithm of the density of tempi, up to a constant."""
        return -0.5 * self.weight * (np.log2(bpm / self.bpm) / self.octaves) ** 2


@dataclass(frozen=True, eq=False)
class Decision:
    """All candidates of a track and what the models say about them.

    Attributes:
        evidence: Curve of the beat channel.
        extractor: What computed the features.
        candidates: One grid per tempo, its phase decided.
        score: By which the metrical level is chosen, (candidates,).
        phase_logit: Log-odds of beat against off-beat, (candidates,).
        contrast: How far the best tempo stands out of the scan, in standard deviations.
    """

    evidence: Evidence
    extractor: FeatureExtractor
    candidates: tuple[Candidate, ...]
    score: FloatArray
    phase_logit: FloatArray
    contrast: float

    @property
    def probability(self) -> FloatArray:
        """Probability of each candidate's metrical level, (candidates,)."""
        return softmax(self.score)

    @property
    def best(self) -> int:
        """Index of the chosen candidate."""
        return int(np.argmax(self.score))

    def confidence_features(self, line: Line) -> dict[str, float]:
        """Compute what the confidence in the chosen candidate, refined to ``line``, depends on."""
        best = self.best
        on_beat = sigmoid(float(self.phase_logit[best]))
        tempo = [candidate.level_features["tempo"] for candidate in self.candidates]
        choice = Choice(
            probability=float(self.probability[best]) * on_beat,
            contrast=self.contrast,
            residual_s=line.residual_s,
            evidence_on_beat=self.candidates[best].level_features["on"],
            octaves=self.candidates[best].level_features["log_bpm"],
            tempo=tempo[best] - max(tempo),
        )
        return evaluated(CONFIDENCE_FEATURES, choice)

    def alternatives(
        self, n: int, confidence: float, delay_s: float = 0.0
    ) -> tuple[Alternative, ...]:
        """Return the best candidates that were not chosen, best first.

        What the confidence leaves is shared among all that may be right instead, in proportion to
        the models' probabilities: other levels, and the off-beats of each.

        Args:
            n: How many.
            confidence: Probability that the chosen one is right.
            delay_s: By which their beats are reported later.
        """
        best = self.candidates[self.best].line
        on_beat = self.probability * np.array([sigmoid(float(p)) for p in self.phase_logit])
        others = max(1.0 - float(on_beat[self.best]), MIN_PROBABILITY)
        order = [int(i) for i in np.argsort(-on_beat, kind="stable") if i != self.best]
        rivals = []
        for i in order[:n]:
            line = self.candidates[i].line
            rivals.append(
                Alternative(
                    bpm=line.bpm,
                    offset_s=Grid(line.bpm, line.time_s + delay_s).first_beat_s,
                    score=self.candidates[i].likelihood * self.evidence.scale,
                    ratio=line.bpm / best.bpm,
                    probability=(1.0 - confidence) * float(on_beat[i]) / others,
                    level_probability=float(self.probability[i]),
                )
            )
        return tuple(rivals)


def decide(
    lines: list[Line],
    extractor: FeatureExtractor,
    ranker: Ranker | None,
    *,
    prior: TempoPrior,
    contrast: float,
    hint: TempoHint | None = None,
) -> Decision:
    """Describe candidates and score them against each other.

    Args:
        lines: One grid per tempo.
        extractor: Computes their features.
        ranker: Decides between beat and off-beat and scores the levels; None leaves the phases
            as they are and scores by likelihood and prior.
        prior: Of the tempo; a ranker has its own.
        contrast: How far the best tempo stands out of the scan.
        hint: Adds to the scores of the tempi that it names.
    """
    bpm = np.array([line.bpm for line in lines])
    candidates = [extractor(line) for line in lines]
    if ranker is None:
        phase_logit = np.array([c.phase_features["on"] for c in candidates])
        likelihood = np.array([c.likelihood for c in candidates])
        score = PLAIN_SHARPNESS * (likelihood + prior.log(bpm))
        if hint is not None:
            score = score + hint.log_odds(bpm)
    else:
        phase_logit = np.array([ranker.phase.log_odds(c.phase_features) for c in candidates])
        for i in np.flatnonzero(phase_logit < 0):
            candidates[i] = extractor(lines[i].half_beat_later())
        candidates, score = _best_of_edits(candidates, extractor, ranker, hint)
    return Decision(
        extractor.evidence, extractor, tuple(candidates), score, np.abs(phase_logit), contrast
    )


def phase_log_odds(ranker: Ranker, extractor: FeatureExtractor, line: Line) -> float:
    """Return the log-odds of beat against off-beat along a line."""
    return ranker.phase.log_odds(evaluated(PHASE_FEATURES, extractor.measure(line)))


def _best_of_edits(
    candidates: list[Candidate],
    extractor: FeatureExtractor,
    ranker: Ranker,
    hint: TempoHint | None,
) -> tuple[list[Candidate], FloatArray]:
    """Score candidates, and those that half a beat was cut out of along their edited beats too.

    At twice the tempo a track that lacks half a beat has no break, and wins against a tempo half of
    whose beats are off-beats.

    Returns:
        The candidates and their scores, (candidates,). Edits change nothing unless one of them
        makes another candidate the best.
    """
    score = _level_scores(candidates, ranker, hint)
    best = int(np.argmax(score))
    log_odds = partial(phase_log_odds, ranker, extractor)
    edited = list(candidates)
    for i in np.flatnonzero(score > score[best] - EDIT_NATS):
        line = candidates[i].line
        edit = find_half_beat_edit(extractor.evidence, line, log_odds)
        if edit is not None:
            times_s = np.concatenate([side.times_s for side in edit.sides(line)])
            edited[i] = extractor(line, times_s)
    if all(edited[i] is candidates[i] for i in range(len(candidates)) if i != best):
        return candidates, score
    edited_score = _level_scores(edited, ranker, hint)
    winner = int(np.argmax(edited_score))
    if edited[winner] is candidates[winner] or winner == best:
        return candidates, score
    return edited, edited_score


def _level_scores(
    candidates: list[Candidate], ranker: Ranker, hint: TempoHint | None
) -> FloatArray:
    """Score the metrical levels of candidates against each other, (candidates,)."""
    score = ranker.level.scores([c.level_features for c in candidates])
    score = score - SKIPPING_NATS * _skipping(candidates)
    return (
        score if hint is None else score + hint.log_odds(np.array([c.line.bpm for c in candidates]))
    )


def _skipping(candidates: list[Candidate]) -> NDArray[np.bool_]:
    """Tell which candidates have silent beats that a slower candidate does without."""
    bpm = np.array([c.line.bpm for c in candidates])
    sounding = np.array([c.sounding for c in candidates])
    has_slower = np.abs(bpm * sounding[:, None] / bpm[:, None] - 1) < SAME_TEMPO_SHARE
    return (sounding > 1) & has_slower.any(axis=1)
