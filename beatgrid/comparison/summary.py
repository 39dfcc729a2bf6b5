"""From estimates to a report: scores, pairs, agreement, costs."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from beatgrid.comparison.agreement import agreements, where_alone
from beatgrid.comparison.contenders import Contender
from beatgrid.comparison.estimates import Estimate
from beatgrid.comparison.report import UNBIASED, Cost, Pair, Report, SystemReport, Value
from beatgrid.comparison.scores import (
    TEMPO_RANGES,
    Answer,
    Reference,
    SystemScores,
    answer_of,
    score_system,
    tempo_range_of,
)
from beatgrid.comparison.systems import BEATGRID
from beatgrid.evaluation import LEVELS, TrackScore, summarise
from beatgrid.evaluation.paired import compare_pairs

_N_DRAWS = 1000
_INTERVALS_OF = (
    *("level_ok", "grid_ok_10", "grid_ok_21", "grid_ok_21_multi", "bias_ms", "f_measure", "cmlt"),
    *("amlt", "acc1", "acc2"),
)
_UNBIASED = ("grid_ok_10", "grid_ok_21", "grid_ok_21_multi")
_PAIRED = ("level_ok", "grid_ok_21_multi", "grid_ok_21")
"""What systems are paired by; the last two also without bias."""
_BY_TEMPO = ("level_ok", "grid_ok_21", "grid_ok_21_multi")


def make_report(
    contenders: Sequence[Contender],
    estimates: Mapping[str, Mapping[str, Estimate]],
    references: Mapping[str, Reference] | None,
    left_out: Mapping[str, str],
    failures: Sequence[str],
) -> Report:
    """Sum up a comparison.

    Only tracks that every system of the report has tried are compared; a try that failed counts
    as nothing found.

    Args:
        contenders: The systems.
        estimates: By system, then by track.
        references: By track; None without labels.
        left_out: Systems that did not take part, and why.
        failures: What is to be said of tracks that failed.
    """
    taking_part = [c for c in contenders if estimates.get(c.name)]
    tried = [set(estimates[c.name]) for c in taking_part]
    names = sorted(set.intersection(*tried)) if tried else []
    if references is not None:
        names = [name for name in names if name in references]
    answers = {
        c.name: {name: answer_of(estimates[c.name][name], c.system.kind) for name in names}
        for c in taking_part
    }
    durations_s = {
        name: next(estimates[c.name][name].duration_s for c in taking_part) for name in names
    }
    scored: dict[str, SystemScores] = {}
    if references is not None:
        chosen = {name: references[name] for name in names}
        scored = {c.name: score_system(c.system, answers[c.name], chosen) for c in taking_part}
    return Report(
        n_tracks=len(names),
        hours=sum(durations_s.values()) / 3600,
        labelled=references is not None,
        systems=[
            _system_report(c, estimates[c.name], answers[c.name], scored.get(c.name), names)
            for c in taking_part
        ],
        pairs=_pairs(scored, names),
        agreements=agreements(answers, durations_s),
        alone=where_alone(answers, durations_s) if BEATGRID in answers else [],
        tracks=[_track(name, estimates, answers, scored, references) for name in names],
        left_out=dict(left_out),
        failures=list(failures),
    )


def _system_report(
    contender: Contender,
    estimates: Mapping[str, Estimate],
    answers: Mapping[str, Answer],
    scored: SystemScores | None,
    names: Sequence[str],
) -> SystemReport:
    system = contender.system
    own = [estimates[name] for name in names]
    report = SystemReport(
        name=system.name,
        kind=system.kind,
        about=system.about,
        licence=system.licence,
        version=next((e.version for e in own if e.version), ""),
        n_failed=sum(e.error is not None for e in own),
        n_none=sum(e.error is None and answers[e.track].grid is None for e in own),
        cost=Cost(
            wall_s=_per_minute([(e.wall_s, e.duration_s) for e in own]),
            cpu_s=_per_minute([(e.cpu_s, e.duration_s) for e in own]),
            peak_mb=max((e.peak_mb for e in own if e.peak_mb is not None), default=None),
            size_mb=contender.size_mb,
        ),
    )
    if scored is None:
        return report
    scores = list(scored.scores.values())
    counted = Counter(score.level for score in scores)
    return dataclasses.replace(
        report,
        summary=_summary(scored),
        levels={level: counted[level] for level in (*LEVELS, "other", "none")},
        by_tempo={
            name: _by_tempo([s for s in scores if tempo_range_of(s.bpm_true) == name], scored)
            for name, _, _ in TEMPO_RANGES
        },
    )


def _summary(scored: SystemScores) -> dict[str, Value]:
    scores = list(scored.scores.values())
    sums = summarise(scores)
    found = {
        key: Value(sums[key], _interval(scores, key) if key in _INTERVALS_OF else None)
        for key in scored.statistics
    }
    if scored.unbiased is not None:
        moved = list(scored.unbiased.values())
        sums = summarise(moved)
        for key in _UNBIASED:
            found[key + UNBIASED] = Value(sums[key], _interval(moved, key))
    return found


def _by_tempo(scores: Sequence[TrackScore], scored: SystemScores) -> dict[str, Value | int]:
    sums = summarise(scores)
    rates = {
        key: Value(sums[key], _interval(scores, key))
        for key in _BY_TEMPO
        if key in scored.statistics
    }
    return {"n_tracks": len(scores), **rates}


def _pairs(scored: Mapping[str, SystemScores], names: Sequence[str]) -> list[Pair]:
    own = scored.get(BEATGRID)
    if own is None:
        return []
    found = []
    for peer in scored.values():
        if peer is own:
            continue
        for by in _PAIRED:
            if by not in peer.statistics:
                continue
            found.append(_pair(peer.system.name, by, own.scores, peer.scores, names, by))
            if by in _UNBIASED and own.unbiased is not None and peer.unbiased is not None:
                found.append(
                    _pair(peer.system.name, by + UNBIASED, own.unbiased, peer.unbiased, names, by)
                )
    return found


def _pair(
    peer: str,
    name: str,
    own_scores: Mapping[str, TrackScore],
    peer_scores: Mapping[str, TrackScore],
    tracks: Sequence[str],
    by: str,
) -> Pair:
    own = [is_right(own_scores[track], by) for track in tracks]
    other = [is_right(peer_scores[track], by) for track in tracks]
    wins = tuple(t for t, a, b in zip(tracks, own, other, strict=True) if b and not a)
    return Pair(peer, name, compare_pairs(own, other), wins)


def _interval(scores: Sequence[TrackScore], key: str) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval of a rate or of the bias, 95 %.

    That of ``evaluation.bootstrap``, for the tracks where the statistic applies; all draws at once,
    for here are many systems and statistics.
    """
    found = [value for score in scores if (value := _value(score, key)) is not None]
    if not found:
        return None
    values = np.asarray(found, dtype=float)
    draws = np.random.default_rng(0).integers(len(values), size=(_N_DRAWS, len(values)))
    reduce = np.median if key == "bias_ms" else np.mean
    low, high = np.quantile(reduce(values[draws], axis=1), [0.025, 0.975])
    return float(low), float(high)


