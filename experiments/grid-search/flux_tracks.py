"""Flux activations of a labelled folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from beatgrid.activation.flux import flux_activation
from beatgrid.audio.features import FeatureSpec, log_mel_blocks
from beatgrid.audio.reader import open_audio
from beatgrid.data.discovery import discover
from beatgrid.data.track import Track
from beatgrid.grid import Activation


def flux_tracks(data_dir: Path, split: str) -> Iterator[tuple[Track, Activation]]:
    """Every track of a split with its flux activation, in the order of the labels."""
    spec = FeatureSpec()
    for track in discover(data_dir / "audio", data_dir / "labels"):
        if track.label.split == split and track.audio_path is not None:
            stream = open_audio(track.audio_path, spec.sample_rate)
            log_mel = log_mel_blocks(stream, spec)
            yield track, flux_activation(log_mel, spec.frame_rate, stream.info.duration_s)
