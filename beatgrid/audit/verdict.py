"""From measurements to one verdict on a label: what is likely wrong with it, and how surely.

Each kind of fault has a measure and a threshold. The score of a fault is ``r / (1 + r)`` with r the
measure in units of its threshold: 0.5 at the threshold, 0.67 at twice, 0.83 at five times. A label
is suspected from 0.5 on. Kinds come in an order: a label of another recording has no meaningful
offset, one at another tempo level no meaningful bars. The first suspicion in that order is the
verdict, the others are named beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from beatgrid.audit.correction import corrected_offset, corrected_tempo
from beatgrid.audit.evidence import Evidence
from beatgrid.data.track import SAME_RECORDING_S
from beatgrid.grid import Grid

Kind = Literal[
    "unreadable",
    "recording",
    "level",
    "bpm",
    "off-beat",
    "clock",
    "offset",
    "bars",
    "length",
    "unclear",
    "ok",
]
"""Verdicts, the gravest first:

- unreadable: label or audio cannot be used.
- recording: the label belongs to another recording, or its tempo to none.
- level: another metrical level, such as twice or 3/2 of the tempo.
- bpm: the tempo is a little off, so that the beats drift away.
- off-beat: half a beat off.
- clock: an offset that many labels of the data set share, as of a decoder that starts elsewhere.
- offset: all beats early or late by milliseconds.
- bars: the downbeat is on another beat of the bar.
- length: beats fit, but the audio is longer or shorter than the label says.
- unclear: no grid is found in the audio, or none near the label's tempo, to hold it against.
"""
KINDS: tuple[str, ...] = get_args(Kind)

# Offsets. The network's own error on real music is 0.9 ms in the median; a click 10 ms beside a
# drum is heard as a flam.
OFFSET_S = 0.012
# Drift from the first beat to the last: either end is 10 ms off where the middle is right.
DRIFT_S = 0.020
# Standard errors come from one track's scatter; what is common to all its beats they don't see.
SIGMAS = 4.0
# Odds of the label's beats being off-beats, and of its tempo level not being the track's.
OFFBEAT_ODDS = 9.0
LEVEL_ODDS = 9.0
# Evidence per second on the grid nearest to the label, as a share of that on the track's own.
STRENGTH_SHARE = 0.4
# Odds of another beat of the bar being the downbeat against the label's, by a fitted model; nats
# per bar by which it is a better one, by the network's downbeats.
BARS_ODDS = 9.0
BARS_MARGIN = 0.4
SUSPECT_SCORE = 0.5
# Beyond it no odds say more.
MAX_LOG_ODDS = 20.0


@dataclass(frozen=True)
class Suspicion:
    """One thing that may be wrong.

    Attributes:
        kind: Of the fault.
        score: 0..1, from 0.5 on suspected.
        reason: Its evidence, in words.
    """

    kind: Kind
    score: float
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What is said of one label.

    Attributes:
        kind: Of the gravest suspicion, or "ok".
        score: Its score, by which labels are sorted; the highest below 0.5 where all is well.
        reason: Its evidence, in words.
        also: Kinds of the other suspicions, gravest first.
        correction: The grid that the label should have; None where the evidence does not support
            one with high confidence.
    """

    kind: Kind
    score: float
    reason: str = ""
    also: tuple[Kind, ...] = ()
    correction: Grid | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether something is likely wrong."""
        return self.kind != "ok"


def judge(evidence: Evidence, *, bars_known: bool = True) -> Verdict:
    """Return the verdict on one label.

    Args:
        evidence: Its measurements.
        bars_known: The label says where bars begin.
    """
    if evidence.found.grid is None:
        return Verdict("unclear", SUSPECT_SCORE, f"{evidence.found.reason} in its audio")
    checks = [check for check in _CHECKS if bars_known or check is not _bars]
    raised = [s for s in (check(evidence) for check in checks) if s is not None]
    suspected = [s for s in raised if s.score >= SUSPECT_SCORE]
    if not suspected:
        return Verdict("ok", max((s.score for s in raised), default=0.0))
    first, *others = suspected
    correct = _CORRECTIONS.get(first.kind)
    correction = None if correct is None else correct(evidence)
    also = tuple(s.kind for s in others)
    return Verdict(first.kind, first.score, first.reason, also, correction)


def _recording(e: Evidence) -> Suspicion | None:
    if e.level != "other":
        return None
    share = max(e.strength_share or 0.0, 1e-3)
    odds = e.found.confidence / max(1 - e.found.confidence, 1e-3)
    reason = (
        f"no tempo near {e.grid.bpm:.6g} fits; the audio has {e.found.bpm:.6g} "
        f"(confidence {e.found.confidence:.2f})"
    )
    if e.excess_s is not None and abs(e.excess_s) > SAME_RECORDING_S:
        return Suspicion("recording", _score(STRENGTH_SHARE / share), f"{reason}, {_length(e)}")
    # A search that doubts its own tempo says little of another's.
    return Suspicion("recording", _score(min(1.0, odds) * STRENGTH_SHARE / share), reason)


def _level(e: Evidence) -> Suspicion | None:
    if e.level in ("ok", "other"):
        return None
    odds = (1 - e.level_probability) / max(e.level_probability, 1e-3)
    reason = (
        f"{e.found.bpm:.6g} BPM, {e.level} of the label's tempo, fits better "
        f"(probability of the label's {e.level_probability:.2f})"
    )
    return Suspicion("level", _score(odds / LEVEL_ODDS), reason)


def _bpm(e: Evidence) -> Suspicion | None:
    fit = e.fit
    if fit is None or not _is_firm(e):
        return None
    measure = abs(fit.drift_s) / max(DRIFT_S, SIGMAS * fit.drift_std_s)
    reason = (
        f"{fit.line.bpm:.6g} BPM fits, which moves the last beat by {1000 * fit.last_shift_s:+.0f} "
        f"ms (drift {1000 * fit.drift_s:+.0f} +- {1000 * fit.drift_std_s:.1f} ms)"
    )
    return Suspicion("bpm", _score(measure), reason)


def _offbeat(e: Evidence) -> Suspicion | None:
    fit = e.fit
    if fit is None or not _is_firm(e):
        return None
    odds = math.exp(min(-fit.phase_log_odds, MAX_LOG_ODDS))
    return Suspicion(
        "off-beat",
        _score(odds / OFFBEAT_ODDS),
        f"its beats are off-beats (probability {odds / (1 + odds):.2f})",
    )


def _offset(e: Evidence) -> Suspicion | None:
    fit = e.fit
    if fit is None or not _is_firm(e):
        return None
    measure = abs(fit.offset_s) / max(OFFSET_S, SIGMAS * fit.offset_std_s)
    word = "later" if fit.offset_s > 0 else "earlier"
    reason = (
        f"the music is {1000 * abs(fit.offset_s):.1f} +- {1000 * fit.offset_std_s:.1f} ms {word}"
    )
    return Suspicion("offset", _score(measure), reason)


def _bars(e: Evidence) -> Suspicion | None:
    if e.bars is None or not e.bars.later_beats or not e.bars.lasting:
        return None
    noun = "beat" if e.bars.later_beats == 1 else "beats"
    if e.bars.fitted:
        odds = math.exp(min(e.bars.margin, MAX_LOG_ODDS))
        measure, evidence = odds / BARS_ODDS, f"{e.bars.margin:.1f} nats"
    else:
        measure, evidence = e.bars.margin / BARS_MARGIN, f"{e.bars.margin:.1f} nats a bar"
    reason = f"the downbeat is {e.bars.later_beats} {noun} later ({evidence})"
    return Suspicion("bars", _score(measure), reason)


def _longer(e: Evidence) -> Suspicion | None:
    if e.excess_s is None or abs(e.excess_s) <= SAME_RECORDING_S:
        return None
    return Suspicion("length", SUSPECT_SCORE, _length(e))


def _unclear(e: Evidence) -> Suspicion | None:
    if _is_firm(e):
        return None
    reason = f"no beats near {e.grid.bpm:.6g} BPM stand out that it could be held against"
    return Suspicion("unclear", SUSPECT_SCORE, reason)


_CHECKS: tuple[Callable[[Evidence], Suspicion | None], ...] = (
    *(_recording, _level, _bpm, _offbeat, _offset, _bars, _longer, _unclear),
)
"""In the order of ``KINDS``."""

_CORRECTIONS: Mapping[Kind, Callable[[Evidence], Grid | None]] = {
    "bpm": corrected_tempo,
    "offset": corrected_offset,
}
"""Of other faults there is more than one that the evidence would allow."""


def _score(measure: float) -> float:
    return measure / (1 + measure)


def _is_firm(e: Evidence) -> bool:
    """Tell whether the track has beats at the label's level, or twice or half of it."""
    return (e.strength_share or 0.0) >= STRENGTH_SHARE


def _length(e: Evidence) -> str:
    excess_s = e.excess_s or 0.0
    return f"the audio is {abs(excess_s):.1f} s {'longer' if excess_s > 0 else 'shorter'}"
