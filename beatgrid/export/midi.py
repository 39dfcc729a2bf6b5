"""MIDI files whose tempo map puts every beat of a track on a beat of the sequencer."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import numpy as np

from beatgrid.errors import BeatgridError
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack
from beatgrid.grid import FloatArray

TICKS_PER_BEAT = 480
# A tempo is a whole number of microseconds per beat: after so many beats it is off by 0.2 ms at
# most, and the next ones make up for it.
_MAX_BEATS = 400
_MAX_TEMPO_US = (1 << 24) - 1
_MAX_NUMERATOR = 255
_MAX_LEAD_IN = 100
# A first beat this early is at the start; MIDI has no time for less.
_EARLIEST_S = 0.0005

# General MIDI's percussion channel, with metronome bell and click.
_CHANNEL = 9
_BELL, _CLICK = 34, 33
_CLICK_TICKS = TICKS_PER_BEAT // 8


def render(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a MIDI file that begins with the audio: tempo map, bar markers, a track of clicks.

    All events lie on beats, so that nothing is rounded to ticks. What precedes the first downbeat
    is a bar of its own: the time up to the first beat is one beat or several of another tempo.

    Raises:
        BeatgridError: mido is not installed, or the beats are too far apart for MIDI.
    """
    try:
        import mido
    except ImportError as error:
        raise BeatgridError(
            "MIDI files need mido; install it with pip install 'beatgrid[midi]'"
        ) from error
    times_s, n_lead_in = _with_lead_in(track)
    positions = np.concatenate((np.zeros(n_lead_in, dtype=np.int64), track.bar_positions()))
    conductor: list[tuple[int, mido.MetaMessage]] = [
        (0, mido.MetaMessage("track_name", name=track.name))
    ]
    for beat, tempo_us in _tempi(times_s):
        if tempo_us > _MAX_TEMPO_US:
            raise BeatgridError(f"beat {beat} lasts {tempo_us / 1e6:.1f} s, MIDI holds 16.7 s")
        conductor.append((beat, mido.MetaMessage("set_tempo", tempo=tempo_us)))
    for beat, numerator in _signatures(positions, track.beats_per_bar):
        message = mido.MetaMessage("time_signature", numerator=numerator, denominator=4)
        conductor.append((beat, message))
    if track.downbeat_known:
        for bar, downbeat in enumerate(np.flatnonzero(positions == 1), 1):
            conductor.append((int(downbeat), mido.MetaMessage("marker", text=f"bar {bar}")))
    clicks = mido.MidiTrack([mido.MetaMessage("track_name", name="clicks")])
    for beat in range(n_lead_in, len(times_s)):
        note = _BELL if positions[beat] == 1 and track.downbeat_known else _CLICK
        wait = TICKS_PER_BEAT - _CLICK_TICKS if beat > n_lead_in else TICKS_PER_BEAT * n_lead_in
        velocity = 120 if note == _BELL else 90
        clicks.append(
            mido.Message("note_on", channel=_CHANNEL, note=note, velocity=velocity, time=wait)
        )
        clicks.append(mido.Message("note_off", channel=_CHANNEL, note=note, time=_CLICK_TICKS))
    file = mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    map_track = mido.MidiTrack()
    before = 0
    for beat, message in sorted(conductor, key=lambda entry: entry[0]):
        map_track.append(message.copy(time=(beat - before) * TICKS_PER_BEAT))
        before = beat
    file.tracks += [map_track, clicks]
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def _with_lead_in(track: ExportTrack) -> tuple[FloatArray, int]:
    """Return beat times from 0 on, and how many of them are put in before the first."""
    times_s = track.beat_times_s()
    first_s = float(times_s[0])
    if first_s < _EARLIEST_S:
        return np.concatenate(([0.0], times_s[1:])), 0
    n_beats = min(_MAX_LEAD_IN, max(1, round(first_s / track.spans[0].period_s)))
    return np.concatenate((np.arange(n_beats) * first_s / n_beats, times_s)), n_beats


def _tempi(times_s: FloatArray) -> Iterator[tuple[int, int]]:
    """Yield beat and microseconds per beat from there on, wherever they change.

    A tempo is chosen from where the ones before really lead to: errors do not add up.
    """
    period_us = np.diff(times_s) * 1e6
    # Beats of one tempo, to what rounding of times makes of it.
    changes = np.flatnonzero(np.abs(np.diff(period_us)) > 0.01) + 1
    edges = [0, *map(int, changes), len(period_us)]
    reached_us, tempo_us = 0, 0
    for start, end in itertools.pairwise(edges):
        for first in range(start, end, _MAX_BEATS):
            last = min(end, first + _MAX_BEATS)
            wanted = max(1, round((times_s[last] * 1e6 - reached_us) / (last - first)))
            if wanted != tempo_us:
                yield first, wanted
            tempo_us = wanted
            reached_us += tempo_us * (last - first)
    if not len(period_us):
        yield 0, 500_000


def _signatures(positions: np.ndarray, beats_per_bar: int) -> Iterator[tuple[int, int]]:
    """Yield beat and beats per bar from there on, wherever they change."""
    downbeats = [int(beat) for beat in np.flatnonzero(positions == 1)]
    edges = sorted({0, *downbeats})
    numerator = 0
    for first, end in zip(edges, [*edges[1:], None], strict=True):
        wanted = beats_per_bar if end is None and first in downbeats else 0
        wanted = wanted or (end or len(positions)) - first
        wanted = min(wanted, _MAX_NUMERATOR)
        if wanted != numerator:
            yield first, wanted
        numerator = wanted
