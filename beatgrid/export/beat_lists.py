"""Lists of beats as CSV, for spreadsheets and programs of one's own."""

from __future__ import annotations

import csv
import io

import numpy as np

from beatgrid.export.bars import bar_numbers
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack

COLUMNS = ("time_s", "bar", "beat", "bpm")


def render_csv(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a row for each beat: time, bar, place in the bar, tempo up to the next beat.

    Bar and place are empty where the downbeat is not known.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    times_s, bars, positions = track.beat_times_s(), bar_numbers(track), track.bar_positions()
    starts_s = [span.first_beat_s - 1e-9 for span in track.spans]
    span = np.maximum(np.searchsorted(starts_s, times_s, "right") - 1, 0)
    for i, time_s in enumerate(times_s):
        place = (int(bars[i]), int(positions[i])) if track.downbeat_known else ("", "")
        writer.writerow((f"{time_s:.6f}", *place, f"{track.spans[span[i]].bpm:.9g}"))
    return text.getvalue().encode()
