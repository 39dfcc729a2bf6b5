"""Lightning data module: labelled folders in, batches of crops and whole tracks out."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import lightning as L
from torch.utils.data import DataLoader

from beatgrid.audio.cache import FeatureCache
from beatgrid.audio.features import FeatureSpec
from beatgrid.data.augment import Augment
from beatgrid.data.dataset import Crop, CropDataset, TargetSpec, collate, whole_track
from beatgrid.data.discovery import LabelledTrack, discover, split_tracks
from beatgrid.data.rendered import rendered_tracks
from beatgrid.data.sampler import CropSampler
from beatgrid.data.track import Track, open_track
from beatgrid.errors import AudioError, BeatgridError

logger = logging.getLogger(__name__)


class BeatDataModule(L.LightningDataModule):
    """Discovers label and audio pairs, caches their features, and serves crops of them.

    Args:
        audio_dir: Folder of audio files.
        label_dir: Folder of ``NAME.labels.json`` files.
        features: Fields of a FeatureSpec.
        cache_dir: Folder for features; made if missing, safe to share and to delete.
        val_count: Tracks that validate where the labels name no ``split``.
        split_seed: Shuffles before that split; None keeps the order of the names.
        crop_s: Length of a training crop in seconds; None trains on whole tracks.
        batch_size: Crops in a batch.
        target: Fields of a TargetSpec.
        num_workers: Processes that read crops, and that compute features at the start.
        augment: Fields of an Augment, varying the training crops; None for none.
        rendered: Folders of rendered features (``beatgrid.data.rendered``) that join the training
            split: a name each, with ``folder`` and ``weight``; null leaves one out.
        weight: How often crops of the labelled folder's tracks are drawn, beside the rendered
            folders' own weights.
        suspect_weight: Factor on it for tracks whose label is marked ``suspect``.
        exclude_licenses: Leave out of training what is under these licences (by prefix, as in
            the label's ``license``).
        skip_bad_audio: Leave unreadable audio out instead of stopping.
        seed: Seed of the crops' positions.
    """

    def __init__(
        self,
        audio_dir: str | Path,
        label_dir: str | Path,
        features: Mapping[str, Any],
        cache_dir: str | Path,
        val_count: int = 2,
        split_seed: int | None = None,
        crop_s: float | None = 12.0,
        batch_size: int = 8,
        target: Mapping[str, Any] | None = None,
        num_workers: int = 0,
        augment: Mapping[str, Any] | None = None,
        rendered: Mapping[str, Mapping[str, Any]] | None = None,
        weight: float = 1.0,
        suspect_weight: float = 1.0,
        exclude_licenses: Sequence[str] = (),
        skip_bad_audio: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if crop_s is not None and crop_s <= 0:
            raise BeatgridError(
                f"data.crop_s={crop_s}: must be a positive number of seconds, or null"
            )
        self.audio_dir, self.label_dir = Path(audio_dir), Path(label_dir)
        self.features = FeatureSpec.from_dict(features)
        self.cache = FeatureCache(cache_dir, self.features)
        self.val_count, self.split_seed = val_count, split_seed
        self.crop_s, self.batch_size = crop_s, batch_size
        self.target = TargetSpec(**(target or {}))
        self.num_workers = num_workers
        self.augment = None if augment is None else Augment(**augment)
        self.rendered = {name: given for name, given in (rendered or {}).items() if given}
        self.weight, self.suspect_weight = weight, suspect_weight
        self.exclude_licenses = tuple(exclude_licenses)
        self.skip_bad_audio = skip_bad_audio
        self.seed = seed
        self.splits: dict[str, list[Track]] = {}

    def prepare_data(self) -> None:
        """Compute the features that the cache lacks, once per machine."""
        paths = [t.audio_path for t in discover(self.audio_dir, self.label_dir)]
        errors = self.cache.prepare(paths, num_workers=self.num_workers, progress=True)
        if errors and not self.skip_bad_audio:
            raise AudioError(
                "\n".join(str(error) for error in errors.values())
                + "\nmend or remove these files, or train without them: data.skip_bad_audio=true"
            )

    def setup(self, stage: str | None = None) -> None:
        """Split the tracks and open their features."""
        if self.splits:
            return
        pairs = discover(self.audio_dir, self.label_dir)
        splits = split_tracks(pairs, self.val_count, self.split_seed)
        tracks = {
            name: [track for pair in pairs_of_split if (track := self._track(pair)) is not None]
            for name, pairs_of_split in splits.items()
        }
        tracks["train"] = [t for t in map(self._weighted, tracks["train"]) if t.weight > 0]
        for settings in self.rendered.values():
            tracks["train"] += rendered_tracks(features=self.features, **settings)
        if not tracks["train"]:
            raise BeatgridError(
                f"data.audio_dir={self.audio_dir}: no track is left to train on; "
                "check exclude_licenses, weight and suspect_weight"
            )
        self.splits = tracks

    def _track(self, pair: LabelledTrack) -> Track | None:
        try:
            return open_track(pair, self.cache)
        except AudioError as error:
            if not self.skip_bad_audio:
                raise
            logger.warning("skipped: %s", error)
            return None

    def _weighted(self, track: Track) -> Track:
        weight = self.weight * (self.suspect_weight if track.suspect else 1.0)
        if str(track.extra.get("license", "")).startswith(self.exclude_licenses):
            weight = 0.0
        return replace(track, weight=weight)

    def summary(self) -> dict[str, Any]:
        """What is trained on, for the checkpoint: amounts, licences, artists, and the target."""
        splits = {
            name: {"tracks": len(tracks), "hours": sum(t.duration_s for t in tracks) / 3600}
            for name, tracks in self.splits.items()
        }
        hours: defaultdict[str, float] = defaultdict(float)
        for track in self.splits["train"]:
            hours[str(track.extra.get("license") or track.extra.get("source") or "unknown")] += (
                track.duration_s / 3600
            )
        return {
            "splits": splits,
            "hours_by_license": dict(hours),
            "artists": sorted(
                {str(t.extra["artist"]) for t in self.splits["train"] if "artist" in t.extra}
            ),
            "target": asdict(self.target),
        }

    def split_names(self) -> dict[str, list[str]]:
        """The names of each split's tracks, for ``splits.json``."""
        return {name: [track.name for track in tracks] for name, tracks in self.splits.items()}

    def train_dataloader(self) -> DataLoader:
        """Batches of crops at random positions (or of whole tracks if ``crop_s`` is None)."""
        dataset = CropDataset(self.splits["train"], self.features, self.target, self.augment)
        rank, world_size = self._rank()
        sampler = CropSampler(
            track_frames=[track.cached.n_frames for track in dataset.tracks],
            crop_frames=(
                None if self.crop_s is None else round(self.crop_s * self.features.frame_rate)
            ),
            weights=[track.weight for track in dataset.tracks],
            seed=self.seed,
            rank=rank,
            world_size=world_size,
            augment=self.augment,
        )
        if self.trainer is not None:
            # Lightning tells the sampler its epoch only after workers have begun to read the
            # first one, which is another than 0 where a run is resumed.
            sampler.set_epoch(self.trainer.current_epoch)
        return self._loader(dataset, sampler, self.batch_size)

    def val_dataloader(self) -> DataLoader | list[DataLoader]:
        """Whole tracks of the validation split, one at a time, in the order of their names."""
        return self._whole_tracks("val")

    def test_dataloader(self) -> DataLoader | list[DataLoader]:
        """Whole tracks of the test split, one at a time."""
        return self._whole_tracks("test")

    def _whole_tracks(self, split: str) -> DataLoader | list[DataLoader]:
        if not self.splits[split]:
            return []  # Lightning then skips the loop; an empty loader would make it warn
        dataset = CropDataset(self.splits[split], self.features, self.target)
        rank, world_size = self._rank()
        crops: Sequence[Crop] = [
            whole_track(dataset.tracks[i], i) for i in range(rank, len(dataset.tracks), world_size)
        ]
        return self._loader(dataset, crops, batch_size=1)

    def _rank(self) -> tuple[int, int]:
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer is not None else (0, 1)

    def _loader(
        self, dataset: CropDataset, sampler: CropSampler | Sequence[Crop], batch_size: int
    ) -> DataLoader:
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            collate_fn=collate,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=False,
        )
