"""How far a grid lies from the attacks of its sounds, where these begin out of near-silence.

Out of silence an activation rises too early, the more so the barer the sound; the attacks are
measured apart from it (``beatgrid.activation.attacks``). Where most beats have one, beats are where
the attacks are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.evidence import Evidence
from beatgrid.search.least_squares import MAD_TO_SIGMA, Peaks, fit_peaks
from beatgrid.search.line import Line
from beatgrid.search.segmentation import FittedSegment

# Attacks farther from a beat, or than a sixth of a period, are other notes: activations are up to
# 13 ms early.
REACH_S = 0.03
# Of the beats that count, this share has an attack: half do where the tempo is doubled.
MIN_SHARE = 0.45
MIN_ATTACKS = 4


@dataclass(frozen=True)
class AttackDelay:
    """How much later than the beats of an activation their attacks are.

    Attributes:
        delay_s: In the median.
        std_s: Its standard error.
    """

    delay_s: float
    std_s: float


def attack_delay(
    attacks_s: FloatArray | None, segments: Sequence[FittedSegment], evidence: Evidence
) -> AttackDelay | None:
    """Compare beats with the attacks next to them.

    Args:
        attacks_s: Sounds that begin out of near-silence, ascending, (attacks,); None without such
            a channel.
        segments: The beats of the track.
        evidence: Tells which beats count.

    Returns:
        The delay; None if too few of the beats that count have such an attack.
    """
    beats_s = np.concatenate([segment.beat_times_s for segment in segments])
    reach_s = np.concatenate(
        [np.full(len(s.beat_times_s), _reach_s(s.line.period_s)) for s in segments]
    )
    return _delay(attacks_s, beats_s, reach_s, evidence.weight_at(beats_s))


def fit_attacks(attacks_s: FloatArray | None, line: Line, evidence: Evidence) -> Line:
    """Fit a line to the attacks next to its beats, but for their delay, which is added later.

    Out of silence an activation is not only early but uneven from beat to beat, and its tempo may
    be off by more than the attacks' own scatter allows.

    Args:
        attacks_s: Sounds that begin out of near-silence, ascending, (attacks,); None without such
            a channel.
        line: Fitted to the activation.
        evidence: Tells which beats count.

    Returns:
        The fitted line with standard errors; ``line`` itself if too few of its beats have such
        an attack.
    """
    late = line_delay(attacks_s, line, evidence)
    if late is None or attacks_s is None:
        return line
    peaks = Peaks(attacks_s - late.delay_s, np.ones(len(attacks_s)))
    return fit_peaks(peaks, line, evidence.weight_at(line.times_s))


def line_delay(attacks_s: FloatArray | None, line: Line, evidence: Evidence) -> AttackDelay | None:
    """Compare a line's beats with the attacks next to them, as ``attack_delay`` does."""
    reach_s = np.full(len(line.times_s), _reach_s(line.period_s))
    return _delay(attacks_s, line.times_s, reach_s, evidence.weight_at(line.times_s))


def _reach_s(period_s: float) -> float:
    return min(REACH_S, period_s / 6)


def _delay(
    attacks_s: FloatArray | None, beats_s: FloatArray, reach_s: FloatArray, weight: FloatArray
) -> AttackDelay | None:
    """Compare beats (beats,) with the attacks in reach; ``weight`` tells which beats count."""
    if attacks_s is None or len(attacks_s) < MIN_ATTACKS:
        return None
    right = np.clip(np.searchsorted(attacks_s, beats_s), 1, len(attacks_s) - 1)
    before_s, behind_s = attacks_s[right - 1] - beats_s, attacks_s[right] - beats_s
    late_s = np.where(np.abs(before_s) < np.abs(behind_s), before_s, behind_s)
    near = (np.abs(late_s) <= reach_s) & (weight > 0)
    n_near = int(np.count_nonzero(near))
    if n_near < MIN_ATTACKS or weight[near].sum() < MIN_SHARE * weight.sum():
        return None
    delay_s = float(np.median(late_s[near]))
    sigma_s = MAD_TO_SIGMA * float(np.median(np.abs(late_s[near] - delay_s)))
    # The variance of a median of Gaussian values is that of the mean times pi / 2.
    return AttackDelay(delay_s, sigma_s * float(np.sqrt(np.pi / 2 / n_near)))


def delayed_segments(segments: Sequence[FittedSegment], delay_s: float) -> list[FittedSegment]:
    """Return segments that much later, with the boundaries between them; they cover the track."""
    inner_s = [segment.start_s + delay_s for segment in segments[1:]]
    starts_s, ends_s = [segments[0].start_s, *inner_s], [*inner_s, segments[-1].end_s]
    return [
        replace(
            segment,
            start_s=start_s,
            end_s=end_s,
            line=segment.line.delayed(delay_s),
            own_beats_s=None if segment.own_beats_s is None else segment.own_beats_s + delay_s,
        )
        for segment, start_s, end_s in zip(segments, starts_s, ends_s, strict=True)
    ]
