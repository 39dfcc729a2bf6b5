"""Clocks of other programs."""

import dataclasses

import pytest
import soundfile

from beatgrid.audio.headers import lame_tag_is_valid
from beatgrid.errors import BeatgridError
from beatgrid.export.timebase import mp3_case, shift_ms
from beatgrid.rendering.generator import click_track
from tests.audio.test_reader import encode
from tests.export.tracks import constant_track

FRAME_MS = 1000 * 1152 / 44100


@pytest.fixture
def mp3(tmp_path):
    path = tmp_path / "a.mp3"
    soundfile.write(path, click_track(120.0, 0.1, 2.0), 44100)
    return path


def of(path, tag="lame", **fields):
    return constant_track(audio=path, mp3_tag=tag, codec="mp3", **fields)


def test_the_checksum_of_a_lame_tag(mp3, tmp_path):
    assert lame_tag_is_valid(mp3) is True
    data = bytearray(mp3.read_bytes())
    at = data.find(b"LAME") + 34
    for changed in (b"\0\0", b"\x12\x34"):
        data[at : at + 2] = changed
        mp3.write_bytes(data)
        assert lame_tag_is_valid(mp3) is False
    assert (
        lame_tag_is_valid(encode(tmp_path / "b.mp3", "libmp3lame", click_track(120.0, 0.1, 2.0)))
        is None
    )
    (tmp_path / "c.mp3").write_bytes(b"x" * 1000)
    assert lame_tag_is_valid(tmp_path / "c.mp3") is None


def test_the_cases_of_mp3(mp3, tmp_path):
    assert mp3_case(of(mp3)) == "D"
    data = bytearray(mp3.read_bytes())
    at = data.find(b"LAME") + 34
    data[at : at + 2] = b"\0\0"
    (tmp_path / "zero.mp3").write_bytes(data)
    assert mp3_case(of(tmp_path / "zero.mp3")) == "C"
    lavc = encode(tmp_path / "lavc.mp3", "libmp3lame", click_track(120.0, 0.1, 2.0))
    assert mp3_case(of(lavc)) == "B"
    assert mp3_case(of(mp3, "xing")) == "B"
    assert mp3_case(of(mp3, "none")) == mp3_case(of(mp3, "vbri")) == "A"
    assert mp3_case(of(tmp_path / "gone.mp3")) == "D"
    assert mp3_case(constant_track()) is None


@pytest.mark.parametrize(
    ("program", "tag", "frames"),
    [
        *(("rekordbox", "lame", 1), ("rekordbox", "none", 0), ("rekordbox", "xing", 0)),
        *(("traktor", "lame", 1), ("traktor", "none", 0), ("traktor", "xing", 1)),
        *(("serato", "lame", 1), ("serato", "none", 1), ("Serato", "xing", 1)),
        *(("mixxx", "lame", 0), ("mixxx", "none", 0)),
    ],
)
def test_programs_differ_by_frames(mp3, program, tag, frames):
    assert shift_ms(of(mp3, tag), program) == pytest.approx(frames * FRAME_MS)
    assert shift_ms(of(mp3, tag), "auto", program.lower()) == pytest.approx(frames * FRAME_MS)


def test_a_frame_lasts_shorter_at_higher_rates(mp3):
    track = dataclasses.replace(of(mp3), sample_rate=48000)
    assert shift_ms(track, "serato") == pytest.approx(24.0)
    track = dataclasses.replace(of(mp3), sample_rate=22050)
    assert shift_ms(track, "serato") == pytest.approx(1000 * 576 / 22050)


def test_only_mp3_and_aac_are_shifted(mp3):
    wav = constant_track(codec="PCM_16")
    mp4 = constant_track(codec="aac")
    adts = constant_track(codec="aac", timebase="raw aac: encoder delay kept")
    assert [shift_ms(t, 26.0) for t in (wav, mp4, adts, of(mp3))] == [0, 26, 26, 26]
    assert [shift_ms(t, "rekordbox") for t in (wav, mp4, adts)] == [0, 48, 0]
    assert [shift_ms(t, "traktor") for t in (wav, mp4)] == [0, 0]
    assert shift_ms(of(mp3), None) == 0
    assert shift_ms(of(mp3), "auto") == 0
    assert shift_ms(of(mp3), "auto", "virtualdj") == 0


def test_unknown_programs_are_refused(mp3):
    with pytest.raises(BeatgridError, match=r"export\.timebase=winamp: must be milliseconds, auto"):
        shift_ms(of(mp3), "winamp")


def test_stepmania_plays_what_the_encoder_put_first(mp3, tmp_path):
    """576 samples of LAME's, 529 of any decoder's; and the frame of a tag of constant bit rate."""
    delay_ms = 1000 * 1105 / 44100
    data = mp3.read_bytes()
    name = b"Info" if b"Info" in data else b"Xing"
    for tag, frames in ((b"Xing", 0), (b"Info", 1)):
        path = tmp_path / f"{tag.decode()}.mp3"
        path.write_bytes(data.replace(name, tag, 1))
        assert shift_ms(of(path), "stepmania") == pytest.approx(delay_ms + frames * FRAME_MS)
        at = data.find(b"LAME")
        path.write_bytes((data[:at] + b"GOGO" + data[at + 4 :]).replace(name, tag, 1))
        assert shift_ms(of(path, "xing"), "stepmania") == pytest.approx(frames * FRAME_MS)
    (tmp_path / "none.mp3").write_bytes(data.replace(name, b"\0\0\0\0", 1))
    assert shift_ms(of(tmp_path / "none.mp3", "none"), "stepmania") == 0
    assert shift_ms(constant_track(codec="vorbis"), "stepmania") == 0
