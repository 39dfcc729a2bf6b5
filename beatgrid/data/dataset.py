"""Crops and whole tracks of features with their frame targets."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from beatgrid.audio.features import FeatureSpec
from beatgrid.checks import Positive, check_fields
from beatgrid.data.augment import Augment, resample_frames
from beatgrid.data.mixing import Second, mix, place_second, read_placed
from beatgrid.data.targets import TargetShape, beat_target
from beatgrid.data.track import Track
from beatgrid.tempo_classes import class_target

DOWNBEAT_TRUST = {
    "reliable": ("reliable",),
    "likely": ("reliable", "likely"),
}


@dataclass(frozen=True)
class TargetSpec:
    """What the network learns to put out.

    Attributes:
        shape: ``box`` (1 within ``width_s`` of a beat, as in the notebook) or ``soft`` (a bump
            at the fractional beat time).
        width_s: Half-width of the box, or standard deviation of the bump, in seconds.
        downbeat_trust: ``reliable``, or ``likely`` to learn bars from likely downbeats as well.
    """

    shape: TargetShape = "soft"
    width_s: Positive = 0.015
    downbeat_trust: Literal["reliable", "likely"] = "likely"

    def __post_init__(self) -> None:
        check_fields(self)


NOTEBOOK_TARGET = TargetSpec("box", 0.03, "reliable")
"""Target of the original notebook's network, and of any checkpoint that names none."""


class Crop(NamedTuple):
    """A stretch of one track, possibly played at another speed.

    Attributes:
        track: Which one.
        first_frame: Where it begins.
        n_frames: Its length after the change of speed.
        stretch: Source frames per frame: above 1 is faster.
        seed: What decides the crop's augmentation; None for none.
        counts: False where it is only there to give a process as many as the others: it has no
            valid frame then.
        second: What is mixed into it; None for nothing.
    """

    track: int
    first_frame: int
    n_frames: int
    stretch: float = 1.0
    seed: tuple[int, ...] | None = None
    counts: bool = True
    second: Second | None = None


def trusts_bars(track: Track, spec: TargetSpec) -> bool:
    """Return whether bars are learnt from a track's label."""
    return track.label.downbeat in DOWNBEAT_TRUST[spec.downbeat_trust]


def frame_targets(
    track: Track, crop: Crop, frame_rate: float, spec: TargetSpec
) -> tuple[np.ndarray, np.ndarray]:
    """Return beat and downbeat targets of each frame of a crop, and where they are known.

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
    bars_known = known & trusts_bars(track, spec)
    return target, np.stack([known, bars_known], axis=-1).astype(np.float32)


def tempo_target(track: Track, crop: Crop) -> np.ndarray:
    """Return the distribution over tempo classes of a crop, float32 (classes,).

    Zero where the tempo octave of the label is in doubt.
    """
    return class_target(0.0 if track.label.suspect == "octave" else track.grid.bpm * crop.stretch)


class CropDataset(Dataset[dict[str, Any]]):
    """Reads the crops that a sampler asks for; a crop's own seed determines its augmentation."""

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
        """Return features (frames, mels), target and mask (frames, 2), tempo (classes,)."""
        track = self.tracks[crop.track]
        stop = crop.first_frame + source_frames(crop.n_frames, crop.stretch)
        features = np.asarray(track.load_features()[crop.first_frame : stop], dtype=np.float32)
        if crop.stretch != 1.0:
            features = resample_frames(features, crop.stretch, crop.n_frames)
        target, mask = frame_targets(track, crop, self.frame_rate, self.target)
        if crop.second is not None:
            features, bars_agree = self._mixed(features, crop, crop.second)
            mask[:, 1] *= bars_agree
        if self.augment is not None and crop.seed is not None:
            features = self.augment(features, np.random.default_rng(crop.seed))
        tempo = tempo_target(track, crop)
        if not crop.counts:
            mask, tempo = np.zeros_like(mask), np.zeros_like(tempo)
        return {
            "features": torch.from_numpy(features),
            "target": torch.from_numpy(target),
            "mask": torch.from_numpy(mask),
            "tempo": torch.from_numpy(tempo),
            "track": crop.track,
            "counts": crop.counts,
        }

    def _mixed(
        self, features: NDArray[np.float32], crop: Crop, second: Second
    ) -> tuple[NDArray[np.float32], bool]:
        """Return a crop's features with the second track's, and whether their downbeats coincide.

        Where bars are trusted in one of the tracks alone, those of the mix are not known.
        """
        tracks = self.tracks[crop.track], self.tracks[second.track]
        by_bars = all(trusts_bars(track, self.target) for track in tracks)
        placement = place_second(
            *tracks,
            crop.first_frame,
            crop.n_frames,
            crop.stretch,
            self.frame_rate,
            second.position,
            by_bars,
        )
        return mix(features, read_placed(tracks[1], placement), second), by_bars


def source_frames(n_frames: int, stretch: float) -> int:
    """Return how many frames of the track ``n_frames`` of a crop are made from."""
    return math.ceil((n_frames - 1) * stretch) + 1


def whole_track(track: Track, index: int = 0) -> Crop:
    """Return the crop that is all of a track, which is number ``index`` of its data set."""
    return Crop(index, 0, track.n_frames)


def collate(items: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    """Pad items of unequal length at their end; padded frames have mask 0.

    Returns:
        ``features`` (batch, frames, mels), ``target`` and ``mask`` (batch, frames, 2), ``tempo``
        (batch, classes),
        ``n_frames`` int64 (batch,), ``track`` int64 (batch,), ``counts`` bool (batch,).
    """
    pad = functools.partial(pad_sequence, batch_first=True)
    return {
        **{key: pad([item[key] for item in items]) for key in ("features", "target", "mask")},
        "tempo": torch.stack([item["tempo"] for item in items]),
        "n_frames": torch.tensor([len(item["features"]) for item in items]),
        "track": torch.tensor([item["track"] for item in items]),
        "counts": torch.tensor([item["counts"] for item in items]),
    }
