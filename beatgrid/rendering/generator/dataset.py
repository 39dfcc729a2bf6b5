"""Write a labelled folder of rendered tracks, as `data.audio_dir` and `data.label_dir` expect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile as sf

from beatgrid.data.labels import write_label
from beatgrid.rendering.generator.genres import GENRES
from beatgrid.rendering.generator.render import RenderedTrack, render


def write_dataset(
    folder: str | Path,
    n_tracks: int,
    seed: int = 0,
    duration_s: float | tuple[float, float] = 60.0,
    genres: Sequence[str] = GENRES,
    sample_rate: int = 44100,
) -> Iterator[tuple[Path, RenderedTrack]]:
    """Render tracks into ``folder/audio`` (FLAC) and ``folder/labels``, one per step.

    Genres take turns, so that any ``n_tracks`` is balanced. Nothing is written before the
    iterator is advanced; run it to the end for the whole set, and show progress meanwhile.

    Args:
        folder: Destination; created where missing, files of the same name are replaced.
        n_tracks: Number of tracks.
        seed: Of the whole set: track i of seed s is the same wherever it is rendered.
        duration_s: Length in seconds, or a range to draw from.
        genres: Names out of ``genres.TEMPLATES``.
        sample_rate: In hertz.

    Yields:
        Path of the audio just written, and the track.
    """
    audio_dir, label_dir = Path(folder) / "audio", Path(folder) / "labels"
    audio_dir.mkdir(parents=True, exist_ok=True)
    label_dir.mkdir(parents=True, exist_ok=True)
    width = max(3, math.ceil(math.log10(n_tracks + 1)))
    for i in range(n_tracks):
        genre = genres[i % len(genres)]
        rng = np.random.default_rng((seed, i))
        length_s = float(rng.uniform(*duration_s)) if isinstance(duration_s, tuple) else duration_s
        track = render(genre, int(rng.integers(2**31)), length_s, sample_rate=sample_rate)
        yield _write(track, audio_dir, label_dir, f"{genre}_{i:0{width}d}"), track


def _write(track: RenderedTrack, audio_dir: Path, label_dir: Path, name: str) -> Path:
    path = audio_dir / f"{name}.flac"
    sf.write(path, track.samples, track.sample_rate, subtype="PCM_16")
    write_label(
        label_dir / f"{name}.labels.json",
        track.grid,
        track.duration_s,
        path.name,
        genre=track.genre,
        seed=track.seed,
    )
    return path
