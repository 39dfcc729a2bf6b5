"""Standard MIDI files as a flat list of events, timed in quarter notes.

A renderer that is given quarters, not seconds, plays a file at any tempo, fractional ones too:
the file's own tempo, which arrangers round to whole numbers, is never used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DRUM_CHANNEL = 9

_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_NOTE_OFF, _NOTE_ON, _META, _SYSEX, _END_OF_SYSEX = 0x80, 0x90, 0xFF, 0xF0, 0xF7


@dataclass(frozen=True, order=True)
class Event:
    """One channel message.

    Attributes:
        quarters: Time in quarter notes from the start of the file.
        rank: Order among events of one time: controllers, then note ends, then note starts.
        channel: From 0.
        status: Upper half of the status byte: 0x80 note off ... 0xE0 pitch bend.
        data: First data byte (note number, controller, programme).
        value: Second data byte (velocity, value), 0 where there is none.
    """

    quarters: float
    rank: int
    channel: int
    status: int
    data: int
    value: int = 0

    @property
    def is_note_on(self) -> bool:
        """A note starts here."""
        return self.status == _NOTE_ON


def message(quarters: float, channel: int, status: int, data: int, value: int = 0) -> Event:
    """Return an event; a note on of velocity 0 becomes the note off that it means."""
    if status == _NOTE_ON and value == 0:
        status = _NOTE_OFF
    rank = {_NOTE_OFF: 1, _NOTE_ON: 2}.get(status, 0)
    return Event(quarters, rank, channel, status, data, value)


def note(quarters: float, length: float, channel: int, pitch: int, velocity: int) -> list[Event]:
    """Return the events at both ends of a note."""
    return [
        message(quarters, channel, _NOTE_ON, pitch, velocity),
        message(quarters + length, channel, _NOTE_OFF, pitch),
    ]


def read_events(path: str | Path) -> list[Event]:
    """Read the channel messages of all tracks of a file, in order of time.

    Raises:
        ValueError: not a MIDI file, or timed in SMPTE frames.
    """
    data = Path(path).read_bytes()
    if data[:4] != b"MThd":
        raise ValueError(f"{path}: not a MIDI file")
    header_size, _, n_tracks, division = struct.unpack(">IHHH", data[4:14])
    if division & 0x8000:
        raise ValueError(f"{path}: timed in SMPTE frames, not in quarter notes")
    events: list[Event] = []
    at = 8 + header_size
    for _ in range(n_tracks):
        (size,) = struct.unpack(">I", data[at + 4 : at + 8])
        events += _track_events(data[at + 8 : at + 8 + size], division)
        at += 8 + size
    return sorted(events)


def _track_events(data: bytes, ticks_per_quarter: int) -> Iterator[Event]:
    at = ticks = status = 0
    while at < len(data):
        delta, at = _variable_length(data, at)
        ticks += delta
        if data[at] & 0x80:
            status = data[at]
            at += 1
        if status in (_META, _SYSEX, _END_OF_SYSEX):
            at += status == _META  # the kind
            size, at = _variable_length(data, at)
            at += size
            continue
        kind = status & 0xF0
        n_bytes = _DATA_BYTES[kind]
        first, second = data[at], data[at + 1] if n_bytes == 2 else 0
        at += n_bytes
        yield message(ticks / ticks_per_quarter, status & 0x0F, kind, first, second)


def _variable_length(data: bytes, at: int) -> tuple[int, int]:
    """Read a number in groups of 7 bits, and where it ends."""
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def without_drums(events: Iterable[Event]) -> list[Event]:
    """Return the events of all other channels."""
    return [event for event in events if event.channel % 16 != DRUM_CHANNEL]


def only_drums(events: Iterable[Event]) -> list[Event]:
    """Return the events of the drum channel."""
    return [event for event in events if event.channel % 16 == DRUM_CHANNEL]
