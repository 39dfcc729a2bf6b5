"""Short audio files of every kind, with tags that must survive."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, GEOB, ID3, POPM, PRIV, TIT2, TXXX, TYER
from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

RATE = 48000
TITLE = "Café 日 & <b>"
MARKERS2 = b"\x01\x01AQFDT0xPUgAAAAAEAP///0JQTUxPQ0sAAAAAAQAA" + bytes(200)
COVER = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

KINDS = ("mp3", "mp3 2.4", "mp3 bare", "aiff", "wav", "wav bare", "flac", "ogg", "opus", "m4a")
"""Of files with tags; bare ones have none."""


def make(folder: Path, kind: str) -> Path:
    """Write a file of a kind."""
    suffix, _, variant = kind.partition(" ")
    path = folder / f"it's {TITLE.replace('<', '(').replace('>', ')')} 100%.{suffix}"
    sine = 0.3 * np.sin(np.arange(RATE) / 20)
    if suffix in ("wav", "aiff", "flac", "ogg"):
        soundfile.write(path, sine, RATE)
    else:
        encode(path, {"mp3": "mp3", "opus": "libopus", "m4a": "aac"}[suffix], sine)
    if suffix == "mp3":
        ID3(path).delete(path)  # FFmpeg's own
    if variant != "bare":
        {"mp3": _tag_mp3, "aiff": _tag_riff, "wav": _tag_riff, "m4a": _tag_mp4}.get(
            suffix, _tag_vorbis
        )(path, variant)
    return path


def encode(path: Path, codec: str, samples: np.ndarray) -> None:
    """Write samples with an encoder of FFmpeg's."""
    frame = av.AudioFrame.from_ndarray(
        (32767 * samples).astype(np.int16)[None], format="s16", layout="mono"
    )
    frame.sample_rate = RATE
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        if codec.startswith("wma"):
            stream.bit_rate = 64000
        context = stream.codec_context
        context.open()
        resampler = av.AudioResampler(context.format, "mono", RATE, context.frame_size or 1024)
        for piece in (*resampler.resample(frame), *resampler.resample(None), None):
            container.mux(stream.encode(piece))


def decoded(path: Path) -> np.ndarray:
    """Decode a file."""
    with av.open(str(path)) as container:
        return np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=-1)


def _frames():
    # Order and encodings as other programs choose them.
    yield GEOB(encoding=0, mime="application/octet-stream", desc="Serato Markers2", data=MARKERS2)
    yield TIT2(encoding=1, text=[TITLE])
    yield TXXX(encoding=1, desc="a/b", text=["1/2", "3"])
    yield COMM(encoding=1, lang="eng", desc="", text=["one/two"])
    yield APIC(encoding=0, mime="image/png", type=3, desc="", data=COVER)
    yield PRIV(owner="TRAKTOR4", data=bytes(range(100)))
    yield POPM(email="a@b.c", rating=204, count=3)


def _tag_mp3(path: Path, variant: str) -> None:
    tags = ID3()
    for frame in _frames():
        tags.add(frame)
    if not variant:
        tags.add(TYER(encoding=0, text=["1999"]))
    tags.unknown_frames.append(b"XYZW\x00\x00\x00\x04\x00\x00beat")
    tags.version = (2, 4 if variant else 3, 0)
    tags.save(path, v2_version=4 if variant else 3, v23_sep=None)
    # A title of its own, which mutagen would overwrite with the other one.
    old = b"TAG" + b"Old title".ljust(30, b"\0") + bytes(94) + b"\x09"
    path.write_bytes(path.read_bytes() + old)


def _tag_riff(path: Path, variant: str) -> None:
    file = (AIFF if path.suffix == ".aiff" else WAVE)(path)
    file.add_tags()
    for frame in _frames():
        file.tags.add(frame)
    file.save(v2_version=3, v23_sep=None)


def _tag_vorbis(path: Path, variant: str) -> None:
    file = {".flac": FLAC, ".ogg": OggVorbis, ".opus": OggOpus}[path.suffix](path)
    if file.tags is None:
        file.add_tags()
    file.tags.extend([("title", TITLE), ("Title", "second"), ("SERATO_MARKERS_V2", "YXBwbGlj\nYQ")])
    if path.suffix == ".flac":
        picture = Picture()
        picture.data, picture.mime, picture.type = COVER, "image/png", 3
        file.add_picture(picture)
    file.save()


def _tag_mp4(path: Path, variant: str) -> None:
    file = MP4(path)
    file["\xa9nam"] = TITLE
    file["covr"] = [MP4Cover(COVER, MP4Cover.FORMAT_PNG)]
    file["trkn"] = [(3, 10)]
    file["----:com.serato.dj:markersv2"] = [MP4FreeForm(b"YXBwbGlj\nYQ")]
    file.save()
