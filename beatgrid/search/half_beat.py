"""Edits by half a beat, told from passages that dwell on the off-beat.

Both look alike to the beat channel: from some place on, its peaks lie between the beats of the
grid. Music that dwells on the off-beat does so weakly or returns to the beat; after half a beat was
cut out it never does, and the channels that weigh beats against off-beats (the kick, the bar lines)
move along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.evidence import Evidence
from beatgrid.search.line import Line

BLOCK_BEATS = 16
# A side is at least a quarter of the track, or so many beats: shorter ones do not tell an edit from
# an introduction or an end without drums.
LEAST_BEATS, ENOUGH_BEATS = 16, 64
# Share of a side's blocks that speak for it.
MIN_AGREEMENT = 0.7
# Evidence on the beat less that on the off-beat, per beat, that each side must reach in opposite
# directions: the root mean square of the evidence. Of 843 tracks without an edit, 434 of them real,
# four get beyond it, and 283 of 327 with one; beyond 0.8 of it six and 291.
MIN_CONTRAST = 1.0


@dataclass(frozen=True)
class HalfBeatEdit:
    """A place from which on the beats lie between those of a line.

    Attributes:
        beat: Number of the first beat behind it.
        before: Whether the beats before it are those of the line; those behind it are not, or
            the other way round.
    """

    beat: int
    before: bool

    def sides(self, line: Line) -> tuple[Line, Line]:
        """Return the lines before and behind it, each through its own beats."""
        before, behind = replace(line, last=self.beat - 1), replace(line, first=self.beat)
        return (
            (before, behind.half_beat_later())
            if self.before
            else (before.half_beat_later(), behind)
        )


def find_half_beat_edit(
    evidence: Evidence, line: Line, phase_log_odds: Callable[[Line], float]
) -> HalfBeatEdit | None:
    """Find the place where a line's beats and off-beats change roles for good.

    Args:
        evidence: Curve of the beat channel.
        line: The constant grid.
        phase_log_odds: Log-odds of beat against off-beat along a line.

    Returns:
        The edit; None if the evidence before or behind every place is weak.
    """
    times_s = line.times_s
    n_beats = len(times_s)
    quarter = int(evidence.duration_s / line.period_s / 4)
    least = max(LEAST_BEATS, min(ENOUGH_BEATS, quarter))
    if n_beats < 2 * least:
        return None
    contrast = evidence(times_s) - evidence(times_s + line.period_s / 2)
    total = np.concatenate(([0.0], np.cumsum(contrast)))
    places = np.arange(least, n_beats - least + 1)
    place = int(places[int(np.argmax(np.abs(2 * total[places] - total[-1])))])
    weight = evidence.weight_at(times_s)
    before = _agreed(contrast[:place], weight[:place])
    behind = _agreed(contrast[place:], weight[place:])
    if before * behind >= 0 or min(abs(before), abs(behind)) < MIN_CONTRAST:
        return None
    beat = line.first + place
    sign = np.sign(before)
    if (
        sign * phase_log_odds(replace(line, last=beat - 1)) <= 0
        or sign * phase_log_odds(replace(line, first=beat)) >= 0
    ):
        return None
    return HalfBeatEdit(beat, before > 0)


def _agreed(contrast: FloatArray, weight: FloatArray) -> float:
    """Return the contrast per beat of a side; 0 where too many of its blocks contradict it."""
    mean = float(contrast.sum()) / max(float(weight.sum()), 1.0)
    blocks = np.add.reduceat(contrast, np.arange(0, len(contrast), BLOCK_BEATS))
    return mean if np.mean(blocks * mean > 0) >= MIN_AGREEMENT else 0.0