def _value(score: TrackScore, key: str) -> float | None:
    """Return what a track contributes to a statistic; None where it does not apply."""
    if key == "bias_ms":
        return score.phase_ms if score.level == "ok" and not score.offbeat else None
    return float(score.level == "ok") if key == "level_ok" else getattr(score, key)


def is_right(score: TrackScore, by: str) -> bool:
    """Tell whether a track is right by a statistic: ``level_ok``, or a field of its score."""
    return score.level == "ok" if by == "level_ok" else bool(getattr(score, by))


def _track(
    name: str,
    estimates: Mapping[str, Mapping[str, Estimate]],
    answers: Mapping[str, Mapping[str, Answer]],
    scored: Mapping[str, SystemScores],
    references: Mapping[str, Reference] | None,
) -> dict[str, Any]:
    found: dict[str, Any] = {"track": name}
    if references is not None:
        found["bpm"] = references[name].grid.bpm
    systems: dict[str, Any] = {}
    for system, by_track in answers.items():
        grid = by_track[name].grid
        estimate = estimates[system][name]
        found.setdefault("audio", estimate.audio)
        found.setdefault("duration_s", estimate.duration_s)
        row: dict[str, Any] = {"bpm": None if grid is None else grid.bpm}
        if estimate.error is not None:
            row["error"] = estimate.error
        if system in scored:
            score = scored[system].scores[name]
            row["level"] = score.level
            if scored[system].unbiased is not None:
                row |= {
                    "offset_s": None if grid is None else grid.offset_s,
                    "phase_ms": score.phase_ms,
                    "offbeat": score.offbeat,
                    "drift_ms": score.drift_ms,
                    "max_error_ms": score.max_error_ms,
                    "grid_ok_21": score.grid_ok_21,
                    "f_measure": score.f_measure,
                }
        systems[system] = row
    return found | {"systems": systems}


def _per_minute(costs: Sequence[tuple[float | None, float]]) -> float | None:
    """Return the median cost of a minute; the sum would be that of the longest tracks."""
    rates = [60 * cost / duration_s for cost, duration_s in costs if cost is not None]
    return statistics.median(rates) if rates else None
