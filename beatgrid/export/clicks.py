"""Audio with a click at every beat: alone, or with the song; memory does not grow with it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from beatgrid.audio.decoders import Source
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack
from beatgrid.output.sonify import BEAT_HZ, DOWNBEAT_HZ, click

FloatArray = NDArray[np.float32]

_BLOCK_SAMPLES = 1 << 18
_BYTES_PER_SAMPLE = 2
_LARGEST_WAV = (1 << 32) - (1 << 20)


class Clicks:
    """The clicks of a track as a stream: a higher one at downbeats, where they are known.

    Each click begins at the sample nearest to its beat, on its own, so that nothing drifts.
    """

    def __init__(self, track: ExportTrack, sample_rate: int) -> None:
        """Place the clicks.

        Args:
            track: Its beats.
            sample_rate: Of the stream, Hz.
        """
        self.sample_rate = sample_rate
        self._starts = np.round(track.beat_times_s() * sample_rate).astype(np.int64)
        self._is_downbeat = (track.bar_positions() == 1) & track.downbeat_known
        self._tones = {
            is_downbeat: click(hertz, sample_rate)
            for is_downbeat, hertz in ((True, DOWNBEAT_HZ), (False, BEAT_HZ))
        }

    def block(self, start: int, n_samples: int) -> FloatArray:
        """Return a part of the stream, float32 (samples,), peak <= 1.

        Args:
            start: Its first sample.
            n_samples: Its length.
        """
        samples = np.zeros(n_samples, dtype=np.float32)
        length = len(self._tones[False])
        first, last = np.searchsorted(self._starts, (start - length + 1, start + n_samples))
        for i in range(int(first), int(last)):
            tone = self._tones[bool(self._is_downbeat[i])]
            at = int(self._starts[i]) - start
            tone = tone[max(0, -at) : n_samples - at]
            samples[max(0, at) : max(0, at) + len(tone)] += tone
        return samples


def write_track(track: ExportTrack, path: Path, options: ExportOptions) -> None:
    """Write the clicks alone, mono, from the song's time 0 to its end."""
    clicks = Clicks(track, track.sample_rate)
    n_samples = round(track.duration_s * track.sample_rate)
    with _open(path, track.sample_rate, 1, n_samples, options) as file:
        for start in range(0, n_samples, _BLOCK_SAMPLES):
            block = clicks.block(start, min(_BLOCK_SAMPLES, n_samples - start))
            file.write(options.click_level * block)


def write_mix(track: ExportTrack, path: Path, options: ExportOptions) -> None:
    """Write the song, as this program decodes it, with the clicks.

    Clicks have ``click_level`` and the music the rest, so that their sum never clips.

    Raises:
        AudioError: The audio cannot be read.
    """
    level = np.float32(options.click_level)
    with contextlib.ExitStack() as stack:
        source = Source(track.audio, stack)
        clicks = Clicks(track, source.sample_rate)
        n_samples = round(track.duration_s * source.sample_rate)
        file = stack.enter_context(
            _open(path, source.sample_rate, source.channels, n_samples, options)
        )
        start = 0
        for block in source.blocks():
            mixed = (1 - level) * np.clip(block, -1, 1)
            mixed += level * clicks.block(start, len(block))[:, None]
            file.write(mixed)
            start += len(block)


def _open(
    path: Path, sample_rate: int, channels: int, n_samples: int, options: ExportOptions
) -> soundfile.SoundFile:
    form = options.click_audio.upper()
    if form == "WAV" and n_samples * channels * _BYTES_PER_SAMPLE > _LARGEST_WAV:
        form = "RF64"  # the same with 64-bit sizes
    return soundfile.SoundFile(
        path, "w", samplerate=sample_rate, channels=channels, format=form, subtype="PCM_16"
    )
