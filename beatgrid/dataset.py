"""Crops and whole tracks of features with their frame targets."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from beatgrid.augment import Augment, resample_frames
from beatgrid.cache import CachedTrack, FeatureCache
from beatgrid.discovery import LabelledTrack
from beatgrid.errors import LabelError
from beatgrid.features import FeatureSpec
from beatgrid.grid import Grid
from beatgrid.labels import Label
from beatgrid.model import pad_stack
from beatgrid.targets import TargetShape, beat_target

logger = logging.getLogger(__name__)

DOWNBEAT_TRUST = {
    "reliable": ("reliable",),
    "likely": ("reliable", "likely"),
}


@dataclass(frozen=True, eq=False)
class Track:
    """One labelled track, features at hand.

    Attributes:
        name: Unique within the data set.
        grid: The label's grid.
        downbeat: How far its bars can be trusted, as in the label.
        duration_s: Where the label's grid ends.
        cached: Features (frames, mels) on disk.
        audio_path: The audio, or None where only features exist.
        weight: How often its crops are drawn, relative to 1.
        group: Versions of one recording share it.
        suspect: What of the label is in doubt, such as ``octave``; None if nothing is.
        license: Licence of the music, as its label states it.
        artist: Whose music it is.
        source: Renderer of synthetic music.
    """

    name: str
    grid: Grid
    downbeat: str
    duration_s: float
    cached: CachedTrack
    audio_path: Path | None = None
    weight: float = 1.0
    group: str | None = None
    suspect: str | None = None
    license: str | None = None
    artist: str | None = None
    source: str | None = None


def open_track(pair: LabelledTrack, cache: FeatureCache) -> Track:
    """A labelled track with its features, computed now if the cache lacks them.

    Raises:
        AudioError: The audio cannot be decoded or is silent.
        LabelError: The label's duration is not this audio's, or no beat lies within it.
    """
    cached = cache.get(pair.audio_path)
    label, audio_s = pair.label, cached.duration_s
    duration_s = label.duration_within(audio_s)
    if label.duration_s is not None and abs(label.duration_s - audio_s) > 1.0:
        logger.warning(
            "%s: duration %.1f s, but %s has %.1f s: is it the same recording?",
            *(label.path, label.duration_s, pair.audio_path.name, audio_s),
        )
    if not len(label.grid.beat_indices(duration_s)):
        raise LabelError(
            f"{label.path}: no beat lies in the {duration_s:.1f} s of {pair.audio_path.name}; "
            "check bpm and downbeatOffset"
        )
    return track_from(label, cached, duration_s, pair.audio_path)


def track_from(
    label: Label, cached: CachedTrack, duration_s: float, audio_path: Path | None = None
) -> Track:
    """A track from what its label says, with features at hand."""
    return Track(
        name=label.name,
        grid=label.grid,
        downbeat=label.downbeat,
        duration_s=duration_s,
        cached=cached,
        audio_path=audio_path,
        group=label.group,
        suspect=label.extra.get("suspect"),
        license=label.extra.get("license"),
        artist=label.extra.get("artist"),
        source=label.extra.get("source"),
    )


@dataclass(frozen=True)
class TargetSpec:
    """What the network learns to put out.

    Attributes:
        shape: ``box`` (1 within ``width_s`` of a beat, as in the notebook) or ``soft`` (a bump
            at the fractional beat time).
        width_s: Half-width of the box, or the bump's width, in seconds.
        downbeat_trust: ``reliable``, or ``likely`` to learn bars from likely downbeats as well.
    """

    shape: TargetShape = "box"
    width_s: float = 0.03
    downbeat_trust: str = "reliable"

    def __post_init__(self) -> None:
        if self.downbeat_trust not in DOWNBEAT_TRUST:
            raise ValueError(
                f"downbeat_trust={self.downbeat_trust!r}: must be one of {list(DOWNBEAT_TRUST)}"
            )


class Crop(NamedTuple):
    """A stretch of one track, possibly played at another speed.

    Attributes:
        track: Which one.
        first_frame: Where it begins.
        n_frames: Its length after the change of speed.
        stretch: Source frames per frame: above 1 is faster.
        seed: What decides the crop's augmentation; None for none.
    """

    track: int
    first_frame: int
    n_frames: int
    stretch: float = 1.0
    seed: tuple[int, ...] | None = None


def frame_targets(
    track: Track, crop: Crop, frame_rate: float, spec: TargetSpec
) -> tuple[np.ndarray, np.ndarray]:
    """Beat and downbeat target of each frame of a crop, and where they are known.

    Returns:
        Target and mask, float32 (frames, 2). The mask is 0 past the label's duration, and
        everywhere in the downbeat channel of a track whose bars are not trusted.
    """
    start_s = crop.first_frame / frame_rate
    times = (track.grid.beat_times(track.duration_s), track.grid.downbeat_times(track.duration_s))
    target = np.stack(
        [
            beat_target(
                (t - start_s) / crop.stretch, crop.n_frames, frame_rate, spec.shape, spec.width_s
            )
            for t in times
        ],
        axis=-1,
    )
    frame_times_s = start_s + np.arange(crop.n_frames) * crop.stretch / frame_rate
    known = frame_times_s < track.duration_s
    bars_known = known & (track.downbeat in DOWNBEAT_TRUST[spec.downbeat_trust])
    return target, np.stack([known, bars_known], axis=-1).astype(np.float32)


class CropDataset(Dataset[dict[str, Any]]):
    """Reads the crops that a sampler asks for; all chance lies in the crop's own seed."""

    def __init__(
        self,
        tracks: Sequence[Track],
        features: FeatureSpec,
        target: TargetSpec,
        augment: Augment | None = None,
    ) -> None:
        self.tracks = list(tracks)
        self.frame_rate = features.frame_rate
        self.target = target
        self.augment = augment

    def __getitem__(self, crop: Crop) -> dict[str, Any]:
        """Features (frames, mels), target and mask (frames, 2) of one crop."""
        track = self.tracks[crop.track]
        stop = crop.first_frame + source_frames(crop.n_frames, crop.stretch)
        features = np.asarray(track.cached.features[crop.first_frame : stop], dtype=np.float32)
        if crop.stretch != 1.0:
            features = resample_frames(features, crop.stretch, crop.n_frames)
        if self.augment is not None and crop.seed is not None:
            features = self.augment(features, np.random.default_rng(crop.seed))
        target, mask = frame_targets(track, crop, self.frame_rate, self.target)
        return {
            "features": torch.from_numpy(features),
            "target": torch.from_numpy(target),
            "mask": torch.from_numpy(mask),
            "track": crop.track,
        }


