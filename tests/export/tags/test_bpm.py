"""BPM tags: what other readers find."""

import av
import pytest
from mutagen.mp4 import MP4

from beatgrid.audio.tags import read_bpm_tag
from beatgrid.export.options import ExportOptions
from beatgrid.export.tags.bpm import write
from tests.export.dj.tracks import changing, constant
from tests.export.tags.sounds import KINDS, make


def ffmpeg_tags(path):
    """Tags as FFmpeg reads them, keys in lower case."""
    with av.open(str(path)) as container:
        found = dict(container.metadata)
        for stream in container.streams:
            found |= stream.metadata
    return {key.lower(): value for key, value in found.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("bpm", "text", "whole"), [(128.0, "128", 128), (127.974, "127.97", 128), (92.5, "92.5", 93)]
)
def test_what_is_written(tmp_path, kind, bpm, text, whole):
    path = make(tmp_path, kind)
    write(constant(path, bpm=bpm), path, ExportOptions())
    if kind == "m4a":
        assert MP4(path)["tmpo"] == [whole]
        assert read_bpm_tag(path) == whole
        return
    tags = ffmpeg_tags(path)
    assert (tags.get("tbpm") or tags.get("bpm")) == text
    assert read_bpm_tag(path) == float(text)


def test_a_changing_tempo_states_that_of_most_beats(tmp_path):
    path = make(tmp_path, "flac")
    write(changing(path), path, ExportOptions())
    assert read_bpm_tag(path) == 140
