"""Readers of DJ programs' formats: grids are markers, from which beats go on in a tempo."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import mutagen
import numpy as np
from mutagen.id3 import ID3
from pyrekordbox.rbxml import RekordboxXml
from serato_tools.track_beatgrid import TrackBeatgrid
from traktor_nml_utils import TraktorCollection
from traktor_nml_utils.models.collection import Nml

from beatgrid.export.track import ExportTrack
from experiments.exports.readers import BEATS, Found, Reader

# A beat that lies this little before a marker is the marker's.
SAME_S = 1e-4


def rekordbox(path: Path, track: ExportTrack) -> Found:
    """Read a collection with pyrekordbox."""
    for found in RekordboxXml(path).get_tracks():
        if "/" + found.Location.lstrip("/") == str(track.audio):
            grid = [(tempo.Inizio, tempo.Bpm) for tempo in found.tempos]
            return Found(_beats(grid, track), str(track.audio))
    return Found(np.zeros(1), "")


def traktor(path: Path, track: ExportTrack) -> Found:
    """Read a collection with traktor-nml-utils."""
    for entry in TraktorCollection.parser.from_bytes(path.read_bytes(), Nml).collection.entry:
        at = entry.location
        if at.dir.replace("/:", "/") + at.file == str(track.audio):
            cues = [cue for cue in entry.cue_v2 if cue.type == 4]
            grid = [(cue.start / 1000, cue.grid.bpm) for cue in cues]
            return Found(_beats(grid, track), str(track.audio))
    return Found(np.zeros(1), "")


def virtualdj(path: Path, track: ExportTrack) -> Found:
    """Read a database with an XML parser, as VirtualDJ's wiki describes it."""
    for song in ET.parse(path).getroot().findall("Song"):
        scan = song.find("Scan")
        if song.get("FilePath") == str(track.audio) and scan is not None:
            grid = [
                (float(poi.attrib["Pos"]), 60 / float(poi.get("Bpm", scan.attrib["Bpm"])))
                for poi in song.findall("Poi[@Type='beatgrid']")
            ]
            return Found(_beats(grid, track), str(track.audio))
    return Found(np.zeros(1), "")


def serato(path: Path, track: ExportTrack) -> Found:
    """Read a tag that mutagen finds with serato-tools; beats are evenly between markers."""
    tags = mutagen.File(path).tags
    if isinstance(tags, ID3):
        data = tags["GEOB:Serato BeatGrid"].data
    else:
        text = tags["serato_beatgrid"][0][:-1].replace("\n", "")
        data = base64.b64decode(text + "=" * (-len(text) % 4)).split(b"\0", 3)[3]
    *markers, last, _ = TrackBeatgrid(data).entries
    ends_s = [marker.position for marker in (*markers, last)[1:]]
    grid = [
        (marker.position, 60 * marker.beats_till_next_marker / (end_s - marker.position))
        for marker, end_s in zip(markers, ends_s, strict=True)
    ]
    return Found(_beats([*grid, (last.position, last.bpm)], track), path.name)


def _beats(grid: Sequence[tuple[float, float]], track: ExportTrack) -> np.ndarray:
    """Return the beats of markers (seconds, BPM), as many as the track has.

    The first marker's tempo holds before it as well.
    """
    n_beats = len(track.beat_times_s())
    first_s, bpm = grid[0]
    n_before = int(np.floor((first_s + SAME_S) * bpm / 60))
    parts = [first_s - np.arange(n_before, 0, -1) * 60 / bpm]
    for (start_s, bpm), (end_s, _) in zip(grid, [*grid[1:], (np.inf, 0.0)], strict=True):
        count = n_beats if end_s == np.inf else np.ceil((end_s - start_s - SAME_S) * bpm / 60)
        parts.append(start_s + np.arange(int(count)) * 60 / bpm)
    return np.concatenate(parts)[:n_beats]


READERS = [
    Reader("rekordbox", "pyrekordbox", f"{BEATS} by TEMPO, path", rekordbox),
    Reader("traktor", "traktor-nml-utils", f"{BEATS} by grid markers, path", traktor),
    Reader("virtualdj", "ElementTree", f"{BEATS} by anchors, path", virtualdj),
    Reader("serato", "serato-tools", f"{BEATS} by markers, name", serato),
]
