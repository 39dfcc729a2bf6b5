"""Activations with a known grid, for tests, experiments and the fit of the generic ranker."""

from __future__ import annotations

import numpy as np

from beatgrid.grid import Activation, FloatArray, Grid

DEFAULT_FRAME_RATE = 44100 / 512


def pulses(
    times_s: FloatArray,
    heights: FloatArray,
    n_frames: int,
    frame_rate: float,
    width_s: float = 0.012,
) -> FloatArray:
    """Return Gaussian bumps at exact times, sampled at the frames' centres.

    Args:
        times_s: Centres of the bumps in seconds, (pulses,).
        heights: Their heights, (pulses,).
        n_frames: Length of the result.
        frame_rate: Frames per second.
        width_s: Standard deviation of a bump; 12 ms is about one frame of 512 samples.

    Returns:
        The highest bump at each frame, float64 (frames,).
    """
    reach = int(np.ceil(4 * width_s * frame_rate))
    frames = np.round(times_s * frame_rate).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    distance_s = frames / frame_rate - times_s[:, None]
    bumps = heights[:, None] * np.exp(-0.5 * (distance_s / width_s) ** 2)
    curve = np.zeros(n_frames)
    inside = (frames >= 0) & (frames < n_frames)
    np.maximum.at(curve, frames[inside], bumps[inside])
    return curve


def pulse_activation(
    bpm: float,
    offset_s: float,
    duration_s: float,
    frame_rate: float = DEFAULT_FRAME_RATE,
    *,
    beats_per_bar: int | None = None,
    height: float = 0.95,
    floor: float = 0.002,
) -> Activation:
    """Make a perfect activation: one bump of the same height at every beat of a grid.

    Args:
        bpm: Tempo.
        offset_s: Time of a downbeat.
        duration_s: Length of the track.
        frame_rate: Frames per second.
        beats_per_bar: Adds a downbeat channel with bars of that many beats.
        height: Probability at a beat.
        floor: Probability elsewhere.
    """
    n_frames = int(np.ceil(duration_s * frame_rate))
    grid = Grid(bpm, offset_s, beats_per_bar or 4)

    def channel(times_s: FloatArray) -> FloatArray:
        bumps = pulses(times_s, np.full(len(times_s), height), n_frames, frame_rate)
        return np.maximum(bumps, floor)

    downbeat = channel(grid.downbeat_times(duration_s)) if beats_per_bar else None
    return Activation(
        channel(grid.beat_times(duration_s)), frame_rate, duration_s, downbeat=downbeat
    )


