"""Audacity label tracks: start, end and text, separated by tabs (File > Import > Labels).

Format: https://manual.audacityteam.org/man/importing_and_exporting_labels.html
"""

from __future__ import annotations

from beatgrid.export.bars import bar_numbers
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack


def render(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a point label for each beat, ``bar.beat``; just its number without downbeats."""
    bars, positions = bar_numbers(track), track.bar_positions()
    lines = []
    for i, time_s in enumerate(track.beat_times_s()):
        text = f"{bars[i]}.{positions[i]}" if track.downbeat_known else str(i + 1)
        lines.append(f"{time_s:.6f}\t{time_s:.6f}\t{text}\n")
    return "".join(lines).encode()
