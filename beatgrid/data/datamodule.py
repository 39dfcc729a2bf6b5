"""Lightning data module: labelled folders in, batches of crops and whole tracks out."""

from __future__ import annotations

import functools
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import lightning as L
from torch.utils.data import DataLoader

from beatgrid.audio.cache import FeatureCache
from beatgrid.audio.features import FeatureSpec
from beatgrid.checks import (
    Interval,
    Name,
    NotNegative,
    Positive,
    Processes,
    Seed,
    Whole,
    checked,
)
from beatgrid.data.amounts import in_amounts
from beatgrid.data.augment import Augment
from beatgrid.data.dataset import Crop, CropDataset, TargetSpec, collate, whole_track
from beatgrid.data.discovery import discover
from beatgrid.data.labels import SPLITS
from beatgrid.data.mirdata_labels import Dataset
from beatgrid.data.sampler import CropSampler
from beatgrid.data.sources import TrackSource, configured_sources
from beatgrid.data.split import fold_of, hold_out, split_tracks
from beatgrid.data.tempo_shares import TempoShares, shared
from beatgrid.data.track import Track, open_tracks
from beatgrid.data.workers import WorkerLoader, heed_parent_only
from beatgrid.errors import AudioError, BeatgridError

logger = logging.getLogger(__name__)


Fold = tuple[Annotated[int, Interval(0, 99)], Annotated[int, Interval(2, 100)]]


