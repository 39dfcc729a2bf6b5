"""Estimates against labels: each system's scores, as answered and without its own bias."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from beatgrid.comparison.estimates import Estimate
from beatgrid.comparison.systems import Kind, System
from beatgrid.evaluation import TrackScore, continuity_totals, evaluate_track, f_measure
from beatgrid.evaluation.sequences import trim
from beatgrid.evaluation.summary import STATISTICS
from beatgrid.grid import DEFAULT_BEATS_PER_BAR, FloatArray, Grid
from beatgrid.search.beat_line import beat_line


@dataclass(frozen=True)
class Reference:
    """What a label says of a track.

    Attributes:
        grid: The true grid.
        duration_s: Where it ends.
        downbeat_reliable: Whether its bars can be trusted.
    """

    grid: Grid
    duration_s: float
    downbeat_reliable: bool = False


@dataclass(frozen=True)
class Answer:
    """The grid that an estimate comes to.

    Attributes:
        grid: Of a tempo alone, a grid of no meaning but its tempo; None where nothing was found.
        bars_known: Whether its downbeats mean something.
        beats_s: The system's own beats; None where it tells none.
        confidence: Its own.
    """

    grid: Grid | None
    bars_known: bool = False
    beats_s: tuple[float, ...] | None = None
    confidence: float | None = None


def answer_of(estimate: Estimate | None, kind: Kind) -> Answer:
    """Return the grid of an estimate: as told, through the beats, or of the tempo alone.

    Args:
        estimate: None counts as nothing found, as does one with an error.
        kind: What the system answers.
    """
    if estimate is None or estimate.error is not None:
        return Answer(None)
    if kind == "beats":
        line = beat_line(estimate.beats_s, estimate.downbeats_s)
        if line is None:
            return Answer(None, beats_s=estimate.beats_s)
        return Answer(line.grid, line.bars_known, estimate.beats_s, estimate.confidence)
    if estimate.bpm is None:
        return Answer(None)
    if kind == "tempo" or estimate.offset_s is None:
        return Answer(Grid(estimate.bpm, 0.0), confidence=estimate.confidence)
    beats_per_bar = estimate.beats_per_bar or DEFAULT_BEATS_PER_BAR
    return Answer(
        Grid(estimate.bpm, estimate.offset_s, beats_per_bar),
        estimate.beats_per_bar is not None,
        estimate.beats_s,
        estimate.confidence,
    )


TEMPO_STATISTICS = ("level_ok", "acc1", "acc2")
"""What a tempo alone can be judged by."""


@dataclass(frozen=True)
class SystemScores:
    """One system's scores on all tracks.

    Attributes:
        system: The system.
        answers: Its grids, by track.
        scores: By track.
        bias_ms: Its median phase on the tracks where it is on the beat; None where there is none.
        unbiased: Scores of the grids moved by that, by track; None for a tempo alone.
    """

    system: System
    answers: Mapping[str, Answer]
    scores: Mapping[str, TrackScore]
    bias_ms: float | None
    unbiased: Mapping[str, TrackScore] | None

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the summaries that mean something for this kind of answer."""
        return TEMPO_STATISTICS if self.system.kind == "tempo" else tuple(STATISTICS)


def score_system(
    system: System, answers: Mapping[str, Answer], references: Mapping[str, Reference]
) -> SystemScores:
    """Score what a system answered.

    F-measure, CMLt and AMLt are of the system's own beats where it tells them: so they are
    reported in the literature. All else is of its grid.

    Args:
        system: The system.
        answers: By track.
        references: By track; every one of them has an answer.
    """
    scores = {name: _score(answers[name], ref) for name, ref in references.items()}
    bias_ms = None
    unbiased = None
    if system.kind != "tempo":
        bias_ms = STATISTICS["bias_ms"](list(scores.values()))
        shift_s = -(bias_ms or 0.0) / 1000
        unbiased = {
            name: _score(_moved(answers[name], shift_s), ref) for name, ref in references.items()
        }
    return SystemScores(system, answers, scores, bias_ms, unbiased)


def _score(answer: Answer, reference: Reference) -> TrackScore:
    score = evaluate_track(
        reference.grid,
        answer.grid,
        reference.duration_s,
        confidence=answer.confidence,
        downbeat_reliable=reference.downbeat_reliable,
        estimate_downbeat_known=answer.bars_known,
    )
    if answer.beats_s is None or score.f_measure is None:
        return score
    f_score, cmlt, amlt = _of_sequence(reference, np.asarray(answer.beats_s, dtype=float))
    return dataclasses.replace(score, f_measure=f_score, cmlt=cmlt, amlt=amlt)


def _of_sequence(reference: Reference, beats_s: FloatArray) -> tuple[float, float, float]:
    """Return F-measure, CMLt and AMLt of a sequence of beats."""
    true_s = trim(reference.grid.beat_times(reference.duration_s))
    found_s = trim(np.unique(beats_s[(beats_s >= 0) & (beats_s < reference.duration_s)]))
    cmlt, amlt = continuity_totals(true_s, found_s) if len(found_s) > 1 else (0.0, 0.0)
    return f_measure(true_s, found_s), cmlt, amlt


def _moved(answer: Answer, shift_s: float) -> Answer:
    if answer.grid is None:
        return answer
    grid = dataclasses.replace(answer.grid, offset_s=answer.grid.offset_s + shift_s)
    beats_s = answer.beats_s
    if beats_s is not None:
        beats_s = tuple(time_s + shift_s for time_s in beats_s)
    return dataclasses.replace(answer, grid=grid, beats_s=beats_s)


TEMPO_RANGES: Sequence[tuple[str, float, float]] = (
    ("below 90 BPM", 0.0, 90.0),
    ("90 to 180 BPM", 90.0, 180.0),
    ("from 180 BPM", 180.0, float("inf")),
)
"""Name, lowest tempo, and the first that is no longer in it: slow, usual and fast music."""


def tempo_range_of(bpm: float) -> str:
    """Return the name of the range that a true tempo lies in."""
    return next(name for name, low, high in TEMPO_RANGES if low <= bpm < high)
