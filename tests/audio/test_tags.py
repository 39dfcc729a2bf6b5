"""The tempo in a file's tags, as programs write it."""

import struct

import av
import numpy as np
import pytest

from beatgrid.audio.tags import read_bpm_tag

RATE = 48000


def write(path, codec, tags):
    """Write a second of sound with tags."""
    samples = (8000 * np.sin(np.arange(RATE) / 20)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = RATE
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        context = stream.codec_context
        context.open()
        resampler = av.AudioResampler(context.format, "mono", RATE, context.frame_size or 1024)
        for piece in (*resampler.resample(frame), *resampler.resample(None), None):
            container.mux(stream.encode(piece))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "tags", "bpm"),
    [
        ("a.mp3", "mp3", {"title": "x", "TBPM": "127.97"}, 127.97),
        ("a.mp3", "mp3", {"TBPM": "128 BPM"}, 128.0),
        ("a.flac", "flac", {"BPM": "174"}, 174.0),
        ("a.flac", "flac", {"bpm": "99,5"}, 99.5),
        ("a.ogg", "libopus", {"BPM": "140"}, 140.0),
        ("a.m4a", "aac", {"tmpo": "93"}, 93.0),
        ("a.mka", "pcm_s16le", {"BPM": "122"}, 122.0),
    ],
)
def test_tempo_in_the_tags(tmp_path, name, codec, tags, bpm):
    assert read_bpm_tag(write(tmp_path / name, codec, tags)) == bpm


@pytest.mark.parametrize(
    ("name", "codec", "tags"),
    [
        ("a.mp3", "mp3", {}),
        ("a.mp3", "mp3", {"TBPM": "0"}),
        ("a.mp3", "mp3", {"TBPM": "fast"}),
        ("a.flac", "flac", {"BPM": "-120"}),
        ("a.flac", "flac", {"BPM": "100000"}),
        ("a.m4a", "aac", {"title": "x"}),
    ],
)
def test_no_tempo_in_the_tags(tmp_path, name, codec, tags):
    assert read_bpm_tag(write(tmp_path / name, codec, tags)) is None


def test_damaged_files_have_no_tempo(tmp_path):
    good = write(tmp_path / "good.m4a", "aac", {"tmpo": "93"}).read_bytes()
    place = good.index(b"tmpo")
    for name, data in (
        ("empty", b""),
        ("noise", bytes(range(256)) * 20),
        ("cut", good[: place + 6]),
        ("size_0", good[: place - 4] + struct.pack(">I", 0) + good[place:]),
        ("size_1", good[: place - 4] + struct.pack(">I", 1) + good[place:]),
        ("size_4", good[: place - 4] + struct.pack(">I", 4) + good[place:]),
    ):
        path = tmp_path / f"{name}.m4a"
        path.write_bytes(data)
        assert read_bpm_tag(path) in (None, 93.0)
    assert read_bpm_tag(tmp_path / "missing.mp3") is None