def source_frames(n_frames: int, stretch: float) -> int:
    """Frames of the track that ``n_frames`` of a crop are made from."""
    return math.ceil((n_frames - 1) * stretch) + 1


class CropSampler(Sampler[Crop]):
    """Draws an epoch of crops: positions anew each epoch, the same for a seed and an epoch.

    A track of weight 1 gives as many crops as fit into it, so an epoch is about all of the audio
    once; weights change how often each is drawn. Whole tracks (``crop_frames=None``) come
    once each, in a new order. The draw depends on nothing but ``seed`` and the epoch, which
    Lightning sets before each epoch: neither the number of workers nor a resumed run changes it.

    Args:
        track_frames: Frames of each track.
        crop_frames: Length of a crop, or None for whole tracks.
        weights: Relative weight of each track.
        seed: Seed of all draws.
        rank: This process among ``world_size``; each takes its own share of the epoch.
        world_size: Processes that train together.
        augment: Gives the range of playback speeds; None leaves crops as they are.
    """

    def __init__(
        self,
        track_frames: Sequence[int],
        crop_frames: int | None,
        weights: Sequence[float],
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        augment: Augment | None = None,
    ) -> None:
        self.augment = augment
        self.track_frames = np.asarray(track_frames)
        self.crop_frames = crop_frames
        self.seed, self.rank, self.world_size = seed, rank, world_size
        self.epoch = 0
        per_track = np.asarray(weights, dtype=float)
        if crop_frames is not None:
            per_track = per_track * np.maximum(1.0, self.track_frames / crop_frames)
        self.expected = per_track
        # Every process must yield the same number of crops, or the others wait for ever.
        total = max(1, round(per_track.sum())) if crop_frames is not None else len(track_frames)
        self.length = -(-total // world_size)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops the next iteration yields."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Crop]:
        rng = np.random.default_rng((self.seed, self.epoch))
        total = self.length * self.world_size
        if self.crop_frames is None:
            tracks = np.resize(rng.permutation(len(self.track_frames)), total)
        else:
            # Systematic sampling: each track comes floor or ceil of its expected count.
            edges = np.cumsum(self.expected) / self.expected.sum() * total
            tracks = np.searchsorted(edges, np.arange(total) + rng.random(), side="right")
            tracks = rng.permutation(np.minimum(tracks, len(edges) - 1))
        positions = rng.random(total)
        stretches = np.ones(total)
        if self.augment is not None:
            slowest, fastest = np.log(self.augment.stretch)
            varied = rng.random(total) < self.augment.probability
            stretches[varied] = np.exp(rng.uniform(slowest, fastest, total))[varied]
        for i in range(self.rank, total, self.world_size):
            available, stretch = int(self.track_frames[tracks[i]]), float(stretches[i])
            n_frames = min(self.crop_frames or available, int((available - 1) / stretch) + 1)
            first = int(positions[i] * (available - source_frames(n_frames, stretch) + 1))
            seed = None if self.augment is None else (self.seed, self.epoch, i)
            yield Crop(int(tracks[i]), first, n_frames, stretch, seed)


def whole_track(track: Track, index: int = 0) -> Crop:
    """The crop that is all of a track, which is number ``index`` of its data set."""
    return Crop(index, 0, track.cached.n_frames)


def collate(items: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    """Pad items of unequal length at their end; padded frames have mask 0.

    Returns:
        ``features`` (batch, frames, mels), ``target`` and ``mask`` (batch, frames, 2),
        ``n_frames`` int64 (batch,), ``track`` int64 (batch,).
    """
    return {
        **{key: pad_stack([item[key] for item in items]) for key in ("features", "target", "mask")},
        "n_frames": torch.tensor([len(item["features"]) for item in items]),
        "track": torch.tensor([item["track"] for item in items]),
    }
