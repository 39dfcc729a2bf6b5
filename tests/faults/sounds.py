"""One short file of each kind that the fuzzer damages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.rendering.generator import click_track
from tests.audio.test_reader import encode

DURATION_S = 1.5
_RATE = 44100

# Suffix to how it is made: by soundfile, or FFmpeg's encoder and options of its container.
KINDS: dict[str, tuple[str, dict[str, str]] | None] = {
    "wav": None,
    "flac": None,
    "ogg": None,
    "aiff": None,
    "mp3": ("libmp3lame", {}),
    "m4a": ("aac", {"movflags": "faststart"}),
    "opus": ("libopus", {}),
    "webm": ("libopus", {}),
    "mkv": ("flac", {}),
    "wma": ("wmav2", {}),
}


def make_sounds(folder: Path, kinds: Iterable[str] = KINDS) -> dict[str, bytes]:
    """Return the bytes of one stereo file of each kind, clicks under a little noise."""
    clicks = click_track(120.0, 0.2, DURATION_S)
    noise = np.random.default_rng(0).normal(0, 0.01, (2, len(clicks)))
    samples = (clicks + noise).astype(np.float32)
    sounds = {}
    for kind in kinds:
        path = folder / f"sound.{kind}"
        if (how := KINDS[kind]) is None:
            soundfile.write(path, samples.T, _RATE)
        else:
            codec, options = how
            rate = 48000 if codec == "libopus" else _RATE  # it has no other; the pitch is no matter
            encode(path, codec, samples, rate, layout="stereo", bit_rate=96_000, **options)
        sounds[kind] = path.read_bytes()
    return sounds