def noisy_activation(
    grid: Grid,
    duration_s: float,
    rng: np.random.Generator,
    *,
    frame_rate: float = DEFAULT_FRAME_RATE,
    jitter_s: float = 0.004,
    missing: float = 0.15,
    offbeat: float = 0.35,
    offbeat_height: tuple[float, float] = (0.15, 0.7),
    sixteenth: float = 0.0,
    triplet: float = 0.0,
    stray_hz: float = 0.0,
    breakdown: float = 0.1,
    noise: float = 0.02,
    downbeat_height: float | None = None,
) -> Activation:
    """Make an imperfect activation, as a network on real music gives it.

    Args:
        grid: The true grid.
        duration_s: Length of the track.
        rng: Source of randomness.
        frame_rate: Frames per second.
        jitter_s: Standard deviation of each peak's time.
        missing: Chance that a beat shows no peak.
        offbeat: Chance of a peak half-way to the next beat.
        offbeat_height: Range of the probability of peaks between beats; beats have 0.5..1.
        sixteenth: Chance of a peak a quarter before, and a quarter after, each beat.
        triplet: Chance of a peak a third before, and a third after, each beat.
        stray_hz: Peaks per second at random times.
        breakdown: Share of the track, in one piece, with no peak at all.
        noise: Mean of the exponential noise floor.
        downbeat_height: Adds a downbeat channel whose right peaks have about this
            probability, and wrong ones at other beats about half of it, at random.
    """
    n_frames = int(np.ceil(duration_s * frame_rate))
    beats_s = grid.beat_times(duration_s)
    others_s = [rng.uniform(0, duration_s, rng.poisson(stray_hz * duration_s))]
    for chance, part in ((offbeat, 1 / 2), (sixteenth, 1 / 4), (triplet, 1 / 3)):
        for place in {part, 1 - part}:
            others_s.append((beats_s + place * grid.period_s)[rng.random(len(beats_s)) < chance])
    between_s = np.concatenate(others_s)
    is_downbeat = grid.beat_indices(duration_s) % grid.beats_per_bar == 0
    kept = rng.random(len(beats_s)) >= missing
    break_start_s = rng.uniform(0, 1 - breakdown) * duration_s

    def channel(times_s: FloatArray, heights: FloatArray) -> FloatArray:
        sounding = (times_s < break_start_s) | (times_s >= break_start_s + breakdown * duration_s)
        times_s = times_s + rng.normal(0, jitter_s, len(times_s))
        bumps = pulses(times_s[sounding], heights[sounding], n_frames, frame_rate)
        floor = np.minimum(rng.exponential(noise, n_frames), 0.3)
        return np.clip(np.maximum(bumps, floor), 0, 1)

    times_s = np.concatenate((beats_s[kept], between_s))
    heights = np.concatenate(
        (rng.uniform(0.5, 1, int(kept.sum())), rng.uniform(*offbeat_height, len(between_s)))
    )
    downbeat = None
    if downbeat_height is not None:
        strength = np.where(is_downbeat, 1.0, 0.5 * (rng.random(len(beats_s)) < 0.3))
        strength = downbeat_height * strength * rng.uniform(0.5, 1, len(beats_s))
        downbeat = channel(beats_s[kept], strength[kept])
    return Activation(channel(times_s, heights), frame_rate, duration_s, downbeat=downbeat)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def varied_track(seed: int) -> tuple[Grid, Activation]:
    """Make a track for fitting: imperfections drawn from wide ranges, up to 235 BPM.

    One in five is edited: up to a second is missing from its middle.
    """
    rng = np.random.default_rng([2, seed])
    bpm = log_uniform(rng, 60, 230) if rng.random() < 0.5 else 0.0
    while not 60 < bpm < 235:
        bpm = 130 * 2 ** rng.normal(0, 0.4)
    grid = Grid(bpm, rng.uniform(0, 2))
    low = rng.uniform(0.05, 0.3)
    activation = noisy_activation(
        grid,
        rng.uniform(20, 200),
        rng,
        jitter_s=rng.uniform(0.001, 0.015),
        missing=rng.uniform(0, 0.5),
        offbeat=rng.uniform(0, 0.8),
        offbeat_height=(low, low + rng.uniform(0.1, 0.7)),
        sixteenth=rng.uniform(0, 0.4) * (rng.random() < 0.5),
        triplet=rng.uniform(0, 0.4) * (rng.random() < 0.2),
        stray_hz=rng.uniform(0, 3) * (rng.random() < 0.5),
        breakdown=rng.uniform(0, 0.3),
        noise=rng.uniform(0.005, 0.06),
        downbeat_height=rng.uniform(0.3, 1) if rng.random() < 0.5 else None,
    )
    return grid, _edited(activation, rng) if rng.random() < 0.2 else activation


def _edited(activation: Activation, rng: np.random.Generator) -> Activation:
    """Return the same track with up to a second cut out somewhere in its middle half."""
    n_frames = len(activation)
    start = int(n_frames * rng.uniform(0.25, 0.75))
    end = start + int(activation.frame_rate * rng.uniform(0.05, 1))
    return Activation(
        np.delete(activation.beat, slice(start, end)),
        activation.frame_rate,
        downbeat=None
        if activation.downbeat is None
        else np.delete(activation.downbeat, slice(start, end)),
    )
