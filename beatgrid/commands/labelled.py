"""The labelled tracks that evaluation and calibration are asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from beatgrid.audio.cache import FeatureCache
from beatgrid.audio.features import FeatureSpec
from beatgrid.commands.cli import progress
from beatgrid.data.discovery import discover, of_split
from beatgrid.data.mirdata_labels import Dataset
from beatgrid.data.sources import configured_sources
from beatgrid.data.track import Track, open_tracks
from beatgrid.errors import BeatgridError, LabelError
from beatgrid.files import printable

TRACK_PATHS = tuple(
    f"data.{key}" for key in ("audio_dir", "label_dir", "data_home", "index", "cache_dir")
)
"""Keys of ``labelled_tracks`` whose values are file names."""

NO_GROUP = {"data": "write data.dataset=NAME data.data_home=FOLDER; the group data= is train's"}
"""What ``data=mirdata``, right for a training, is answered by the other commands."""


def labelled_tracks(
    cfg: DictConfig,
    features: FeatureSpec,
    weight: float = 1.0,
    failed: Callable[[Path, LabelError], object] | None = None,
) -> list[Track]:
    """Return the tracks that ``cfg.data`` names: the labelled folder's, then the other sources'.

    Args:
        cfg: ``data.dataset`` takes the place of the labelled folder, ``data.audio_dir=null``
            leaves it out.
        features: What the other sources must hold.
        weight: Of the labelled folder's tracks; the other sources name their own.
        failed: Receives labels that describe no beatgrid; without it they are an error.

    Raises:
        BeatgridError: It names no track, or what it names cannot be read.
    """
    data = cfg.data
    tracks: list[Track] = []
    audio_dir, label_dir = data.audio_dir, data.label_dir
    if data.dataset is not None:
        dataset = Dataset(data.dataset, data.data_home, data.index, data.download)
        folder = dataset.labelled(data.cache_dir)
        audio_dir, label_dir = folder.audio_dir, folder.label_dir
    if audio_dir is not None:
        discovered = discover(audio_dir, label_dir, failed)
        found = of_split(discovered, cfg.data.split)
        tracks += [replace(track, weight=weight) for track in found]
    sources = {name: instantiate(node) for name, node in cfg.data.sources.items()}
    for source in configured_sources(cfg.data.rendered, sources):
        tracks += source.tracks(features)
    if not tracks:
        raise BeatgridError(
            "data.audio_dir=null: name a folder, a data set of mirdata's with data.dataset=..., "
            "or rendered tracks with '+data.rendered.NAME={folder: ...}'"
        )
    return tracks


def usable(tracks: Sequence[Track], cache: FeatureCache, failed: list[str]) -> Iterator[Track]:
    """Yield the tracks with their features at hand, under a progress bar.

    Args:
        tracks: All of them.
        cache: Of the features.
        failed: Receives one line for each track that cannot be used; it goes to standard error
            as well.

    Raises:
        BeatgridError: None of the tracks can be used.
    """

    def report(error: BeatgridError) -> None:
        failed.append(str(error))
        print(f"error: {printable(str(error))}", file=sys.stderr)

    yield from open_tracks(progress(tracks, "tracks"), cache, report)
    if len(failed) == len(tracks):
        raise BeatgridError(f"none of the {len(tracks)} tracks can be used")
