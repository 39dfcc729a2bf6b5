"""How far the systems agree with each other, and where beatgrid stands alone: no labels needed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from beatgrid.comparison.scores import Answer
from beatgrid.comparison.systems import BEATGRID, SYSTEMS
from beatgrid.evaluation import metrical_level
from beatgrid.evaluation.track import LEVELS

# An agreement of fewer is chance.
MIN_AGREEING = 2


@dataclass(frozen=True)
class Agreement:
    """Two systems on the same tracks.

    Attributes:
        first: Name of a system.
        second: Name of another.
        n_tracks: Tracks to which both have an answer.
        same_tempo: Share of them with the same tempo, within 2 %.
        same_beats: Share with the same beats, within a quarter of a period at mid-track; None
            where one of them tells a tempo alone.
    """

    first: str
    second: str
    n_tracks: int
    same_tempo: float | None
    same_beats: float | None


@dataclass(frozen=True)
class Alone:
    """A track on which others agree with each other against beatgrid.

    Attributes:
        track: Its name.
        about: ``tempo``, or ``beat`` where they have its tempo but beats between its beats.
        bpm: beatgrid's tempo; None where it found none.
        others_bpm: Theirs.
        ratio: beatgrid's tempo over theirs, in words: "2", "1/2", "other".
        others: Names of those that agree.
        n_asked: How many peers have an answer.
        confidence: beatgrid's own.
    """

    track: str
    about: str
    bpm: float | None
    others_bpm: float
    ratio: str
    others: tuple[str, ...]
    n_asked: int
    confidence: float | None


Answers = Mapping[str, Mapping[str, Answer]]
"""By system, then by track."""


def agreements(answers: Answers, durations_s: Mapping[str, float]) -> list[Agreement]:
    """Return how far each pair of systems agrees.

    Args:
        answers: Of at least the tracks in ``durations_s``.
        durations_s: Length of each track.
    """
    found = []
    for first, second in itertools.combinations(answers, 2):
        both = [
            (answers[first][track], answers[second][track], duration_s)
            for track, duration_s in durations_s.items()
            if answers[first][track].grid and answers[second][track].grid
        ]
        tempo = [_same_tempo(one, two) for one, two, _ in both]
        has_beats = "tempo" not in (SYSTEMS[first].kind, SYSTEMS[second].kind)
        beats = [_same_beats(*pair) for pair in both] if has_beats else []
        found.append(Agreement(first, second, len(both), _share(tempo), _share(beats)))
    return found


def where_alone(answers: Answers, durations_s: Mapping[str, float]) -> list[Alone]:
    """Return the tracks on which at least half of the peers agree against beatgrid.

    Several systems of one environment are variants of one method and count once: the first that
    answered.

    Args:
        answers: beatgrid's among them.
        durations_s: Length of each track.

    Returns:
        The most agreeing first, then the least confident.
    """
    found = []
    for track, duration_s in durations_s.items():
        own = answers[BEATGRID][track]
        peers = {
            name: by_track[track]
            for name, by_track in answers.items()
            if name != BEATGRID and by_track[track].grid is not None
        }
        alone = _against_tempo(track, own, peers) or _against_beat(track, own, peers, duration_s)
        if alone is not None:
            found.append(alone)
    return sorted(found, key=lambda a: (-len(a.others) / a.n_asked, a.confidence or 0.0, a.track))


def _against_tempo(track: str, own: Answer, peers: Mapping[str, Answer]) -> Alone | None:
    groups = [
        [name for name in _independent(peers) if _same_tempo(peers[name], peers[leader])]
        for leader in _independent(peers)
    ]
    agreeing = max(groups, key=len, default=[])
    if not _is_majority(agreeing, peers) or _same_tempo(own, peers[agreeing[0]]):
        return None
    return _alone(track, "tempo", own, agreeing, peers)


def _against_beat(
    track: str, own: Answer, peers: Mapping[str, Answer], duration_s: float
) -> Alone | None:
    with_beats = {name: a for name, a in peers.items() if SYSTEMS[name].kind != "tempo"}
    agreeing = [
        name
        for name in _independent(with_beats)
        if _same_tempo(own, with_beats[name]) and not _same_beats(own, with_beats[name], duration_s)
    ]
    if not _is_majority(agreeing, with_beats):
        return None
    return _alone(track, "beat", own, agreeing, with_beats)


def _alone(
    track: str, about: str, own: Answer, agreeing: Sequence[str], peers: Mapping[str, Answer]
) -> Alone:
    theirs = peers[agreeing[0]].grid
    assert theirs is not None
    return Alone(
        track=track,
        about=about,
        bpm=None if own.grid is None else own.grid.bpm,
        others_bpm=theirs.bpm,
        ratio=metrical_level(theirs, own.grid),
        others=tuple(agreeing),
        n_asked=len(_independent(peers)),
        confidence=own.confidence,
    )


def _is_majority(agreeing: Sequence[str], peers: Mapping[str, Answer]) -> bool:
    return len(agreeing) >= max(MIN_AGREEING, len(_independent(peers)) / 2)


def _independent(peers: Mapping[str, Answer]) -> list[str]:
    first: dict[str, str] = {}
    for name in peers:
        first.setdefault(SYSTEMS[name].environment, name)
    return list(first.values())


def _same_tempo(one: Answer, two: Answer) -> bool:
    return (
        one.grid is not None
        and two.grid is not None
        and metrical_level(one.grid, two.grid) == next(iter(LEVELS))
    )


def _same_beats(one: Answer, two: Answer, duration_s: float) -> bool:
    if one.grid is None or two.grid is None or not _same_tempo(one, two):
        return False
    period_s = one.grid.period_s
    beat_s = one.grid.offset_s + round((duration_s / 2 - one.grid.offset_s) / period_s) * period_s
    off = (beat_s - two.grid.offset_s) / two.grid.period_s
    return abs(off - round(off)) * two.grid.period_s <= period_s / 4


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
