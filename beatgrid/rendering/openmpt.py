"""Tracker modules to samples through libopenmpt, with the time at which every row began."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beatgrid.errors import BeatgridError

SAMPLE_RATE = 44100
BLOCK = 16  # samples per read, and so the resolution at which a row's start is known: 0.4 ms
_LIBRARY = "libopenmpt.so.0"
_STOP = (b"play.at_end", b"stop")  # without it a quarter of a second of the repeat is faded out


@dataclass(frozen=True)
class Row:
    """One row as it was played.

    Attributes:
        start: Sample at which the block begins in which the row does.
        order: Position in the list of patterns.
        row: Number within the pattern.
        speed: Ticks per row.
        tempo: In the module's unit; a tick lasts 2.5 / tempo seconds.
        rows_per_beat: What the pattern says, or the format's default.
    """

    start: int
    order: int
    row: int
    speed: int
    tempo: int
    rows_per_beat: int


@functools.cache
def library() -> ctypes.CDLL | None:
    """Load the library with its signatures; None where it is not installed."""
    try:
        lib = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    handle, number = ctypes.c_void_p, ctypes.c_int32
    lib.openmpt_module_create_from_memory2.argtypes = [
        *(ctypes.c_char_p, ctypes.c_size_t),
        *([ctypes.c_void_p] * 7),
    ]
    lib.openmpt_module_create_from_memory2.restype = handle
    lib.openmpt_module_destroy.argtypes = [handle]
    lib.openmpt_module_destroy.restype = None
    lib.openmpt_module_ctl_set_text.argtypes = [handle, ctypes.c_char_p, ctypes.c_char_p]
    lib.openmpt_module_set_repeat_count.argtypes = [handle, number]
    lib.openmpt_module_read_float_mono.argtypes = [
        *(handle, number, ctypes.c_size_t, ctypes.c_void_p)
    ]
    lib.openmpt_module_read_float_mono.restype = ctypes.c_size_t
    lib.openmpt_module_get_current_estimated_bpm.argtypes = [handle]
    lib.openmpt_module_get_current_estimated_bpm.restype = ctypes.c_double
    for name in ("order", "row", "speed", "tempo"):
        getattr(lib, f"openmpt_module_get_current_{name}").argtypes = [handle]
    return lib


def require_library() -> ctypes.CDLL:
    """Return the library.

    Raises:
        BeatgridError: It is not installed.
    """
    lib = library()
    if lib is None:
        raise BeatgridError(f"{_LIBRARY} is missing; experiments/results/install.sh installs it")
    return lib


def play(content: bytes, max_duration_s: float) -> tuple[NDArray[np.float32], list[Row]]:
    """Render a module once through, up to its repeat.

    Args:
        content: The module file.
        max_duration_s: Where to stop a longer one.

    Returns:
        float32 (samples,) mono at ``SAMPLE_RATE``, and its rows in the order played.

    Raises:
        BeatgridError: libopenmpt is missing or does not know the format.
    """
    lib = require_library()
    silent = ctypes.cast(lib.openmpt_log_func_silent, ctypes.c_void_p)  # else it writes to stderr
    module = lib.openmpt_module_create_from_memory2(content, len(content), silent, *([None] * 6))
    if not module:
        raise BeatgridError("no tracker module that libopenmpt knows")
    try:
        lib.openmpt_module_ctl_set_text(module, *_STOP)
        lib.openmpt_module_set_repeat_count(module, 0)
        return _play(lib, module, int(max_duration_s * SAMPLE_RATE))
    finally:
        lib.openmpt_module_destroy(module)


def _play(lib: ctypes.CDLL, module: int, max_samples: int) -> tuple[NDArray[np.float32], list[Row]]:
    samples = np.zeros(max_samples // BLOCK * BLOCK, np.float32)
    address, rows, last, start = samples.ctypes.data, [], None, 0
    read = lib.openmpt_module_read_float_mono
    order, row = lib.openmpt_module_get_current_order, lib.openmpt_module_get_current_row
    while start < len(samples):
        n_read = read(module, SAMPLE_RATE, BLOCK, address + 4 * start)
        if n_read == 0:
            break
        here = (order(module), row(module))
        if here != last:
            rows.append(_row(lib, module, start, *here))
            last = here
        start += n_read
    if rows and rows[-1].start >= start - BLOCK:  # at the end: the first row of the repeat
        rows.pop()
    return samples[:start], rows


def _row(lib: ctypes.CDLL, module: int, start: int, order: int, row: int) -> Row:
    speed = lib.openmpt_module_get_current_speed(module)
    tempo = lib.openmpt_module_get_current_tempo(module)
    # The pattern's own rows per beat have no function in libopenmpt 0.6, but its estimate of the
    # BPM is made from them. The estimate counts the truncated ticks that are played: hence round().
    bpm = lib.openmpt_module_get_current_estimated_bpm(module)
    return Row(
        start=start,
        order=order,
        row=row,
        speed=speed,
        tempo=tempo,
        rows_per_beat=max(1, round(24 * tempo / (speed * bpm))) if speed * bpm > 0 else 4,
    )
