"""Two tracks at once, beat-matched as a DJ mixes them: which, where, and how loud.

A crop gets a crop of a second track added, played at the speed at which both have one tempo and
placed so that their beats coincide. What is known of the first crop then holds of the mix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from beatgrid.data.augment import FLOOR_DB, Augment, add_power, resample_frames
from beatgrid.data.track import Track

# Shares of the mel bands between which the basses and the trebles of two tracks are divided:
# 130 Hz to 3.3 kHz with 128 bands up to 22 kHz.
CROSSOVER = (0.05, 0.5)

SILENCE_DB = -300.0


class Second(NamedTuple):
    """What is mixed into a crop.

    Attributes:
        track: Number of the second track in the data set.
        position: Where in the track it begins, from 0 to below 1 of what is possible.
        gain_db: Its level relative to the first track's.
        bands: Shares of the mel bands between which it replaces the first track, or None: it is
            added in all bands.
    """

    track: int
    position: float
    gain_db: float
    bands: tuple[float, float] | None = None


class Placement(NamedTuple):
    """Where the frames of the second track are.

    Attributes:
        start: Frame of the second track, fractional, that sounds at the first frame of the crop.
        stretch: Frames of the second track per frame of the crop.
        n_frames: Frames of the crop that the second track lasts for.
    """

    start: float
    stretch: float
    n_frames: int


class Seconds:
    """Draws what is mixed into the crops of an epoch.

    A second track comes with the sampler's weight, among those that a playback speed in the range
    of ``augment`` brings to the crop's tempo, and whose bars are as long. Where the draw is the
    crop's own track, or no track suits, nothing is mixed.

    Args:
        augment: Gives the chances and ranges.
        bpm: Tempo of each track.
        weights: Relative weight of each track.
        bar_lengths: Beats per bar of each track; 0 where it is neither mixed nor mixed into.
    """

    def __init__(
        self,
        augment: Augment,
        bpm: Sequence[float] | NDArray[np.float64],
        weights: Sequence[float] | NDArray[np.float64],
        bar_lengths: Sequence[int],
    ) -> None:
        self.augment = augment
        self.bpm = np.asarray(bpm, dtype=float)
        self.weights = np.asarray(weights, dtype=float)
        self.bar_lengths = np.asarray(bar_lengths)

    def draw(
        self, tracks: NDArray[np.int64], stretches: NDArray[np.float64], rng: np.random.Generator
    ) -> list[Second | None]:
        """Return what is mixed into each crop.

        Args:
            tracks: Number of each crop's track, (crops,).
            stretches: Playback speed of each crop, (crops,).
            rng: Nothing else draws from it.
        """
        total = len(tracks)
        mixed = rng.random(total) < self.augment.mix
        shares, positions = rng.random(total), rng.random(total)
        gains_db = rng.uniform(*self.augment.mix_db, total)
        swapped = rng.random(total) < self.augment.mix_swap
        edges, is_bass = rng.uniform(*CROSSOVER, total), rng.random(total) < 0.5
        partners = self._partners(tracks, self.bpm[tracks] * stretches, shares)
        found: list[Second | None] = [None] * total
        for i in np.flatnonzero(mixed & (partners >= 0) & (partners != tracks)):
            edge = float(edges[i])
            bands = ((0.0, edge) if is_bass[i] else (edge, 1.0)) if swapped[i] else None
            found[i] = Second(int(partners[i]), float(positions[i]), float(gains_db[i]), bands)
        return found

    def _partners(
        self, tracks: NDArray[np.int64], tempi: NDArray[np.float64], shares: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return for each crop the track at a share of the weight of all that suit, or -1."""
        slowest, fastest = self.augment.stretch
        partners = np.full(len(tracks), -1, dtype=np.int64)
        for bar_length in np.unique(self.bar_lengths[self.bar_lengths > 0]):
            # Those that suit are neighbours by tempo, so cumulated weights are all it takes.
            members = np.flatnonzero(self.bar_lengths == bar_length)
            members = members[np.argsort(self.bpm[members], kind="stable")]
            edges = np.concatenate(([0.0], np.cumsum(self.weights[members])))
            crops = np.flatnonzero(self.bar_lengths[tracks] == bar_length)
            low = np.searchsorted(self.bpm[members], tempi[crops] / fastest, side="left")
            high = np.searchsorted(self.bpm[members], tempi[crops] / slowest, side="right")
            crops, low, high = (x[edges[high] > edges[low]] for x in (crops, low, high))
            drawn = edges[low] + shares[crops] * (edges[high] - edges[low])
            place = np.searchsorted(edges, drawn, side="right") - 1
            partners[crops] = members[np.clip(place, low, high - 1)]
        return partners


def place_second(
    first: Track,
    second: Track,
    first_frame: int,
    n_frames: int,
    stretch: float,
    frame_rate: float,
    position: float,
    by_bars: bool,
) -> Placement:
    """Return where a second track lies under a crop so that their beats coincide.

    Args:
        first: The crop's track.
        second: What is mixed into it.
        first_frame: Where the crop begins in its track.
        n_frames: Length of the crop.
        stretch: Playback speed of the crop.
        frame_rate: Frames per second of both tracks.
        position: Where in the second track, from 0 to below 1 of what is possible.
        by_bars: Whether downbeats coincide too.
    """
    grid, other = first.grid, second.grid
    speed = grid.bpm * stretch / other.bpm
    unit = other.beats_per_bar if by_bars else 1  # beats that the second may be moved by
    end = min(second.n_frames, math.ceil(second.duration_s * frame_rate)) - 1  # last known frame
    beat = other.period_s * frame_rate
    room = end - (n_frames - 1) * speed - unit * beat
    wished = position * max(0.0, room)
    # Beats since a downbeat at the crop's first frame; the second must be a multiple of unit away.
    beats = (first_frame / frame_rate - grid.offset_s) / grid.period_s
    moved = unit * math.ceil(((wished - other.offset_s * frame_rate) / beat - beats) / unit)
    start = max(0.0, other.offset_s * frame_rate + (beats + moved) * beat)
    return Placement(start, speed, int(np.clip(math.floor((end - start) / speed) + 1, 0, n_frames)))


def read_placed(track: Track, placement: Placement) -> NDArray[np.float32]:
    """Return the frames of a track at their place, (``placement.n_frames``, mels)."""
    start, stretch, n_frames = placement
    begin = math.floor(start)
    stop = math.ceil(start + (n_frames - 1) * stretch) + 1
    frames = np.asarray(track.load_features()[begin:stop], dtype=np.float32)
    return resample_frames(frames, stretch, n_frames, start - begin)


def mix(
    first: NDArray[np.float32], second: NDArray[np.float32], settings: Second
) -> NDArray[np.float32]:
    """Return the sum of two log-mels, in dB relative to each track's maximum.

    Args:
        first: (frames, mels).
        second: At most as many frames; silence follows.
        settings: Its gain and bands.

    Returns:
        A new array of the shape of ``first``.
    """
    mixed = np.array(first, dtype=np.float32)
    part = mixed[: len(second)]
    added = second + np.float32(settings.gain_db)
    if settings.bands is None:
        # The floor stands for whatever is quieter: it must not raise the first track's.
        added[second <= FLOOR_DB] = SILENCE_DB
        part[:] = add_power(part, added)
    else:
        low, high = (round(share * first.shape[1]) for share in settings.bands)
        part[:, low:high] = np.maximum(added[:, low:high], np.float32(FLOOR_DB))
    return mixed
