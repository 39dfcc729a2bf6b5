"""Tracker modules made for the tests: rows as a player reports them, and a whole file."""

import struct

import numpy as np

from beatgrid.rendering.openmpt import BLOCK, SAMPLE_RATE, Row


def rows_of(ticks, tempo=125, rows_per_beat=4, pattern_rows=64):
    """Rows as the player would report them, of so many ticks each, and the sample after them."""
    at = np.concatenate([[0], np.cumsum(ticks)]) * int(2.5 * SAMPLE_RATE / tempo)
    rows = [
        Row(start // BLOCK * BLOCK, *divmod(i, pattern_rows), ticks[i], tempo, rows_per_beat)
        for i, start in enumerate(at[:-1].tolist())
    ]
    return rows, int(at[-1])


def mod_file(n_patterns=2, every=4, speed=6, tempo=125):
    """A ProTracker module of four channels whose only sample, a click, is played on every n-th row.

    A low rate puts an amplitude of 1 on the click's first sample and silence behind.
    """
    click = np.zeros(64, np.int8)
    click[2:34] = 127 * (-1) ** np.arange(32)  # the first word holds the loop of old players
    header = b"click".ljust(20, b"\0")
    header += struct.pack(">22sHBBHH", b"click", len(click) // 2, 0, 64, 0, 1)
    header += struct.pack(">22sHBBHH", b"", 0, 0, 64, 0, 1) * 30
    header += bytes([n_patterns, 127]) + bytes(range(n_patterns)).ljust(128, b"\0") + b"M.K."
    silent = bytes(4)
    note = struct.pack(">HBB", 214, 0x10, 0)  # C-3 of sample 1
    body = b""
    for row in range(64):
        first = row == 0
        body += note if row % every == 0 else silent
        body += bytes([0, 0, 0xF, speed]) if first else silent
        body += bytes([0, 0, 0xF, tempo]) if first else silent
        body += silent
    return header + body * n_patterns + click.tobytes()
