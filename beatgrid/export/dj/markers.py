"""Grids as markers, each on a beat with the tempo from there on: what most DJ programs keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from beatgrid.export.track import ExportTrack


@dataclass(frozen=True)
class Marker:
    """A marker on a beat.

    Attributes:
        time_s: The beat.
        bpm: Tempo from there on.
        n_beats: Beats up to the next marker; those of the track behind the last one.
    """

    time_s: float
    bpm: float
    n_beats: int


def markers(track: ExportTrack) -> list[Marker]:
    """Return the markers of a track.

    A constant grid has one, on its first downbeat: programs continue it in both directions. Where
    the tempo changes, each span begins with one; if that is no downbeat, the span's first
    downbeat has another, since programs count bars from markers.
    """
    if not track.is_piecewise:
        return list(_of_span(track, 0))[-1:]
    return [marker for i in range(len(track.spans)) for marker in _of_span(track, i)]


def _of_span(track: ExportTrack, index: int) -> Iterator[Marker]:
    span = track.spans[index]
    to_downbeat = (1 - span.first_bar_position) % track.beats_per_bar
    if not track.downbeat_known or not 0 < to_downbeat < span.n_beats:
        yield Marker(span.first_beat_s, span.bpm, span.n_beats)
        return
    yield Marker(span.first_beat_s, span.bpm, to_downbeat)
    downbeat_s = span.first_beat_s + to_downbeat * span.period_s
    yield Marker(downbeat_s, span.bpm, span.n_beats - to_downbeat)
