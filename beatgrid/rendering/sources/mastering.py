"""What happens to a rendered piece between renderer and listener: tone, level, room, noise, codecs.

No step moves an onset: filters are zero-phase and smooth, rooms only add later sound, and the
delay of a codec's round trip is measured by correlation and removed.
"""

from __future__ import annotations

import io
from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from beatgrid.rendering.generator.dsp import band_noise
from beatgrid.rendering.generator.mix import compressed, limited, loudness, room
from beatgrid.rendering.piece import SAMPLE_RATE

Samples = NDArray[np.float32]

#: FFmpeg's encoder, container, and bits per second: those still met in 20 years of music.
CODECS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("libmp3lame", "mp3", (64_000, 96_000, 128_000)),
    ("libopus", "ogg", (32_000, 64_000)),
    ("aac", "adts", (48_000, 96_000)),
)
#: Share of all pieces that go through one of them.
CODED_SHARE = 0.2


def master(samples: Samples, rng: np.random.Generator) -> tuple[Samples, dict[str, Any]]:
    """Master a piece at random.

    Args:
        samples: float32 (samples,), any level.
        rng: Source of randomness.

    Returns:
        The master, float32 (samples,), peak at most 1, and what was drawn.
    """
    drawn: dict[str, Any] = {}
    out = samples / np.float32(loudness(samples) + 1e-9)
    if rng.random() < 0.5:
        drawn["room"] = round(float(rng.uniform(0.03, 0.4)), 3)
        response = room(rng, SAMPLE_RATE)
        wet = signal.fftconvolve(out, response)[: len(out)]
        out = out + np.float32(drawn["room"] / (loudness(wet) + 1e-9)) * wet.astype(np.float32)
    out, drawn["tone"] = _toned(out, rng)
    out /= np.float32(loudness(out) + 1e-9)
    if rng.random() < 0.7:
        drawn["compression"] = round(float(rng.uniform(1.1, 4.0)), 2)
        out = compressed(out, SAMPLE_RATE, drawn["compression"])
    if rng.random() < 0.3:
        drawn["drive"] = round(float(rng.uniform(0.2, 1.2)), 2)
        out = np.tanh(np.float32(drawn["drive"]) * out)
    level_db = float(rng.uniform(-26, -9))
    out *= np.float32(10 ** (level_db / 20) / (loudness(out) + 1e-9))
    out = limited(out, SAMPLE_RATE)
    noise_db = float(rng.uniform(-95, -50)) if rng.random() < 0.85 else float(rng.uniform(-50, -34))
    hiss = band_noise(rng, min(len(out), 1 << 18), SAMPLE_RATE, 150, 9000, -3.0)
    out += np.float32(10 ** ((level_db + noise_db) / 20)) * np.resize(hiss, len(out))
    drawn |= {"level_db": round(level_db, 1), "noise_db": round(noise_db, 1)}
    if rng.random() < CODED_SHARE:
        out, drawn["codec"] = coded(out, rng)
    peak = np.float32(np.max(np.abs(out), initial=0.0))
    return (out * min(np.float32(1.0), np.float32(0.99) / (peak + np.float32(1e-9)))).astype(
        np.float32
    ), drawn


def coded(samples: Samples, rng: np.random.Generator) -> tuple[Samples, str]:
    """Return a piece after a codec drawn from ``CODECS``, and the codec's name with its rate."""
    codec, container, rates = CODECS[int(rng.integers(len(CODECS)))]
    rate = int(rates[int(rng.integers(len(rates)))])
    return codec_round_trip(samples, codec, container, rate), f"{codec} {rate // 1000}k"


def _toned(samples: Samples, rng: np.random.Generator) -> tuple[Samples, str]:
    """Equalise with zero phase: tilt, bumps, and at times the edges of a small loudspeaker."""
    knots_hz = np.geomspace(30, 18000, 10)
    octaves = np.log2(knots_hz / 800)
    gain_db = rng.normal(0, 1.5) * octaves * 0.6 + rng.normal(0, 2.5, len(knots_hz))
    kind = "full"
    draw = rng.random()
    if draw < 0.12:
        kind = "dull"
        gain_db -= 10 * np.maximum(np.log2(knots_hz / rng.uniform(2500, 7000)), 0)
    elif draw < 0.2:
        kind = "thin"
        gain_db -= 10 * np.maximum(-np.log2(knots_hz / rng.uniform(120, 350)), 0)
    elif draw < 0.24:
        kind = "radio"
        gain_db -= 12 * np.maximum(np.log2(knots_hz / 4000), 0)
        gain_db -= 12 * np.maximum(-np.log2(knots_hz / 300), 0)
    size = fft.next_fast_len(len(samples) + SAMPLE_RATE // 10, real=True)
    spectrum = fft.rfft(samples, size)
    coarse_hz = np.geomspace(5, SAMPLE_RATE / 2, 400)
    curve = np.interp(np.log(coarse_hz), np.log(knots_hz), gain_db)
    curve -= 12 * np.maximum(np.log2(25 / coarse_hz), 0)  # nothing below hearing
    bins_hz = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
    spectrum *= np.interp(bins_hz, coarse_hz, 10 ** (curve / 20)).astype(np.float32)
    return fft.irfft(spectrum, size)[: len(samples)].astype(np.float32), kind


def codec_round_trip(samples: Samples, codec: str, container: str, bit_rate: int) -> Samples:
    """Encode and decode a piece, and put it back where it was.

    Args:
        samples: float32 (samples,) mono at ``SAMPLE_RATE``, peak at most 1.
        codec: Encoder's name in FFmpeg.
        container: Format's name in FFmpeg.
        bit_rate: Bits per second.

    Returns:
        float32 (samples,), as long as before.
    """
    file = io.BytesIO()
    rate = 48000 if codec == "libopus" else SAMPLE_RATE
    with av.open(file, "w", format=container) as output:
        stream = cast(av.AudioStream, output.add_stream(codec, rate=rate, layout="mono"))
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(
            np.clip(samples, -1, 1)[np.newaxis], format="fltp", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=rate, frame_size=stream.frame_size or 1024
        )
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(resampled))
        output.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r", format="aac" if container == "adts" else container) as source:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)
        frames = [out for decoded in source.decode(audio=0) for out in resampler.resample(decoded)]
        frames += resampler.resample(None)
    decoded = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    delay = _delay(samples, decoded)
    aligned = np.zeros_like(samples)
    taken = decoded[max(delay, 0) : max(delay, 0) + len(samples) - max(-delay, 0)]
    aligned[max(-delay, 0) : max(-delay, 0) + len(taken)] = taken
    return aligned


def _delay(reference: Samples, delayed: Samples, longest: int = 8192) -> int:
    """Return the samples by which a signal is late, from the peak of the correlation over 20 s."""
    n = min(len(reference), len(delayed), 20 * SAMPLE_RATE)
    start = (min(len(reference), len(delayed)) - n) // 2
    size = fft.next_fast_len(2 * n, real=True)
    spectrum = fft.rfft(delayed[start : start + n], size) * np.conj(
        fft.rfft(reference[start : start + n], size)
    )
    correlation = fft.irfft(spectrum, size)
    lags = np.concatenate([correlation[:longest], correlation[-longest:]])
    best = int(np.argmax(lags))
    return best if best < longest else best - 2 * longest
