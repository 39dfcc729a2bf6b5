"""Click tracks: the simplest labelled audio, exact to the nearest sample at every click."""

from __future__ import annotations

import numpy as np

from beatgrid.grid import Grid
from beatgrid.rendering.generator.dsp import Samples, seconds


def click_track(
    bpm: float,
    offset_s: float = 0.0,
    duration_s: float = 30.0,
    sample_rate: int = 44100,
    *,
    beats_per_bar: int = 4,
    accent: float = 1.0,
    level: float = 0.8,
    click_hz: float = 1500.0,
    click_s: float = 0.03,
) -> Samples:
    """Render clicks on every beat of a grid, from the first one at or after 0.

    Each click's time is rounded to a sample on its own: stepping by a rounded period would drift
    by 17 ms in three minutes.

    Args:
        bpm: Tempo.
        offset_s: Time of a downbeat; beats before it are clicked as well.
        duration_s: Length in seconds.
        sample_rate: In hertz.
        beats_per_bar: Metre, for the accents.
        accent: Level of a downbeat against the other beats; 1 makes all equal.
        level: Peak of the downbeats.
        click_hz: Pitch of a click.
        click_s: Length of a click, which decays by 60 dB over it.

    Returns:
        float32 (samples,); a click begins with its loudest sample.
    """
    out = np.zeros(round(duration_s * sample_rate), np.float32)
    n = max(1, round(click_s * sample_rate))
    t = seconds(n, sample_rate)
    click = np.cos(2 * np.pi * click_hz * t) * np.exp(t * np.float32(-6.9 / click_s))
    grid = Grid(bpm, offset_s, beats_per_bar)
    positions = grid.bar_positions(duration_s)
    for time_s, position in zip(grid.beat_times(duration_s), positions, strict=True):
        start = round(float(time_s) * sample_rate)
        part = out[start : start + n]
        part += np.float32(level if position == 1 else level / accent) * click[: len(part)]
    return out
