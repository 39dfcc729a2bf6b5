"""The tempo map of a Standard MIDI File.

Source: "Standard MIDI-File Format Spec. 1.1" (MIDI Manufacturers Association, RP-001). Charts are
full of MIDI files that break it in their texts and notes, which general readers refuse as a whole;
here everything but tempi and time signatures is skipped, and damage costs the rest of its track.

A tempo is a whole number of microseconds per beat: 352941 stands for 170 BPM. Where there is one
tempo only, it is the roundest that is so written, up to three decimals; half a microsecond a beat
is 0.3 ms after 600 beats. Where there are several, the times of later ones hang on each as it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_TEMPO, _TIME_SIGNATURE, _END_OF_TRACK = 0x51, 0x58, 0x2F
# Data bytes of channel messages, by the upper half of their status.
_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_DEFAULT_BPM = 120.0


class MidiError(ValueError):
    """Bytes that are no MIDI file with beats; says why."""


@dataclass(frozen=True)
class TempoMap:
    """Tempi and meters of a MIDI file.

    Attributes:
        tempi: (quarter note, quarter notes per minute), in order; the first at 0.
        meters: (quarter note, numerator, denominator), in order.
        doubts: What is damaged, a line each.
    """

    tempi: list[tuple[float, float]]
    meters: list[tuple[float, int, int]]
    doubts: tuple[str, ...] = ()


def read_tempo_map(data: bytes) -> TempoMap:
    """Read the tempo map of a MIDI file.

    Raises:
        MidiError: It is none, or counts in frames of film instead of quarter notes.
    """
    if len(data) < 14 or data[:4] != b"MThd":
        raise MidiError("does not begin as a MIDI file; it is damaged, or none")
    (n_header,) = struct.unpack(">I", data[4:8])
    (division,) = struct.unpack(">h", data[12:14])
    if division <= 0:
        raise MidiError("counts in frames, not in beats (SMPTE); nothing to import")
    tempi: list[tuple[float, float]] = []
    meters: list[tuple[float, int, int]] = []
    doubts: list[str] = []
    at, n_tracks = 8 + n_header, 0
    while at + 8 <= len(data):
        name, (n_bytes,) = data[at : at + 4], struct.unpack(">I", data[at + 4 : at + 8])
        track = data[at + 8 : at + 8 + n_bytes]
        at += 8 + n_bytes
        if name != b"MTrk":
            continue
        n_tracks += 1
        try:
            _read_track(track, division, tempi, meters)
            whole = len(track) == n_bytes
        except IndexError:
            whole = False
        if not whole:
            doubts.append(f"its track {n_tracks} is damaged or cut short")
    if not n_tracks:
        raise MidiError("holds no track; it is cut short")
    tempi.sort(key=lambda change: change[0])
    if len({bpm for _, bpm in tempi}) == 1:
        tempi = [(beat, _roundest(bpm)) for beat, bpm in tempi]
    if not tempi or tempi[0][0] > 0:
        tempi.insert(0, (0.0, _DEFAULT_BPM))
    return TempoMap(tempi, sorted(meters), tuple(doubts))


def _roundest(bpm: float) -> float:
    """Return the tempo of fewest decimals, up to three, that is as many microseconds per beat."""
    microseconds = round(60e6 / bpm)
    rounder = (round(bpm, decimals) for decimals in range(4))
    return next((r for r in rounder if r > 0 and abs(60e6 / r - microseconds) < 1), bpm)


def _read_track(
    track: bytes,
    division: int,
    tempi: list[tuple[float, float]],
    meters: list[tuple[float, int, int]],
) -> None:
    """Append a track's tempi and meters; IndexError where it ends too early or makes no sense."""
    at, tick, status = 0, 0, 0
    while at < len(track):
        delta, at = _number(track, at)
        tick += delta
        if track[at] & 0x80:
            status = track[at]
            at += 1
        if status == 0xFF:
            kind = track[at]
            n_bytes, at = _number(track, at + 1)
            payload = track[at : at + n_bytes]
            at += n_bytes
            if kind == _TEMPO and n_bytes == 3:
                microseconds = int.from_bytes(payload, "big")
                if microseconds:
                    tempi.append((tick / division, 60e6 / microseconds))
            elif kind == _TIME_SIGNATURE and n_bytes >= 2:
                meters.append((tick / division, payload[0], 1 << min(payload[1], 16)))
            elif kind == _END_OF_TRACK:
                return
        elif status in (0xF0, 0xF7):
            n_bytes, at = _number(track, at)
            at += n_bytes
        elif status >> 4 in _DATA_BYTES:
            at += _DATA_BYTES[status >> 4]
        else:
            raise IndexError(f"no status {status}")
    if at > len(track):
        raise IndexError("cut short")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, seven bits a byte, and where it ends."""
    value = 0
    for i in range(at, at + 4):
        value = value << 7 | data[i] & 0x7F
        if not data[i] & 0x80:
            return value, i + 1
    raise IndexError("number of more than four bytes")
