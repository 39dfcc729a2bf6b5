"""Value objects shared by every stage: a beatgrid, and a network's activation over time.

Only numpy is imported here, so that search, metrics and export stay free of torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DEFAULT_BEATS_PER_BAR = 4
# A found beat this little before 0 is the beat at 0: loops and exports begin on beat one, and
# estimates err by milliseconds.
START_TOLERANCE_S = 0.010


@dataclass(frozen=True)
class Grid:
    """A constant-tempo beatgrid: beats at ``offset_s + k * 60 / bpm`` for every integer k.

    Attributes:
        bpm: Beats per minute, > 0, full precision.
        offset_s: Time of one downbeat (k = 0) in seconds; may lie anywhere, also before 0.
        beats_per_bar: Every k that is a multiple of it is a downbeat.
    """

    bpm: float
    offset_s: float
    beats_per_bar: int = DEFAULT_BEATS_PER_BAR

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bpm) and self.bpm > 0):
            raise ValueError(f"bpm must be a positive number, not {self.bpm!r}")
        if not math.isfinite(self.offset_s):
            raise ValueError(f"offset_s must be a finite number of seconds, not {self.offset_s!r}")
        if self.beats_per_bar < 1:
            raise ValueError(f"beats_per_bar must be at least 1, not {self.beats_per_bar!r}")

    @property
    def period_s(self) -> float:
        """Seconds from one beat to the next."""
        return 60.0 / self.bpm

    def beat_indices(self, duration_s: float) -> NDArray[np.int64]:
        """Return every integer k whose beat lies inside [0, duration_s), ascending."""
        first = math.ceil(-self.offset_s / self.period_s)
        last = math.ceil((duration_s - self.offset_s) / self.period_s)
        return np.arange(first, max(first, last), dtype=np.int64)

    def beat_times(self, duration_s: float) -> FloatArray:
        """Return the times in seconds of all beats inside [0, duration_s), float64 (beats,)."""
        return self.offset_s + self.beat_indices(duration_s).astype(np.float64) * self.period_s

    def downbeat_times(self, duration_s: float) -> FloatArray:
        """Return the times in seconds of downbeats inside [0, duration_s), float64 (downbeats,)."""
        return self.beat_times(duration_s)[self.bar_positions(duration_s) == 1]

    def bar_positions(self, duration_s: float) -> NDArray[np.int64]:
        """Return the bar position of each of ``beat_times``, 1 on downbeats, int64 (beats,)."""
        return self.beat_indices(duration_s) % self.beats_per_bar + 1

    @property
    def first_beat_s(self) -> float:
        """Time of the first beat of a track; one up to 10 ms before 0 is the beat at 0."""
        return first_in_track_s(self.offset_s, self.period_s)

    @property
    def first_downbeat_s(self) -> float:
        """Time of the first downbeat of a track; one up to 10 ms before 0 is at 0."""
        return first_in_track_s(self.offset_s, self.period_s * self.beats_per_bar)


def first_in_track_s(time_s: float, period_s: float) -> float:
    """Return the first of equidistant times at or after 0.

    A time up to ``START_TOLERANCE_S`` before 0 counts, and becomes 0.

    Args:
        time_s: One of the times.
        period_s: From one to the next.
    """
    periods = math.ceil((-START_TOLERANCE_S - time_s) / period_s)
    return max(0.0, time_s + periods * period_s)


@dataclass(frozen=True, eq=False)
class Activation:
    """Beat (and downbeat) probability per frame of one track.

    Frame ``i`` is centred at ``i / frame_rate`` seconds.

    Attributes:
        beat: Probability of a beat at each frame, (frames,), in [0, 1].
        frame_rate: Frames per second, > 0, never rounded (44100 / 512 is 86.1328125).
        duration_s: Length of the track; by default ``frames / frame_rate``.
        downbeat: Probability of a downbeat at each frame, (frames,), or None where the
            source has no such channel.
        onset: Onset strength per frame in a few bands from low to high, (frames, bands), or
            None. Evidence beside the network's, used to rank candidate grids.
        tempo: Log-probability of each of the tempo classes (``beatgrid.tempo_classes``) for the
            track as a whole, (classes,), or None. Used to rank candidate grids.
        attacks_s: When sounds begin out of near-silence, in seconds, ascending (attacks,), or
            None. There the probabilities come early; grids are moved to these times.
        spectrum_db: Levels in dB in bands from low to high, (frames, bands), or None. Where it
            changes chords and sections begin: evidence for the first beat of the bar.
    """

    beat: NDArray[np.floating]
    frame_rate: float
    duration_s: float = field(default=math.nan)
    downbeat: NDArray[np.floating] | None = None
    onset: NDArray[np.floating] | None = None
    tempo: NDArray[np.floating] | None = None
    attacks_s: FloatArray | None = None
    spectrum_db: NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.frame_rate) and self.frame_rate > 0):
            raise ValueError(f"frame_rate must be positive, not {self.frame_rate!r}")
        for name in ("beat", "downbeat"):
            probability = getattr(self, name)
            if probability is None:
                continue
            probability = np.asarray(probability)
            if probability.ndim != 1:
                raise ValueError(
                    f"{name} must be one probability per frame, (frames,), "
                    f"not of shape {probability.shape}"
                )
            if not np.all((probability >= 0) & (probability <= 1)):
                raise ValueError(
                    f"{name} must hold probabilities in [0, 1] (did you pass logits?); "
                    f"found {np.min(probability)} .. {np.max(probability)}"
                )
            object.__setattr__(self, name, probability)
        for name in ("downbeat", "onset", "spectrum_db"):
            other = getattr(self, name)
            if other is not None and len(other) != len(self.beat):
                raise ValueError(f"{name} has {len(other)} frames, beat has {len(self.beat)}")
        if math.isnan(self.duration_s):
            object.__setattr__(self, "duration_s", len(self.beat) / self.frame_rate)

    def __len__(self) -> int:
        return len(self.beat)

    @property
    def times_s(self) -> FloatArray:
        """Centre of each frame in seconds, float64 (frames,)."""
        return np.arange(len(self.beat)) / self.frame_rate
