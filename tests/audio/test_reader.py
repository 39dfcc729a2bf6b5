"""Decoding: every codec's time, and one-line errors for every kind of bad file."""

import math
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from beatgrid.audio.reader import AudioInfo, check_has_signal, load_audio, open_audio
from beatgrid.errors import AudioError

CLICKS_S = (1.0, 2.0, 4.503)


def clicks(sample_rate: int = 44100, duration_s: float = 6.0) -> np.ndarray:
    """Short decaying tones at ``CLICKS_S``, soft enough for lossy codecs to keep their shape."""
    samples = np.zeros(round(duration_s * sample_rate), dtype=np.float32)
    time_s = np.arange(round(0.02 * sample_rate)) / sample_rate
    burst = 0.8 * np.exp(-time_s / 0.003) * np.sin(2 * np.pi * 1500 * time_s)
    for click_s in CLICKS_S:
        start = round(click_s * sample_rate)
        samples[start : start + len(burst)] += burst
    return samples


def lateness(samples: np.ndarray, sample_rate: int = 44100) -> int:
    """Samples by which decoded clicks come after the original's, by cross-correlation."""
    original = clicks(sample_rate)
    size = 1 << (len(samples) + len(original)).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(original, size))
    lag = int(np.argmax(np.fft.irfft(spectrum, size)))
    return lag - size if lag > size // 2 else lag


