"""Which decoder reads what, and that nothing a file holds breaks more than itself."""

import struct
import tracemalloc

import av
import numpy as np
import pytest
import soundfile

from beatgrid.audio.reader import load_audio
from beatgrid.errors import AudioError
from tests.audio.test_reader import clicks, encode, lateness, noise, refused


@pytest.mark.parametrize(
    ("suffix", "codec", "layout", "n_channels"),
    [("m4a", "aac", "7.1", 8), ("mka", "flac", "7.1", 8), ("mka", "pcm_f32le", "22.2", 24)],
)
def test_more_planes_than_pyav_keeps_room_for(tmp_path, suffix, codec, layout, n_channels):
    path = encode(tmp_path / f"a.{suffix}", codec, np.stack([clicks()] * n_channels), layout=layout)
    audio = load_audio(path)
    assert (audio.info.channels, audio.info.decoder) == (n_channels, "pyav")
    assert lateness(audio.samples) == 0
    assert np.abs(audio.samples).max() == pytest.approx(np.abs(clicks()).max(), rel=0.2)


def test_a_title_in_latin_1(tmp_path):
    path = encode(tmp_path / "a.mp3", "libmp3lame", clicks(), write_xing="0", write_id3v2="0")
    title = "Café del Mar".encode("latin-1")
    path.write_bytes(path.read_bytes() + b"TAG" + title.ljust(125, b"\0"))
    assert load_audio(path).duration_s == pytest.approx(6.0, abs=0.1)


def test_a_codec_that_ffmpeg_does_not_know(tmp_path):
    path = encode(tmp_path / "a.webm", "libopus", noise(2), 48000)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"A_OPUS", b"A_NOPE"))
    refused(path, "its audio is coded in a way that FFmpeg does not know")


def test_a_gap_longer_than_the_file_is_refused_before_it_is_filled(tmp_path):
    path = encode(tmp_path / "a.m4a", "aac", noise(4), movflags="faststart", use_editlist="0")
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(audio=0) if p.size]
    content = bytearray(path.read_bytes())
    # The run-length table of the packets' lengths: all have 1024 samples but the last one.
    at = content.index(b"stts") + 8
    n_runs, n_first, length, n_last, _ = struct.unpack(">5I", content[at : at + 20])
    assert (n_runs, length, n_last) == (2, 1024, 1)
    long_runs = struct.pack(">4I", 40, 1024, n_first + n_last - 40, 0x0700_0000)  # 44 minutes each
    content[at + 4 : at + 20] = long_runs
    for position, size in packets[50:52]:
        content[position : position + size] = b"\xff" * size
    path.write_bytes(content)
    tracemalloc.start()
    refused(path, "damaged, .* s or more of it cannot be decoded, near")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 20e6  # the silence would take 470 MB


@pytest.mark.parametrize("size", [10, 100, 1000, 3000])
@pytest.mark.parametrize("kind", ["inserted", "overwritten"])
def test_junk_in_the_middle_of_an_mp3_is_played_through(tmp_path, kind, size):
    music = clicks() + 0.02 * noise(6)
    path = encode(tmp_path / "a.mp3", "libmp3lame", music)
    content = path.read_bytes()
    at = len(content) * 6 // 10  # between the second click and the third
    junk = np.random.default_rng(size).bytes(size)
    rest = content[at:] if kind == "inserted" else content[at + size :]
    path.write_bytes(content[:at] + junk + rest)
    audio = load_audio(path)
    assert lateness(audio.samples[: 3 * 44100]) == 0
    if kind == "inserted":  # nothing of the music is gone, and what follows keeps its time
        assert audio.duration_s == pytest.approx(6.0, abs=0.03)
    else:
        assert audio.duration_s == pytest.approx(6.0 - size / 16000, abs=0.2)


def test_a_cut_mp3_is_told_from_a_damaged_one(tmp_path):
    path = encode(tmp_path / "a.mp3", "libmp3lame", noise(6))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    refused(path, r"cut short or damaged, 4\.\d\d s of 6\.\d\d s")


def film(path, sound_s, picture_s, sound_from_s=0.0):
    """A film whose sound and picture do not begin or end together."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream("flac", rate=44100, layout="mono")
        image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        image = image.reformat(format="yuv420p")
        for i in range(round(picture_s * 25)):
            image.pts = i
            container.mux(picture.encode(image))
        container.mux(picture.encode(None))
        samples = (clicks(duration_s=sound_s) * 2**15).astype(np.int16)
        for start in range(0, len(samples), 4096):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 4096], layout="mono")
            frame.sample_rate, frame.pts = 44100, start + round(sound_from_s * 44100)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize(("picture_s", "sound_from_s"), [(9.0, 0.0), (6.0, 0.0), (9.0, 0.5)])
def test_a_films_sound_has_a_length_of_its_own(tmp_path, picture_s, sound_from_s):
    path = film(tmp_path / "a.mkv", 6.0, picture_s, sound_from_s)
    audio = load_audio(path)
    assert audio.duration_s == pytest.approx(6.0, abs=0.01)
    assert lateness(audio.samples) == 0
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match="cut short or damaged"):
        load_audio(path)


def test_a_wma_cut_short_is_named(tmp_path):
    path = encode(tmp_path / "a.wma", "wmav2", noise(6), bit_rate=96_000)
    assert load_audio(path).duration_s == pytest.approx(6.0, abs=0.1)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    refused(path, r"cut short or damaged, 3\.\d\d s of [56]\.\d\d s")


def test_where_libsndfile_gives_up_ffmpeg_reads_on(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, clicks() + 0.02 * noise(6), 44100)
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(audio=0) if p.size]
    position, _ = packets[len(packets) // 2]
    content[position + 20 : position + 40] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.read(path)
    audio = load_audio(path)
    assert audio.info.decoder == "pyav"
    assert audio.duration_s == pytest.approx(6.0, abs=0.25)
    assert lateness(audio.samples) == 0


def test_an_mp3_inside_a_wav(tmp_path):
    path = encode(tmp_path / "a.wav", "libmp3lame", clicks())
    assert load_audio(path).info.decoder == "pyav"


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_chain_of_ogg_streams_is_read_to_its_end(tmp_path, subtype):
    """As web radio is recorded: a stream after the other, each with a header of its own."""
    pieces = []
    for seed in (1, 2):
        name = tmp_path / f"{seed}.ogg"
        soundfile.write(name, noise(3.0, seed), 48000, format="OGG", subtype=subtype)
        pieces.append(name.read_bytes())
    (tmp_path / "chain.ogg").write_bytes(b"".join(pieces))
    found = load_audio(tmp_path / "chain.ogg")
    assert found.info.decoder == "pyav"
    alone = [load_audio(tmp_path / f"{seed}.ogg").duration_s for seed in (1, 2)]
    assert alone[0] == pytest.approx(3.0 * 44100 / 48000, abs=0.01)
    assert found.duration_s == pytest.approx(sum(alone), abs=0.05)