class BeatDataModule(L.LightningDataModule):
    """Discovers label and audio pairs, caches their features, and serves crops of them.

    ``conf/data`` holds the defaults.

    Args:
        audio_dir: Folder of audio files; None: train on the other sources alone.
        label_dir: Folder of ``NAME.labels.json`` files.
        dataset: mirdata's name of a data set that takes the place of both; None: the folders.
        data_home: Folder of the data set; None: mirdata's own.
        index: mirdata's list of its files; None: the one in mirdata's folder.
        download: Let mirdata fetch what is missing of it.
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
        sources: Any other TrackSource that joins the training split, a name each; null leaves
            one out.
        rendered_val: Folders of rendered features that join the validation split, as ``rendered``
            does the training split.
        weight: How often crops of the labelled folder's tracks are drawn, beside the other
            sources' own weights.
        suspect_weight: Factor on it for tracks whose label is marked ``suspect``.
        held_out: Share of the labelled folder's recordings that is held out, half to validate by
            and half to test by, in as far as labels do not say; None: ``val_count`` counts.
        own_share: Share of the crops that are the labelled folder's, whatever there is of each;
            None leaves it to the weights.
        epoch_hours: Length of an epoch's crops; None: as the tracks and their weights have it.
        fold: (k, n) leaves the k-th of n parts of the labelled folder (0 .. n - 1) out of training:
            the network can then be asked about it as about music that it never heard.
        tempo_shares: Shares of the crops by tempo, all sources together; None leaves them as the
            tracks have them. See :func:`~beatgrid.data.tempo_shares.shared_weights`.
        exclude_licenses: Leave out of training what is under these licences (by prefix, as in
            the label's ``license``).
        skip_bad_audio: Leave unreadable audio out instead of stopping.
        seed: Seed of the crops' positions.
    """

    @checked
    def __init__(
        self,
        *,
        audio_dir: Name | Path | None,
        label_dir: Name | Path,
        dataset: Name | None,
        data_home: Name | Path | None,
        index: Name | Path | None,
        download: bool,
        features: Mapping[str, Any],
        cache_dir: Name | Path,
        val_count: Whole,
        split_seed: Seed | None,
        crop_s: Positive | None,
        batch_size: Annotated[int, Interval(1, 10_000)],
        target: Mapping[str, Any],
        num_workers: Processes,
        augment: Mapping[str, Any] | None,
        rendered: Mapping[str, Mapping[str, Any] | None],
        sources: Mapping[str, TrackSource | None],
        rendered_val: Mapping[str, Mapping[str, Any] | None],
        weight: NotNegative,
        suspect_weight: NotNegative,
        held_out: Annotated[float, Interval(0, 0.5, above=True)] | None,
        own_share: Annotated[float, Interval(0, 1, above=True)] | None,
        epoch_hours: Positive | None,
        fold: Fold | None,
        tempo_shares: TempoShares | None,
        exclude_licenses: Sequence[Name],
        skip_bad_audio: bool,
        seed: Seed,
    ) -> None:
        super().__init__()
        self.audio_dir, self.label_dir = audio_dir, label_dir
        self.dataset = (
            None
            if dataset is None
            else Dataset(dataset, data_home=data_home, index=index, download=download)
        )
        self.features = FeatureSpec.from_dict(features)
        self.cache_dir, self.cache = cache_dir, FeatureCache(cache_dir, self.features)
        self.val_count, self.split_seed = val_count, split_seed
        self.crop_s, self.batch_size = crop_s, batch_size
        self.target = TargetSpec(**target)
        self.num_workers = num_workers
        self.augment = None if augment is None else Augment(**augment)
        self.sources = configured_sources(rendered, sources)
        self.val_sources = configured_sources(rendered_val, {}, "data.rendered_val")
        self.weight, self.suspect_weight = weight, suspect_weight
        self.held_out = held_out
        self.own_share, self.epoch_hours = own_share, epoch_hours
        self.fold, self.tempo_shares = fold, tempo_shares
        if fold is not None and not fold[0] < fold[1]:
            raise BeatgridError(
                f"data.fold={list(fold)}: parts of {fold[1]} are 0 to {fold[1] - 1}"
            )
        self.exclude_licenses = tuple(exclude_licenses)
        self.skip_bad_audio = skip_bad_audio
        self.seed = seed
        self.splits: dict[str, list[Track]] = {}
        self._resume_at = (0, 0)  # epoch, crops of it in all processes
        if crop_s is not None and round(crop_s * self.features.frame_rate) < 1:
            raise BeatgridError(
                f"data.crop_s={crop_s:g}: shorter than a frame of "
                f"{1 / self.features.frame_rate:.3g} s; give seconds, for instance 12"
            )
        if dataset is None and audio_dir is None and not self.sources:
            raise BeatgridError(
                "data.audio_dir=null: name a folder, a data set of mirdata's with "
                "data.dataset=..., or rendered tracks with '+data.rendered.NAME={folder: ...}'"
            )

    @functools.cached_property
    def labelled(self) -> list[Track]:
        """The labelled folder's tracks, discovered once: each doubt about them is said once."""
        audio_dir, label_dir = self.audio_dir, self.label_dir
        if self.dataset is not None:
            folder = self.dataset.labelled(self.cache_dir)
            audio_dir, label_dir = folder.audio_dir, folder.label_dir
        if audio_dir is None:
            return []
        tracks = discover(audio_dir, label_dir)
        if self.held_out is None:
            return tracks
        return hold_out(tracks, self.held_out, self.split_seed or 0)

    def prepare_data(self) -> None:
        """Compute the features that the cache lacks, once per machine."""
        paths = [track.audio_path for track in self.labelled if track.audio_path is not None]
        errors = self.cache.prepare(paths, num_workers=self.num_workers, progress=True)
        if errors and not self.skip_bad_audio:
            raise AudioError(
                *map(str, errors.values()),
                "mend or remove these files, or train without them: data.skip_bad_audio=true",
            )

    def setup(self, stage: str | None = None) -> None:
        """Split the tracks and open their features."""
        if self.splits:
            return
        splits: dict[str, list[Track]] = {name: [] for name in SPLITS}
        if self.labelled:
            splits = split_tracks(self.labelled, self.val_count, self.split_seed)
        splits = {
            name: list(open_tracks(tracks, self.cache, self._skip))
            for name, tracks in splits.items()
        }
        splits["train"] = [t for t in map(self._weighted, splits["train"]) if t.weight > 0]
        n_own = len(splits["train"])
        for source in self.sources:
            splits["train"] += source.tracks(self.features)
        for source in self.val_sources:
            splits["val"] += source.tracks(self.features)
        if not splits["train"]:
            raise BeatgridError(
                f"{self._where}: no track is left to train on; "
                "check exclude_licenses, weight, suspect_weight and fold"
            )
        if self.tempo_shares is not None:
            splits["train"] = shared(
                splits["train"], self.tempo_shares, [t.n_frames for t in splits["train"]]
            )
        if self.own_share is not None or self.epoch_hours is not None:
            splits["train"] = in_amounts(
                splits["train"], n_own, self.own_share, self.epoch_hours, self.crop_s
            )
        self.splits = splits

    @property
    def _where(self) -> str:
        """Where the labelled tracks are from, for messages."""
        if self.dataset is not None:
            return f"data.dataset={self.dataset.name}"
        return f"data.audio_dir={self.audio_dir}"

    def _skip(self, error: BeatgridError) -> None:
        if not (self.skip_bad_audio and isinstance(error, AudioError)):
            raise error
        logger.warning("skipped: %s", error)

    def _weighted(self, track: Track) -> Track:
        weight = self.weight * (self.suspect_weight if track.label.suspect else 1.0)
        if self.fold is not None and fold_of(track, self.fold[1]) == self.fold[0]:
            weight = 0.0
        if (track.label.license or "").startswith(self.exclude_licenses):
            weight = 0.0
        return replace(track, weight=weight)

    def summary(self) -> dict[str, Any]:
        """Return what is trained on, for the checkpoint: amounts, licences, artists, target."""
        splits = {
            name: {"tracks": len(tracks), "hours": sum(t.duration_s for t in tracks) / 3600}
            for name, tracks in self.splits.items()
        }
        hours: defaultdict[str, float] = defaultdict(float)
        for track in self.splits["train"]:
            terms = track.label.license or track.label.source or "unknown"
            hours[terms] += track.duration_s / 3600
        return {
            "splits": splits,
            "hours_by_license": dict(hours),
            "artists": sorted({t.label.artist for t in self.splits["train"] if t.label.artist}),
            "target": asdict(self.target),
            "fold": None if self.fold is None else list(self.fold),
        }

    def split_names(self) -> dict[str, list[str]]:
        """Return the names of each split's tracks, for ``splits.json``."""
        return {name: [track.name for track in tracks] for name, tracks in self.splits.items()}

    def state_dict(self) -> dict[str, int]:
        """Return how far the training has come: whole epochs, and crops of the one begun."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        epochs: Any = loop.epoch_progress.current
        batches: Any = loop.epoch_loop.batch_progress.current
        within = epochs.processed < epochs.started
        n_crops = batches.processed * self.batch_size * self.trainer.world_size if within else 0
        return {"epoch": epochs.processed, "crops": n_crops}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Let the training loader go on from there; it is made before Lightning's loops know."""
        n_crops = state_dict.get("crops")
        if n_crops is None:  # a checkpoint of before, when a process counted its own batches
            n_crops = state_dict["batches"] * self.batch_size * self._rank()[1]
        self._resume_at = state_dict["epoch"], n_crops

    def train_dataloader(self) -> DataLoader:
        """Return a loader of crops at random positions (of whole tracks if ``crop_s`` is None)."""
        dataset = CropDataset(self.splits["train"], self.features, self.target, self.augment)
        rank, world_size = self._rank()
        sampler = CropSampler(
            track_frames=[track.n_frames for track in dataset.tracks],
            crop_frames=(
                None if self.crop_s is None else round(self.crop_s * self.features.frame_rate)
            ),
            weights=[track.weight for track in dataset.tracks],
            seed=self.seed,
            rank=rank,
            world_size=world_size,
            augment=self.augment,
            bpm=[track.grid.bpm for track in dataset.tracks],
            # Where beats are in doubt, two tracks' beats would not coincide.
            bar_lengths=[0 if t.label.suspect else t.grid.beats_per_bar for t in dataset.tracks],
        )
        # Lightning tells the sampler its epoch only after workers have begun to read the first one.
        sampler.go_on(*self._resume_at)
        return self._loader(dataset, sampler, self.batch_size)

    def val_dataloader(self) -> DataLoader | list[DataLoader]:
        """Return a loader of the validation split's whole tracks, one at a time, by name."""
        return self._whole_tracks("val")

    def test_dataloader(self) -> DataLoader | list[DataLoader]:
        """Return a loader of the test split's whole tracks, one at a time."""
        return self._whole_tracks("test")

    def _whole_tracks(self, split: str) -> DataLoader | list[DataLoader]:
        if not self.splits[split]:
            return []  # Lightning then skips the loop; an empty loader would make it warn
        dataset = CropDataset(self.splits[split], self.features, self.target)
        rank, world_size = self._rank()
        n_tracks = len(dataset.tracks)
        # As many for each process, or those that have more would wait for ever; what is there
        # twice does not count.
        places = range(rank, -(-n_tracks // world_size) * world_size, world_size)
        crops: Sequence[Crop] = [
            whole_track(dataset.tracks[i % n_tracks], i % n_tracks)._replace(counts=i < n_tracks)
            for i in places
        ]
        return self._loader(dataset, crops, batch_size=1)

    def _rank(self) -> tuple[int, int]:
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer is not None else (0, 1)

    def _is_for_cuda(self) -> bool:
        return self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"

    def _loader(
        self, dataset: CropDataset, sampler: CropSampler | Sequence[Crop], batch_size: int
    ) -> DataLoader:
        return WorkerLoader(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            collate_fn=collate,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=self._is_for_cuda(),  # Lightning then copies while the GPU computes
            worker_init_fn=heed_parent_only,
        )
