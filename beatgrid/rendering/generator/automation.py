"""Automation: gain and filter curves over time that follow the form of a song."""

from __future__ import annotations

import numpy as np

from beatgrid.rendering.generator.arrangement import Song
from beatgrid.rendering.generator.dsp import Samples, joined
from beatgrid.rendering.generator.mix import gain
from beatgrid.rendering.generator.performance import Clock


def form_gain(song: Song, clock: Clock) -> Samples:
    """Return the gain that follows the sections' levels, (samples,), with 50 ms ramps."""
    times, levels = [], []
    for section in song.sections:
        start_s = clock.time_s(section.first_bar * song.beats_per_bar)
        end_s = clock.time_s((section.first_bar + section.n_bars) * song.beats_per_bar)
        times += [start_s, end_s - 0.05]
        levels += [float(gain(section.level_db))] * 2
    coarse_s = np.arange(0, clock.n_samples + 512, 512) / clock.sample_rate
    return joined(np.interp(coarse_s, times, levels), 512, clock.n_samples)


def muffled(song: Song, clock: Clock, rng: np.random.Generator) -> Samples | None:
    """Draw how far a filter on the mix is closed, (samples,): it opens through some sections."""
    times, values = [0.0], [0.0]
    for section in song.sections:
        if section.kind in ("intro", "build", "breakdown") and rng.random() < 0.3:
            start_s = clock.time_s(section.first_bar * song.beats_per_bar)
            end_s = clock.time_s((section.first_bar + section.n_bars) * song.beats_per_bar)
            times += [start_s - 0.01, start_s, end_s - 0.02, end_s]
            values += [0.0, 1.0, float(rng.choice([0.0, 0.5, 0.9])), 0.0]
    coarse_s = np.arange(0, clock.n_samples + 512, 512) / clock.sample_rate
    order = np.argsort(times, kind="stable")
    closed = np.interp(coarse_s, np.array(times)[order], np.array(values)[order])
    return joined(closed, 512, clock.n_samples) if closed.any() else None
