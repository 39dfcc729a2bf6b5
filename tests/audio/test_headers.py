"""What the headers of audio files say of their length."""

import contextlib
import re
import struct
from pathlib import Path

import pytest
import soundfile

from beatgrid.audio.decoders import Source
from beatgrid.audio.headers import missing_ogg_bytes, present_share, read_mp3_tag
from beatgrid.audio.reader import load_audio
from beatgrid.errors import AudioError
from tests.audio.test_reader import clicks, encode, noise


def test_mp3_tag_numbers(tmp_path):
    path = encode(tmp_path / "a.mp3", "libmp3lame", clicks())
    tag = read_mp3_tag(path)
    assert tag.kind == "lame"
    assert tag.stream_bytes == tag.audio_bytes
    assert tag.declared_s == 0.0  # all of it is there
    assert tag.duration_s == pytest.approx(6.0, abs=3 * 1152 / 44100)
    vbri = bytearray(path.read_bytes())
    start = vbri.index(b"\xff\xfb")
    vbri[start + 4 : start + 200] = bytes(196)
    vbri[start + 36 : start + 54] = b"VBRI" + bytes(6) + struct.pack(">II", 48_000, 230)
    path.write_bytes(vbri)
    tag = read_mp3_tag(path)
    assert (tag.kind, tag.audio_bytes) == ("vbri", 48_000)
    assert tag.duration_s == pytest.approx(230 * 1152 / 44100)
    path.write_bytes(vbri[:40_000])
    assert read_mp3_tag(path).declared_s == pytest.approx(230 * 1152 / 44100)


@pytest.mark.parametrize("encoder", ["libsndfile", "libavcodec"])
def test_an_mp3_with_lames_tag_states_its_decoded_length(encoder, tmp_path):
    path = tmp_path / "a.mp3"
    if encoder == "libsndfile":
        soundfile.write(path, noise(3)[:123_456], 44100)
    else:
        encode(path, "libmp3lame", noise(3)[:123_456])
    n_decoded = round(load_audio(path).duration_s * 44100)
    assert read_mp3_tag(path).n_samples == n_decoded
    with contextlib.ExitStack() as stack:
        assert Source(path, stack).n_frames == n_decoded
    path.write_bytes(path.read_bytes()[:-500])
    with contextlib.ExitStack() as stack:
        assert Source(path, stack).n_frames is None


def test_headers_of_other_files(tmp_path):
    soundfile.write(tmp_path / "a.flac", noise(1), 44100)
    encode(tmp_path / "a.aac", "aac", noise(1))
    for name in ("a.flac", "a.aac"):
        assert read_mp3_tag(tmp_path / name) is None
        assert present_share(tmp_path / name) == 1.0
        assert missing_ogg_bytes(tmp_path / name) == 0


def test_a_wav_of_open_length_counts_as_complete(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(1), 44100)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    at = content.index(b"data") + 4
    # As recorders, pipes and sox leave it.
    for size in (0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF - 36):
        content[at : at + 4] = struct.pack("<I", size)
        (tmp_path / "a.wav").write_bytes(content)
        assert present_share(tmp_path / "a.wav") == 1.0
        assert load_audio(tmp_path / "a.wav").duration_s == 1.0
    content[at : at + 4] = struct.pack("<I", 4 * 44100)
    (tmp_path / "a.wav").write_bytes(content)
    assert present_share(tmp_path / "a.wav") == pytest.approx(0.5)
    assert re.search("cut short", _message(tmp_path / "a.wav"))


def _message(path: Path) -> str:
    with pytest.raises(AudioError) as caught:
        load_audio(path)
    return str(caught.value)
