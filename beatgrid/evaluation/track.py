"""Scores of one track; the package's docstring defines each word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from beatgrid.evaluation.sequences import continuity_totals, f_measure, trim
from beatgrid.grid import Grid

LEVELS = MappingProxyType(
    {"ok": 1.0, "2": 2.0, "1/2": 1 / 2, "3/2": 3 / 2, "2/3": 2 / 3, "4/3": 4 / 3, "3/4": 3 / 4}
)
"""Estimated over true BPM of each named level."""

LEVEL_TOLERANCE = 0.02
MULTI_LEVELS = frozenset({"ok", "2", "1/2"})
TIGHT_MS = 10.0
WIDE_MS = 21.5
"""Half the timing window of the strictest judgement in rhythm games (van de Wetering, 2016)."""

ACC_TOLERANCE = 0.04
ACC2_RATIOS = (1.0, 2.0, 3.0, 1 / 2, 1 / 3)


@dataclass(frozen=True)
class TrackScore:
    """Scores of one track; see the package's docstring for each word.

    Attributes:
        bpm_true: BPM of the label.
        bpm_found: BPM of the estimate; None where none was found.
        ratio: ``bpm_found / bpm_true``.
        level: A key of ``LEVELS``, "other" or "none".
        drift_ms: Drift over the track, >= 0; None at the levels "other" and "none".
        phase_ms: Signed phase at mid-track; None but at the levels "ok", "2" and "1/2".
        offbeat: At the level "ok" or "1/2", but between the true beats.
        max_error_ms: Largest error at any true beat; None where ``phase_ms`` is.
        grid_ok_10: Level ok and never more than 10 ms off.
        grid_ok_21: Level ok and never more than 21.5 ms off.
        grid_ok_10_multi: As ``grid_ok_10``, twice and half the tempo forgiven.
        grid_ok_21_multi: As ``grid_ok_21``, twice and half the tempo forgiven.
        drift_ok_multi: Drift at most 21.5 ms, twice and half the tempo forgiven, whatever the
            phase.
        f_measure: Beat F-measure in [0, 1]; None if the label has fewer than 2 beats after 5 s.
        cmlt: Correct metrical level, total, in [0, 1]; None where ``f_measure`` is.
        amlt: Allowed metrical levels, total, in [0, 1]; None where ``f_measure`` is.
        acc1: Tempo within 4 %.
        acc2: Tempo within 4 % of 1, 2, 3, 1/2 or 1/3 times the true one.
        downbeat_ok: Level ok, on the beat, and the same bar length and bar position at mid-track;
            None where the label's downbeat is not reliable or the estimate claims none.
        confidence: The estimate's own probability of being right; None if it gave none.
    """

    bpm_true: float
    bpm_found: float | None
    ratio: float | None
    level: str
    drift_ms: float | None
    phase_ms: float | None
    offbeat: bool
    max_error_ms: float | None
    grid_ok_10: bool
    grid_ok_21: bool
    grid_ok_10_multi: bool
    grid_ok_21_multi: bool
    drift_ok_multi: bool
    f_measure: float | None
    cmlt: float | None
    amlt: float | None
    acc1: bool
    acc2: bool
    downbeat_ok: bool | None
    confidence: float | None


def evaluate_track(
    reference: Grid,
    estimate: Grid | None,
    duration_s: float,
    confidence: float | None = None,
    downbeat_reliable: bool = False,
    estimate_downbeat_known: bool = True,
) -> TrackScore:
    """Score an estimated grid against the labelled one.

    Args:
        reference: The true grid.
        estimate: The grid found, or None where none was.
        duration_s: Length of the track; only true beats inside ``[0, duration_s)`` count.
        confidence: Probability in [0, 1] that the estimate gives itself.
        downbeat_reliable: Whether the label's downbeats can be trusted.
        estimate_downbeat_known: Whether the method claims to know downbeats at all. False leaves
            its bar phase unjudged, also on tracks where it found no grid.

    Raises:
        ValueError: If no true beat lies inside the track, or an argument is out of range.
    """
    if not (math.isfinite(duration_s) and duration_s > 0):
        raise ValueError(f"duration_s must be a positive number of seconds, not {duration_s!r}")
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError(f"confidence must be a probability in [0, 1], not {confidence!r}")
    k = reference.beat_indices(duration_s)
    if not len(k):
        raise ValueError(
            f"no beat of {reference} lies in [0, {duration_s:g}) s (are these seconds?)"
        )
    level = metrical_level(reference, estimate)
    judge_downbeat = downbeat_reliable and estimate_downbeat_known
    f_score, cmlt, amlt = _sequence_scores(reference, estimate, duration_s)

    drift_ms = phase_ms = max_error_ms = None
    offbeat = False
    downbeat_ok = False
    if estimate is not None and level in LEVELS:
        # Seconds by which the estimate falls behind per true beat, once at the true level.
        slope_s = float(estimate.period_s * LEVELS[level] - reference.period_s)
        drift_ms = 1000 * (len(k) - 1) * abs(slope_s)
        if level in MULTI_LEVELS:
            k_true, k_estimate = _pair_at(duration_s / 2, reference, estimate, level)
            phase_s = _time(estimate, k_estimate) - _time(reference, k_true)
            phase_ms = 1000 * phase_s
            ends_s = [phase_s + (int(end) - k_true) * slope_s for end in k[[0, -1]]]
            max_error_ms = 1000 * max(map(abs, ends_s))
            offbeat = level != "2" and abs(phase_s) > float(reference.period_s) / 4
            downbeat_ok = (
                level == "ok"
                and not offbeat
                and reference.beats_per_bar == estimate.beats_per_bar
                and (k_true - k_estimate) % reference.beats_per_bar == 0
            )

    def within(limit_ms: float) -> bool:
        return max_error_ms is not None and max_error_ms <= limit_ms

    ratio = None if estimate is None else float(estimate.bpm / reference.bpm)
    return TrackScore(
        bpm_true=float(reference.bpm),
        bpm_found=None if estimate is None else float(estimate.bpm),
        ratio=ratio,
        level=level,
        drift_ms=drift_ms,
        phase_ms=phase_ms,
        offbeat=offbeat,
        max_error_ms=max_error_ms,
        grid_ok_10=level == "ok" and within(TIGHT_MS),
        grid_ok_21=level == "ok" and within(WIDE_MS),
        grid_ok_10_multi=within(TIGHT_MS),
        grid_ok_21_multi=within(WIDE_MS),
        drift_ok_multi=level in MULTI_LEVELS and drift_ms is not None and drift_ms <= WIDE_MS,
        f_measure=f_score,
        cmlt=cmlt,
        amlt=amlt,
        acc1=_tempo_within(ratio, (1.0,)),
        acc2=_tempo_within(ratio, ACC2_RATIOS),
        downbeat_ok=downbeat_ok if judge_downbeat else None,
        confidence=None if confidence is None else float(confidence),
    )


def metrical_level(reference: Grid, estimate: Grid | None) -> str:
    """Name the ratio of both tempi: a key of ``LEVELS``, "other" or "none"."""
    if estimate is None:
        return "none"
    ratio = estimate.bpm / reference.bpm
    for name, level_ratio in LEVELS.items():
        if abs(ratio / level_ratio - 1) <= LEVEL_TOLERANCE:
            return name
    return "other"


def _time(grid: Grid, k: int) -> float:
    return float(grid.offset_s) + k * float(grid.period_s)


def _nearest(grid: Grid, time_s: float) -> int:
    """Return the index of the beat nearest to a time; of two, the later."""
    return math.floor((time_s - grid.offset_s) / grid.period_s + 0.5)


def _pair_at(time_s: float, reference: Grid, estimate: Grid, level: str) -> tuple[int, int]:
    """Return indices (true, estimated) of the beats at a time, sought from the sparser grid."""
    if level == "1/2":
        k_estimate = _nearest(estimate, time_s)
        return _nearest(reference, _time(estimate, k_estimate)), k_estimate
    k_true = _nearest(reference, time_s)
    return k_true, _nearest(estimate, _time(reference, k_true))


def _tempo_within(ratio: float | None, allowed: Sequence[float]) -> bool:
    return ratio is not None and any(abs(ratio / a - 1) <= ACC_TOLERANCE for a in allowed)


def _sequence_scores(
    reference: Grid, estimate: Grid | None, duration_s: float
) -> tuple[float | None, float | None, float | None]:
    """Return F-measure, CMLt and AMLt of beats from 5 s on; None if the label has fewer than 2."""
    true_s = trim(reference.beat_times(duration_s))
    if len(true_s) < 2:
        return None, None, None
    if estimate is None:
        return 0.0, 0.0, 0.0
    found_s = trim(estimate.beat_times(duration_s))
    if len(found_s) < 2:  # a lone beat has no interval to compare
        return f_measure(true_s, found_s), 0.0, 0.0
    return f_measure(true_s, found_s), *continuity_totals(true_s, found_s)
