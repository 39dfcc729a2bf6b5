"""Edits by half a beat are found from some of the blocks first."""

import numpy as np
import pytest

from beatgrid.search import half_beat
from beatgrid.search.evidence import Evidence
from beatgrid.search.half_beat import BLOCK_BEATS, find_half_beat_edit
from beatgrid.search.line import Line

FRAME_RATE = 100.0


def found(signs):
    """Look for the edit in blocks whose log-odds have given signs, (blocks,)."""
    n_beats = len(signs) * BLOCK_BEATS
    evidence = Evidence(
        np.zeros(50 * n_beats), np.ones(50 * n_beats), 1.0, FRAME_RATE, 0.5 * n_beats
    )
    line = Line.through(0.25, 0.5, 0.0, 0.5 * n_beats)
    at_beat = np.repeat(signs, BLOCK_BEATS)

    def phase_log_odds(part: Line) -> float:
        return 2.0 * float(at_beat[part.first - line.first : part.last - line.first + 1].mean())

    return find_half_beat_edit(evidence, line, phase_log_odds)


@pytest.mark.parametrize("n_blocks", [4, 9, 16, 21])
def test_blocks_that_are_skipped_hide_no_edit(n_blocks, monkeypatch):
    rng = np.random.default_rng(n_blocks)
    places = np.arange(1, n_blocks)
    tracks = [np.where(np.arange(n_blocks) < place, 1, -1) for place in places]
    tracks = [track * rng.choice([-1, 1]) for track in tracks]
    tracks += [track * rng.choice([-1, 1], n_blocks, p=[0.15, 0.85]) for track in tracks * 2]
    tracks += [np.ones(n_blocks), np.zeros(n_blocks)]
    some = [found(track) for track in tracks]
    monkeypatch.setattr(half_beat, "SAMPLED_EVERY", 1)
    assert some == [found(track) for track in tracks]
    assert any(some)
    assert not all(some)


def test_few_blocks_suffice_where_there_is_no_edit():
    n_calls = 0

    def phase_log_odds(part: Line) -> float:
        nonlocal n_calls
        n_calls += 1
        return 3.0

    evidence = Evidence(np.zeros(40_000), np.ones(40_000), 1.0, FRAME_RATE, 400.0)
    line = Line.through(0.25, 0.5, 0.0, 400.0)
    assert find_half_beat_edit(evidence, line, phase_log_odds) is None
    assert n_calls <= 800 // BLOCK_BEATS // 3
