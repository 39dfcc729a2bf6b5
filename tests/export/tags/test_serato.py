"""Serato's beat grid, read by serato-tools."""

import base64
import struct

import mutagen
import numpy as np
import pytest
from mutagen.id3 import ID3
from serato_tools.track_beatgrid import TrackBeatgrid

from beatgrid.export.options import ExportOptions
from beatgrid.export.tags.serato import as_text, beat_grid, write
from tests.export.dj.tracks import TRACKS, changing, constant, worst_ms
from tests.export.tags.sounds import KINDS, make

ENVELOPE = b"application/octet-stream\0\0Serato BeatGrid\0"


def content(path):
    """The tag's content, out of the file's own form of it."""
    tags = mutagen.File(path).tags
    if isinstance(tags, ID3):
        frame = type(tags)(path, translate=False)["GEOB:Serato BeatGrid"]
        assert (frame.mime, frame.filename) == ("application/octet-stream", "")
        return frame.data
    if path.suffix == ".m4a":
        (value,) = tags["----:com.serato.dj:beatgrid"]
        return unwrapped(bytes(value).decode())
    (value,) = tags["serato_beatgrid"]
    return unwrapped(value)


def unwrapped(text: str) -> bytes:
    """Undo the text form as Mixxx does: without the last character, padding or not."""
    lines = text[:-1].split("\n")
    assert all(len(line) == 72 for line in lines[:-1])
    encoded = "".join(lines)
    data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    assert data.startswith(ENVELOPE)
    return data.removeprefix(ENVELOPE)


def beats(data: bytes, until_s: float):
    """Beats of a grid: evenly between markers, at the last one's BPM behind it."""
    *markers, last, _ = TrackBeatgrid(data).entries
    found: list[float] = []
    for marker, following in zip(markers, (*markers, last)[1:], strict=True):
        share = np.arange(marker.beats_till_next_marker) / marker.beats_till_next_marker
        found.extend(marker.position + share * (following.position - marker.position))
    n_left = int(np.ceil((until_s - last.position) * last.bpm / 60))
    return np.array([*found, *(last.position + np.arange(n_left) * 60 / last.bpm)])


@pytest.mark.parametrize("track", TRACKS)
def test_grid_as_a_reader_sees_it(track):
    data = beat_grid(track)
    first_s = TrackBeatgrid(data).entries[0].position
    true_s = track.beat_times_s()
    after = true_s[true_s >= first_s - 1e-4]
    # Positions have 24 bits: 0.1 ms after half an hour.
    assert worst_ms(beats(data, after[-1] + 0.01), after) < 0.25


def test_a_constant_grid_is_one_marker_on_its_first_downbeat():
    terminal, _ = TrackBeatgrid(beat_grid(constant(bpm=127.5, first_s=0.25, bar=4))).entries
    assert terminal.position == pytest.approx(0.25 + 60 / 127.5, abs=1e-7)
    assert terminal.bpm == 127.5


def test_the_bytes_that_serato_writes():
    # A file of Serato DJ Pro's: 0.2548582 s, 115 BPM, and Mixxx's copy of its FLAC form.
    data = b"\x01\x00\0\0\0\x01" + struct.pack(">ff", 0.2548582, 115.0) + b"\0"
    assert TrackBeatgrid(data).entries[0].bpm == 115.0
    text = as_text(data)
    assert text.startswith("YXBwbGljYXRpb24vb2N0ZXQtc3RyZWFtAABTZXJhdG8gQmVhdEdyaWQAAQAAAAABPoJ8")
    assert (len(text), text.index("\n")) == (78, 72)


@pytest.mark.parametrize("kind", KINDS)
def test_in_every_kind_of_file(tmp_path, kind):
    path = make(tmp_path, kind)
    track = changing(path)
    write(track, path, ExportOptions())
    assert content(path) == beat_grid(track)
    if path.suffix in (".mp3", ".aiff"):  # which serato-tools opens itself
        assert TrackBeatgrid(str(path)).raw_data == beat_grid(track)


@pytest.mark.parametrize("track", TRACKS)
def test_mixxx_takes_it(track):
    """Mixxx refuses whole grids for what is checked here (src/track/serato/beatgrid.cpp)."""
    data = beat_grid(track)
    version, n_markers = struct.unpack_from(">HI", data)
    assert (version, len(data)) == (0x0100, 6 + 8 * n_markers + 1)
    *markers, last, _ = TrackBeatgrid(data).entries
    positions = [marker.position for marker in (*markers, last)]
    assert positions[0] >= 0
    assert (np.diff(positions) > 0).all()
    assert all(marker.beats_till_next_marker > 0 for marker in markers)
    assert last.bpm > 0
    assert unwrapped(as_text(data)) == data
