"""Protocol Buffers' wire format, as far as a message of numbers needs it.

Source: https://protobuf.dev/programming-guides/encoding/. A message is a list of fields: a key
(number of the field << 3 | wire type, a varint), then a value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


def fields(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Yield number and value of each field of a message.

    Varints are signed integers of 64 bits, fixed64 and fixed32 floating-point numbers; strings and
    messages are bytes.

    Raises:
        ValueError: It is no such message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value - (1 << 64) if value >> 63 else value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")
        content = data[at : at + size]
        if len(content) < size:
            raise ValueError("it ends too soon")
        at += size
        if kind == _BYTES:
            yield number, content
        else:
            yield number, struct.unpack("<d" if kind == _FIXED64 else "<f", content)[0]


def message(data: bytes, number: int) -> bytes | None:
    """Return the last field of a number that is a message; None if there is none.

    Raises:
        ValueError: As ``fields``.
    """
    found = [value for n, value in fields(data) if n == number and isinstance(value, bytes)]
    return found[-1] if found else None


def scalar(data: bytes, number: int) -> float | None:
    """Return the last field of a number that is a scalar; None if there is none.

    Raises:
        ValueError: As ``fields``.
    """
    found = [value for n, value in fields(data) if n == number and not isinstance(value, bytes)]
    return float(found[-1]) if found else None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i, byte in enumerate(data[at : at + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value & (1 << 64) - 1, at + i + 1
    raise ValueError("a number does not end")
