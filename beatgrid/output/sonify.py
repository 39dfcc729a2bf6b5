"""Clicks on a grid's beats, mixed into the music: ears judge a beatgrid better than eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beatgrid.grid import Grid

DOWNBEAT_HZ = 1760.0
BEAT_HZ = 1174.7  # a fifth below: told apart at once, even on small speakers
CLICK_S = 0.04
DECAY_S = 0.008
ATTACK_S = 0.0005


def click(frequency_hz: float, sample_rate: int) -> NDArray[np.float32]:
    """Return a short decaying tone from its onset on, float32 (samples,), peak <= 1."""
    time_s = np.arange(round(CLICK_S * sample_rate)) / sample_rate
    envelope = np.exp(-time_s / DECAY_S) * np.minimum(1, time_s / ATTACK_S)
    # A cosine would begin with a jump, a sine does not.
    return (envelope * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def mix_clicks(
    samples: ArrayLike,
    sample_rate: int,
    grid: Grid,
    *,
    start_s: float = 0.0,
    level: float = 0.7,
    mark_downbeats: bool = True,
) -> NDArray[np.float32]:
    """Mix a click into an excerpt at every beat, a higher one at downbeats.

    Each click's time is rounded to a sample on its own; a rounded step would drift.

    Args:
        samples: Mono excerpt in [-1, 1], (samples,).
        sample_rate: Samples per second.
        grid: Beats of the whole track.
        start_s: Time in the track of the excerpt's first sample.
        level: Peak of the clicks, 0..1. The music is lowered to leave them room.
        mark_downbeats: False where the bar phase is not known: all clicks are alike.

    Returns:
        The mix in [-1, 1], float32 (samples,), as long as the excerpt.

    Raises:
        ValueError: If the excerpt is not mono or the level out of range.
    """
    music = np.asarray(samples, dtype=np.float32)
    if music.ndim != 1:
        raise ValueError(f"samples must be mono, (samples,), not of shape {music.shape}")
    if not 0 <= level <= 1:
        raise ValueError(f"level must lie in [0, 1], not {level!r}")
    clicks = np.zeros_like(music)
    tones = {True: click(DOWNBEAT_HZ, sample_rate), False: click(BEAT_HZ, sample_rate)}
    # The tail of a click that began before the excerpt is left out: half a click misleads.
    end_s = start_s + len(music) / sample_rate
    k = grid.beat_indices(end_s)
    for index in k[grid.offset_s + k * grid.period_s >= start_s]:
        at = round((grid.offset_s + int(index) * grid.period_s - start_s) * sample_rate)
        tone = tones[mark_downbeats and index % grid.beats_per_bar == 0]
        room = clicks[at : at + len(tone)]
        room += tone[: len(room)]
    peak = float(np.abs(music).max(initial=0.0))
    if peak > 1 - level:
        music = music * ((1 - level) / peak)
    return np.clip(music + level * clicks, -1.0, 1.0)
