"""Edits by half a beat, told from passages that dwell on the off-beat.

Both look alike to the beat channel alone: from some place on, its peaks lie between the beats of
the grid. What tells them apart is whether the other channels move along (the kick, the bar lines:
the features that weigh beats against off-beats), and whether the shift lasts. Music that dwells on
the off-beat returns to the beat; after half a beat was cut out, it never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from beatgrid.search.evidence import Evidence
from beatgrid.search.line import Line

BLOCK_BEATS = 16
# A side is at least a quarter of the track, or so many blocks: shorter ones do not tell an edit
# from an introduction or an end without drums.
MIN_BLOCKS, ENOUGH_BLOCKS = 2, 4
# Share of a side's blocks that speak for it.
MIN_AGREEMENT = 0.8
# First only every fourth block is looked at, and the last: a quarter of a side is too much against
# it.
SAMPLED_EVERY = 4
# Log-odds of beat against off-beat that each side must reach, in opposite directions. Of 843 tracks
# without an edit, 434 of them real, three get beyond this, eight beyond 1.25; of 327 with one it
# costs one.
MIN_LOG_ODDS = 1.75


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


def find_half_beat_edit(
    evidence: Evidence, line: Line, phase_log_odds: Callable[[Line], float]
) -> HalfBeatEdit | None:
    """Find the place where a line's beats and off-beats change roles for good.

    Args:
        evidence: Curve of the beat channel; tells where beats count.
        line: The constant grid.
        phase_log_odds: Log-odds of beat against off-beat along a line.

    Returns:
        The edit; None if the evidence before or behind every place is weak.
    """
    firsts = np.arange(line.first, line.last - BLOCK_BEATS + 2, BLOCK_BEATS)
    least = max(MIN_BLOCKS, min(ENOUGH_BLOCKS, len(firsts) // 4))
    if len(firsts) < 2 * least:
        return None
    blocks = [replace(line, first=int(k), last=int(k) + BLOCK_BEATS - 1) for k in firsts]

    def log_odds_of(block: Line) -> float:
        return phase_log_odds(block) * float(evidence.weight_at(block.times_s).mean())

    # Nearly every track has none, and some of its blocks tell.
    sampled = {*range(0, len(blocks), SAMPLED_EVERY), len(blocks) - 1}
    known = {i: log_odds_of(blocks[i]) for i in sampled}
    if not _may_be_edited(known, len(blocks), least):
        return None
    log_odds = np.array(
        [known[i] if i in known else log_odds_of(block) for i, block in enumerate(blocks)]
    )
    total = np.concatenate(([0.0], np.cumsum(log_odds)))
    places = np.arange(least, len(blocks) - least + 1)
    contrast = np.abs(2 * total[places] - total[-1])
    place = int(places[int(np.argmax(contrast))])
    beat = int(firsts[place])
    before = phase_log_odds(replace(line, last=beat - 1))
    behind = phase_log_odds(replace(line, first=beat))
    if before * behind > 0 or min(abs(before), abs(behind)) < MIN_LOG_ODDS:
        return None
    agreement = min(
        float(np.mean(side * logit > 0))
        for side, logit in ((log_odds[:place], before), (log_odds[place:], behind))
    )
    if agreement < MIN_AGREEMENT:
        return None
    return HalfBeatEdit(beat, before > 0)


def _may_be_edited(log_odds: Mapping[int, float], n_blocks: int, least: int) -> bool:
    """Tell whether some of the blocks leave room for two sides that contradict each other.

    Args:
        log_odds: Of some blocks, by their number.
        n_blocks: Of the track.
        least: How many a side has at least.
    """
    spare = 1 - MIN_AGREEMENT + 1e-9
    n_before = np.arange(least, n_blocks - least + 1)
    for sign in (1.0, -1.0):  # of the first side
        against_first, against_second = np.zeros(n_blocks), np.zeros(n_blocks)
        for i, value in log_odds.items():
            against_first[i] = np.sign(value) != sign
            against_second[i] = np.sign(value) != -sign
        before = np.cumsum(against_first)[n_before - 1]
        behind = against_second.sum() - np.cumsum(against_second)[n_before - 1]
        if np.any((before <= spare * n_before) & (behind <= spare * (n_blocks - n_before))):
            return True
    return False