def encode(
    path: Path,
    codec: str,
    samples: np.ndarray,
    sample_rate: int = 44100,
    layout: str = "mono",
    quality: int | None = None,
    bit_rate: int | None = None,
    **options: str,
) -> Path:
    """Writes mono (samples,) or (channels, samples) with FFmpeg; the suffix is the container."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=sample_rate)
        stream.layout = layout
        if quality is not None:
            stream.codec_context.qscale = True
            stream.codec_context.global_quality = quality * 118  # FF_QP2LAMBDA
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        samples = np.atleast_2d(samples)
        frame = av.AudioFrame.from_ndarray(  # packed: PyAV has no room for planes beyond 7
            np.ascontiguousarray(samples.T, dtype=np.float32).reshape(1, -1),
            format="flt",
            layout="mono" if len(samples) == 1 else layout,
        )
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
        resampler = av.AudioResampler(format=stream.format, layout=layout, rate=sample_rate)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def noise(duration_s: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(44100 * duration_s)).astype(np.float32)


# --- time ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "container", "subtype", "sample_rate"),
    [
        ("a.wav", "WAV", "PCM_16", 44100),
        ("a.wav", "WAV", "FLOAT", 44100),
        ("a.wav", "RF64", "PCM_24", 44100),
        ("a.aiff", "AIFF", "PCM_16", 44100),
        ("a.flac", "FLAC", "PCM_16", 44100),
        ("a.ogg", "OGG", "VORBIS", 44100),
        ("a.opus", "OGG", "OPUS", 48000),
        ("a.wav", "WAV", "PCM_16", 8000),
        ("a.wav", "WAV", "PCM_16", 96000),
        ("a.wav", "WAV", "PCM_16", 192000),
    ],
)
def test_clicks_come_back_at_their_time_through_libsndfile(
    tmp_path, name, container, subtype, sample_rate
):
    path = tmp_path / name
    soundfile.write(path, clicks(sample_rate), sample_rate, format=container, subtype=subtype)
    audio = load_audio(path)
    assert abs(lateness(audio.samples)) <= (2 if sample_rate == 8000 else 0)
    assert audio.samples.dtype == np.float32
    assert audio.duration_s == pytest.approx(6.0, abs=1e-9)
    assert abs(len(audio.samples) - 6 * 44100) <= 1
    assert (audio.info.decoder, audio.info.codec) == ("soundfile", subtype)
    assert audio.info.source_sample_rate == sample_rate
    assert audio.info.mp3_tag is None


@pytest.mark.parametrize(
    ("name", "codec", "sample_rate", "options", "late_samples", "timebase"),
    [
        ("a.m4a", "aac", 44100, {}, 0, None),
        ("a.m4a", "aac", 48000, {"movflags": "faststart"}, 0, None),
        ("a.m4a", "alac", 44100, {}, 0, None),
        ("a.webm", "libopus", 48000, {}, 0, None),
        ("a.mka", "aac", 44100, {}, 0, None),
        ("a.wv", "wavpack", 44100, {}, 0, None),
        # What names no delay keeps its decoder's time.
        ("a.m4a", "aac", 44100, {"movflags": "frag_keyframe+empty_moov"}, 1024, None),
        ("a.aac", "aac", 44100, {}, 1024, "raw aac: encoder delay kept"),
        ("a.mp3", "libmp3lame", 44100, {"write_xing": "0"}, 1105, "mp3 without tag: encoder"),
    ],
)
def test_clicks_come_back_at_their_time_through_ffmpeg(
    tmp_path, name, codec, sample_rate, options, late_samples, timebase
):
    path = encode(tmp_path / name, codec, clicks(sample_rate), sample_rate, **options)
    audio = load_audio(path, sample_rate)
    assert abs(lateness(audio.samples, sample_rate) - late_samples) <= 1
    assert audio.info.decoder == "pyav"
    assert (audio.info.timebase or "").startswith(timebase or "")
    assert (timebase is None) == (audio.info.timebase is None)
    # An encoder pads its last frame, and FFmpeg plays the padding of AAC.
    assert 6.0 <= audio.duration_s <= 6.0 + 3 * 1152 / sample_rate


def test_aac_in_mp4_after_resampling(tmp_path):
    path = encode(tmp_path / "a.m4a", "aac", clicks(48000), 48000)
    assert lateness(load_audio(path, 44100).samples) == 0


def test_an_mp3_with_lame_tag_starts_at_its_time(tmp_path):
    path = encode(tmp_path / "a.mp3", "libmp3lame", clicks())
    samples, _ = soundfile.read(path, dtype="float32")  # libsndfile's own decoder as a witness
    for garbage in (b"", b"TAG" + bytes(5000)):
        path.write_bytes(path.read_bytes() + garbage)
        audio = load_audio(path)
        assert (audio.info.decoder, audio.info.mp3_tag) == ("pyav", "lame")
        assert audio.info.timebase == "mp3 with LAME tag: encoder delay removed"
        assert 6.0 <= audio.duration_s <= 6.0 + 1152 / 44100  # the last frame's padding
        assert lateness(audio.samples) == 0
        np.testing.assert_allclose(audio.samples[: len(samples)], samples, atol=1e-5)


def test_artwork_in_front_of_an_mp3_is_skipped(tmp_path):
    path = encode(tmp_path / "a.mp3", "libmp3lame", clicks())
    music = path.read_bytes()
    music = music[music.index(b"\xff\xfb") :]
    n_bytes = 300_000
    syncsafe = bytes(n_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\0\0" + syncsafe + bytes(n_bytes) + music)
    audio = load_audio(path)
    assert audio.info.mp3_tag == "lame"
    assert lateness(audio.samples) == 0


def test_xing_tag_without_delay(tmp_path):
    path = encode(tmp_path / "a.mp3", "libmp3lame", clicks())
    content = bytearray(path.read_bytes())
    tag = content.index(b"Info")
    content[tag + 120 : tag + 156] = bytes(36)
    path.write_bytes(content)
    audio = load_audio(path)
    assert audio.info.mp3_tag == "xing"
    assert audio.info.timebase == "mp3 with Xing tag without delay: encoder delay kept"
    assert lateness(audio.samples) == 1105


def test_a_tagless_vbr_mp3_is_read_to_its_end(tmp_path):
    # libsndfile guesses the length from the first bit rates: here a fifth of the truth.
    samples = np.concatenate([noise(4), np.zeros(44100 * 16, dtype=np.float32)])
    path = encode(tmp_path / "vbr.mp3", "libmp3lame", samples, quality=4, write_xing="0")
    assert soundfile.info(path).duration < 10
    assert load_audio(path).duration_s == pytest.approx(20.0, abs=0.1)


def test_a_flac_of_open_length(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, clicks(), 44100)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the total number of samples: 36 bits of STREAMINFO
    content[22:26] = bytes(4)
    path.write_bytes(content)
    audio = load_audio(path)
    assert audio.duration_s == 6.0
    assert lateness(audio.samples) == 0


# --- shape -----------------------------------------------------------------------------------


def test_mono_is_the_mean_of_the_channels(tmp_path):
    channels = np.stack([noise(1, seed) for seed in range(6)], axis=1)
    soundfile.write(tmp_path / "six.wav", channels, 44100, subtype="FLOAT")
    audio = load_audio(tmp_path / "six.wav")
    assert audio.info.channels == 6
    np.testing.assert_allclose(audio.samples, channels.mean(axis=1), atol=1e-7)


def test_stereo_through_ffmpeg_is_the_mean_too(tmp_path):
    stereo = np.stack([noise(1, 1), noise(1, 2)])
    path = encode(tmp_path / "a.m4a", "alac", stereo, layout="stereo")
    audio = load_audio(path)
    assert audio.info.channels == 2
    np.testing.assert_allclose(audio.samples, stereo.mean(axis=0), atol=2**-15)


def test_a_stream_that_changes_midway(tmp_path):
    mono = encode(tmp_path / "mono.aac", "aac", noise(1)).read_bytes()
    stereo = encode(tmp_path / "stereo.aac", "aac", noise(1), layout="stereo").read_bytes()
    other_rate = encode(tmp_path / "48.aac", "aac", noise(1), 48000).read_bytes()
    (tmp_path / "a.aac").write_bytes(mono + stereo + mono)
    assert load_audio(tmp_path / "a.aac").duration_s == pytest.approx(3.0, abs=0.2)
    (tmp_path / "b.aac").write_bytes(mono + other_rate)
    refused(tmp_path / "b.aac", "changes from 44100 to 48000 Hz midway; convert it")


def test_streamed_blocks_are_bounded_and_repeatable(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(20), 44100)
    reader = open_audio(tmp_path / "a.wav", 22050)
    with pytest.raises(RuntimeError, match="read all blocks before"):
        _ = reader.info
    blocks = list(reader)
    assert max(map(len, blocks)) <= 40_000
    assert reader.info.duration_s == pytest.approx(20.0)
    np.testing.assert_array_equal(
        np.concatenate(blocks), load_audio(tmp_path / "a.wav", 22050).samples
    )
    np.testing.assert_array_equal(np.concatenate(blocks), np.concatenate(list(reader)))


def test_resampling_keeps_a_tone(tmp_path):
    time_s = np.arange(48000 * 2) / 48000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * time_s), 48000, "FLOAT")
    samples = load_audio(tmp_path / "a.wav").samples
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / 44100)
    np.testing.assert_allclose(samples[2000:-2000], expected[2000:-2000], atol=1e-4)


not_utf8 = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")


@pytest.mark.parametrize(
    "name",
    [
        *("a b (c), d=e's [f] & #g.wav", "é日.wav", "http:x.wav"),
        *(pytest.param(name, marks=not_utf8) for name in (b"latin\xe9.wav", b"l\xe9.m4a")),
    ],
)
def test_any_file_name(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    suffix = os.fsdecode(name)[-4:]
    plain = tmp_path / f"plain{suffix}"
    if suffix == ".m4a":
        encode(plain, "aac", noise(1))
    else:
        soundfile.write(plain, noise(1), 44100)
    shutil.move(plain, os.fsdecode(name))
    assert load_audio(os.fsdecode(name)).duration_s == pytest.approx(1.0, abs=0.05)


def test_a_wav_under_another_name(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(1), 44100)
    (tmp_path / "a.wav").rename(tmp_path / "a.mp3")
    assert load_audio(tmp_path / "a.mp3").duration_s == pytest.approx(1.0)


# --- bad files -------------------------------------------------------------------------------


def refused(path: Path, message: str) -> None:
    with pytest.raises(AudioError, match=message) as caught:
        load_audio(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_what_is_no_audio(tmp_path):
    refused(tmp_path / "none.wav", "no such file; check the path")
    refused(tmp_path, "a folder, not an audio file")
    refused(tmp_path / ("n" * 300 + ".wav"), "cannot be read .*too long")
    refused(tmp_path / "a\0b.wav", "cannot be read .*null")
    (tmp_path / "empty.mp3").touch()
    refused(tmp_path / "empty.mp3", "empty")
    random = np.random.default_rng(0).bytes(200_000)
    for suffix in ("wav", "mp3", "m4a", "flac", "ogg", "aac", "bin"):
        path = tmp_path / f"random.{suffix}"
        path.write_bytes(random)
        refused(path, "damaged")
        path.write_text("no sound in here\n" * 3000)
        refused(path, "damaged")
    os.mkfifo(tmp_path / "pipe.wav")
    refused(tmp_path / "pipe.wav", "not a regular file")


def test_a_video_without_sound(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    refused(tmp_path / "a.mp4", "holds no audio stream")


@pytest.mark.parametrize(
    ("name", "subtype", "message"),
    [
        ("a.wav", "PCM_16", r"cut short or damaged, 2\.00 s of 4\.00 s"),
        ("a.wav", "FLOAT", r"cut short or damaged, 2\.00 s of 4\.00 s"),
        ("a.aiff", "PCM_24", r"cut short or damaged, 2\.00 s of 4\.00 s"),
        ("a.rf64", "PCM_16", r"cut short or damaged, 2\.00 s of 4\.00 s"),
        ("a.flac", "PCM_16", r"cut short or damaged, [12]\.\d\d s of 4\.00 s"),
        ("a.ogg", "VORBIS", "cut short, .* bytes of its last Ogg page are missing"),
    ],
)
def test_half_a_file_through_libsndfile(tmp_path, name, subtype, message):
    path = tmp_path / name
    kind = {"aiff": "AIFF", "rf64": "RF64"}.get(path.suffix[1:])
    soundfile.write(path, noise(4), 44100, subtype, format=kind)
    load_audio(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, message)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "options", "message"),
    [
        ("a.m4a", "aac", 44100, {"movflags": "faststart"}, "cut short or damaged, 1.* of 4.0"),
        ("a.m4a", "aac", 44100, {}, "damaged, cut short or not audio"),  # its index was at the end
        ("a.mka", "aac", 44100, {}, "cut short or damaged"),
        ("a.mp3", "libmp3lame", 44100, {}, "cut short or damaged, [12].* of 4.0"),
    ],
)
def test_half_a_file_through_ffmpeg(tmp_path, name, codec, rate, options, message):
    path = encode(tmp_path / name, codec, noise(4), rate, **options)
    load_audio(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, message)


def test_a_lost_packet_becomes_silence_and_many_an_error(tmp_path):
    path = encode(tmp_path / "a.m4a", "aac", clicks(), movflags="faststart")
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(audio=0) if p.size]
    content = bytearray(path.read_bytes())
    position, size = packets[120]  # at 2.8 s, between two clicks
    content[position : position + size] = b"\xff" * size
    path.write_bytes(content)
    audio = load_audio(path)
    assert lateness(audio.samples) == 0
    assert audio.duration_s == pytest.approx(6.0, abs=0.05)
    for position, size in packets[140:180]:
        content[position : position + size] = b"\xff" * size
    path.write_bytes(content)
    refused(path, r"damaged, 0\.2\d s or more of it cannot be decoded, near 3\.\d\d s")


def test_too_short_too_loud_not_a_number(tmp_path):
    soundfile.write(tmp_path / "short.wav", noise(0.2), 44100)
    refused(tmp_path / "short.wav", r"lasts 0\.200 s; at least 0\.5 s are needed")
    for value, shown in ((math.nan, "nan"), (math.inf, "inf"), (1e30, r"1e\+30")):
        samples = noise(3)
        samples[100_000] = value
        soundfile.write(tmp_path / "bad.wav", samples, 44100, "FLOAT")
        refused(tmp_path / "bad.wav", rf"no sound \({shown} near 1\.5 s")


def test_odd_sample_rates_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(0.1), 50)
    refused(tmp_path / "a.wav", "sample rate is 50 Hz; convert it")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_no_right_to_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(1), 44100)
    (tmp_path / "a.wav").chmod(0)
    refused(tmp_path / "a.wav", "cannot be read")


def test_silence_is_for_the_caller_to_refuse(tmp_path):
    def info(level: float) -> AudioInfo:
        soundfile.write(tmp_path / "a.wav", np.full(44100, level), 44100, "FLOAT")
        return load_audio(tmp_path / "a.wav").info

    check_has_signal(info(2e-4))
    with pytest.raises(AudioError, match=r"a.wav: silent \(peak of the mono mix: -86 dBFS\)"):
        check_has_signal(info(5e-5))
    with pytest.raises(AudioError, match="all samples are 0"):
        check_has_signal(info(0.0))


def test_decoders_print_nothing(tmp_path):
    (tmp_path / "zeros.mp3").write_bytes(bytes(100_000))
    (tmp_path / "text.mp3").write_text("no sound in here\n" * 3000)
    encode(tmp_path / "cut.mp3", "libmp3lame", noise(3))
    encode(tmp_path / "cut.m4a", "aac", noise(3), movflags="faststart")
    encode(tmp_path / "junk.mp3", "libmp3lame", noise(3))
    content = (tmp_path / "junk.mp3").read_bytes()
    (tmp_path / "junk.mp3").write_bytes(content[:9000] + noise(0.05).tobytes() + content[9000:])
    for name in ("cut.mp3", "cut.m4a"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    code = (
        "import sys\n"
        "from beatgrid.audio.reader import load_audio\n"
        "from beatgrid.errors import AudioError\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        load_audio(path)\n"
        "        print('read')\n"
        "    except AudioError:\n"
        "        print('refused')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (run.stdout, run.stderr) == ("refused\nrefused\nread\nrefused\nrefused\n", "")
