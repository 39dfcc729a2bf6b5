"""Audacity label tracks: start, end and text, separated by tabs (File > Import > Labels).

Format: https://manual.audacityteam.org/man/importing_and_exporting_labels.html
"""

from __future__ import annotations

from beatgrid.export.bars import beat_labels
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack


def render(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a point label for each beat, ``bar.beat``; just its number without downbeats."""
    labels = zip(track.beat_times_s(), beat_labels(track), strict=True)
    return "".join(f"{time_s:.6f}\t{time_s:.6f}\t{label}\n" for time_s, label in labels).encode()
