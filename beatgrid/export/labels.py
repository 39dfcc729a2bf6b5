"""Label files of this project, as drafts for a person to correct."""

from __future__ import annotations

import json

from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack


def render(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a label (``data/README.md``): its downbeat is reliable only if the result is locked.

    A label without known bars says so, and does not supervise them.
    """
    span = track.spans[0]
    to_downbeat = -(span.first_bar_position - 1) % track.beats_per_bar
    downbeat = "reliable" if track.locked else "likely"
    label = {
        "fileName": track.audio.name,
        "bpm": span.bpm,
        "duration": track.duration_s,
        "downbeatOffset": span.first_beat_s + to_downbeat * span.period_s,
        "beatsPerBar": track.beats_per_bar,
        "downbeat": downbeat if track.downbeat_known else "unknown",
    }
    return (json.dumps(label, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
