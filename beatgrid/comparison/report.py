"""A comparison as plain values: what every table, page and file is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from beatgrid.comparison.agreement import Agreement, Alone
from beatgrid.evaluation.paired import Pairing

UNBIASED = "_unbiased"
"""Ends the name of a statistic of grids without the system's own bias."""


@dataclass(frozen=True)
class Value:
    """A summary over tracks.

    Attributes:
        value: None where no track allows it.
        interval: Bootstrap interval over tracks, 95 %; None where it was not asked for.
    """

    value: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Cost:
    """What a system takes on one core.

    Attributes:
        wall_s: Seconds for a minute of audio, median over tracks.
        cpu_s: Processor seconds for a minute of audio, likewise.
        peak_mb: Largest resident memory on any track.
        size_mb: Of what it needs on disk.
    """

    wall_s: float | None
    cpu_s: float | None
    peak_mb: float | None
    size_mb: float | None


@dataclass(frozen=True)
class SystemReport:
    """All about one system.

    Attributes:
        name: Of the system.
        kind: What it answers.
        about: Method and source.
        licence: Of code and models.
        version: As installed.
        n_failed: Tracks without an answer because it failed.
        n_none: Tracks on which it found nothing.
        cost: What it takes.
        summary: Statistics by name; empty without labels.
        levels: Tracks at each level; empty without labels.
        by_tempo: Statistics by range of the true tempo: ``n_tracks`` and rates.
    """

    name: str
    kind: str
    about: str
    licence: str
    version: str
    n_failed: int
    n_none: int
    cost: Cost
    summary: Mapping[str, Value] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)
    by_tempo: Mapping[str, Mapping[str, Value | int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """beatgrid and a peer on the same tracks.

    Attributes:
        peer: Its name.
        by: Statistic that says what right means.
        pairing: Who is right where; beatgrid is the first.
        peer_wins: Tracks that only the peer has right.
    """

    peer: str
    by: str
    pairing: Pairing
    peer_wins: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A comparison.

    Attributes:
        n_tracks: Compared ones.
        hours: Of audio.
        labelled: Whether there are labels.
        systems: beatgrid first.
        pairs: By peer and statistic; empty without labels.
        agreements: Of each two systems.
        alone: Where beatgrid stands alone.
        tracks: Per track, what each system answered.
        left_out: Systems that did not take part, and why.
        failures: Tracks and systems that failed, and why.
    """

    n_tracks: int
    hours: float
    labelled: bool
    systems: Sequence[SystemReport]
    pairs: Sequence[Pair]
    agreements: Sequence[Agreement]
    alone: Sequence[Alone]
    tracks: Sequence[Mapping[str, Any]]
    left_out: Mapping[str, str]
    failures: Sequence[str]

    def plain(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return dataclasses.asdict(self)
