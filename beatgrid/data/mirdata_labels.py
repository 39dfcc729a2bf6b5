"""Data sets of research as labelled folders, by the loaders of mirdata.

mirdata (R. Bittner et al., "mirdata: Software for reproducible usage of datasets", ISMIR 2019)
knows where some sixty data sets keep their audio and annotations. Those with beats become labels
like a user's own, in a folder below the cache, wherever the beats keep one tempo
(``beatgrid.data.annotated_beats``); from there on a data set is a labelled folder. A tempo alone
says nothing of where beats are, so tracks without beats are left out.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import json
import logging
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from beatgrid.data.annotated_beats import AnnotatedGrid, UnusableBeatsError, annotated_grid
from beatgrid.data.labels import SUFFIX, label_content
from beatgrid.errors import BeatgridError, MissingPackageError
from beatgrid.files import printable, write_json
from beatgrid.processes import describe

logger = logging.getLogger(__name__)

MAX_NAMED = 5
"""Tracks of a kind that a line names."""

_BEATS, _TEMPI = ("beats", "beat"), ("tempo", "tempo_v2", "tempos")
# Of a whole track: mixes before single microphones.
_AUDIO = ("audio_path", "audio_mix_path", "mix_path", "audio_mic_path")
_SPLITS = {
    **{"train": "train", "training": "train", "test": "test", "testing": "test"},
    **{"val": "val", "valid": "val", "validation": "val", "dev": "val"},
}
_MAX_TERMS = 200


@dataclass(frozen=True)
class LabelledFolder:
    """A folder of audio and one of labels, as ``discover`` takes them.

    Attributes:
        audio_dir: All audio is in it or below.
        label_dir: Of ``NAME.labels.json`` files.
    """

    audio_dir: Path
    label_dir: Path


@dataclass(frozen=True)
class Dataset:
    """A data set that mirdata knows.

    Attributes:
        name: mirdata's name of it, such as "ballroom".
        data_home: Its folder; None: mirdata's own, ``~/mir_datasets/NAME``.
        index: mirdata's list of its files; None: the one in mirdata's own folder.
        download: Let mirdata fetch what is missing, from where the data set's authors keep it.
    """

    name: str
    data_home: str | os.PathLike[str] | None = None
    index: str | os.PathLike[str] | None = None
    download: bool = False

    def labelled(self, cache_dir: str | os.PathLike[str]) -> LabelledFolder:
        """Write labels for the tracks that have beats of one tempo, and audio.

        Labels of an earlier call that are not among them any more are removed. What is left out is
        logged, a line for each reason, with how many and which.

        Args:
            cache_dir: The labels lie in ``datasets/NAME-...`` below it.

        Raises:
            BeatgridError: mirdata is not installed, knows no such data set or has no index of it;
                the data set has no beats; none of its tracks can be used.
        """
        loader = _loader(self)
        track_ids = _track_ids(loader, self.where)
        left_out: defaultdict[str, list[str]] = defaultdict(list)
        found = list(_usable(loader, track_ids, left_out))
        for reason, names in left_out.items():
            logger.warning(
                "%s: left out %d of %d tracks, %s: %s",
                *(self.name, len(names), len(track_ids), printable(reason), _named(names)),
            )
        if not found:
            counts = ", ".join(f"{len(names)} {reason}" for reason, names in left_out.items())
            raise BeatgridError(
                f"{self.where}: none of its {len(track_ids)} tracks in {loader.data_home} can be "
                f"used ({printable(counts)}); check data.data_home"
            )
        audio_dir = Path(os.path.commonpath([piece.audio.parent for piece in found]))
        home = os.fsencode(os.path.realpath(loader.data_home))
        digest = hashlib.blake2b(home, digest_size=4).hexdigest()
        label_dir = Path(cache_dir) / "datasets" / f"{self.name}-{loader.version}-{digest}"
        written: set[str] = set()
        for piece in found:
            path = label_dir / f"{_file_stem(piece.track.track_id, written)}{SUFFIX}"
            written.add(path.name)
            about = _about(piece.track, loader, self.name)
            _write(path, piece.audio.relative_to(audio_dir), piece.grid, about)
        for path in label_dir.glob(f"*{SUFFIX}"):
            if path.name not in written:
                path.unlink(missing_ok=True)
        logger.info(
            "%s: %d of %d tracks, labels in %s",
            *(self.name, len(found), len(track_ids), label_dir),
        )
        return LabelledFolder(audio_dir, label_dir)

    @property
    def where(self) -> str:
        """The key that a user chose it by, for messages."""
        return f"data.dataset={self.name}"


@dataclass(frozen=True)
class _Piece:
    """A track that can be used: mirdata's object, its audio and its grid."""

    track: Any
    audio: Path
    grid: AnnotatedGrid


def _usable(
    loader: Any, track_ids: list[str], left_out: defaultdict[str, list[str]]
) -> Iterator[_Piece]:
    """Yield the tracks that can be used; enter the others by reason."""
    for track_id in track_ids:
        try:
            track = loader.track(track_id)
            audio, grid = _audio(track), _grid(track)
        except UnusableBeatsError as error:
            left_out[error.kind].append(track_id)
        except FileNotFoundError:
            left_out["annotations are missing"].append(track_id)
        except Exception as error:  # its annotations may hold anything
            left_out[f"annotations cannot be read ({describe(error)})"].append(track_id)
        else:
            if audio is None:
                left_out["audio is missing"].append(track_id)
            else:
                yield _Piece(track, audio, grid)


def _loader(dataset: Dataset) -> Any:
    """Return mirdata's loader, with its index at hand."""
    name, where = dataset.name, dataset.where
    if importlib.util.find_spec("mirdata") is None:
        raise MissingPackageError(where, "mirdata")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cloud storage, which mirdata can read from as well
        mirdata = importlib.import_module("mirdata")
        known = mirdata.list_datasets()
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {close[0]}?" if close else "see mirdata.list_datasets()"
            raise BeatgridError(f"{where}: mirdata knows no such data set; {meant}")
        home = None if dataset.data_home is None else os.fspath(dataset.data_home)
        try:
            loader = mirdata.initialize(name, data_home=home)
        except ImportError as error:
            raise BeatgridError(f"{where}: mirdata's loader cannot be used ({error})") from error
    _check_beats(loader, where)
    if dataset.index is not None:
        loader.index_path = os.fspath(dataset.index)
    if dataset.download:
        _download(loader, where)
    if not os.path.isdir(loader.data_home):
        raise BeatgridError(
            f"data.data_home={loader.data_home}: no such folder; name the one that holds {name}"
        )
    if not os.path.isfile(loader.index_path):
        raise BeatgridError(
            f"{where}: mirdata's index of it is not at {loader.index_path}; data.download=true "
            "fetches it, or name the file with data.index=..."
        )
    return loader


def _download(loader: Any, where: str) -> None:
    """Let mirdata fetch the index, and the data set itself into an empty folder."""
    home = Path(loader.data_home)
    is_there = home.is_dir() and any(home.iterdir())
    try:
        if not is_there:
            loader.download()
        elif not os.path.isfile(loader.index_path):
            loader.download(["index"])
    except Exception as error:  # of the network, of archives, of what cannot be fetched at all
        raise BeatgridError(f"{where}: cannot be downloaded ({describe(error)})") from error


def _check_beats(loader: Any, where: str) -> None:
    """Refuse a data set whose tracks have no beats.

    Raises:
        BeatgridError: With what they have.
    """
    kind = loader._track_class  # public only by way of a track, for which the index is needed
    if any(hasattr(kind, name) for name in _BEATS):
        return
    if any(hasattr(kind, name) for name in _TEMPI):
        raise BeatgridError(
            f"{where}: has tempi and no beats; a tempo alone does not say where beats are, "
            "so there is nothing to train on or to measure a grid by"
        )
    raise BeatgridError(f"{where}: has neither beats nor tempi")


def _track_ids(loader: Any, where: str) -> list[str]:
    """Return the tracks of an index."""
    try:
        track_ids = sorted(loader.track_ids)
        loader.track(track_ids[0])
    except Exception as error:  # the index may be any file
        raise BeatgridError(
            f"{where}: {loader.index_path} is no index of it ({describe(error)})"
        ) from error
    return track_ids


def _grid(track: Any) -> AnnotatedGrid:
    """Return the grid of a track's beats.

    Raises:
        UnusableBeatsError: It has none, or they keep no tempo.
    """
    beats = next((b for b in (getattr(track, n, None) for n in _BEATS) if b is not None), None)
    if beats is None:
        raise UnusableBeatsError("no beats", "its annotations have none")
    unit = {"s": 1.0, "ms": 1e-3}.get(beats.time_unit)
    if unit is None:
        raise UnusableBeatsError("no times in seconds", f"their unit is {beats.time_unit}")
    positions = None
    if beats.positions is not None and beats.position_unit == "bar_index":
        positions = np.asarray(beats.positions).astype(np.int64)
    return annotated_grid(np.asarray(beats.times, dtype=np.float64) * unit, positions)


def _audio(track: Any) -> Path | None:
    """Return the audio of a track, without links on the way; None where it is not there."""
    for name in _AUDIO:
        path = getattr(track, name, None)
        if isinstance(path, str) and os.path.isfile(path):
            return Path(os.path.realpath(path))
    return None


def _about(track: Any, loader: Any, dataset: str) -> dict[str, Any]:
    """Return what a label says beside its grid."""
    found: dict[str, Any] = {"source": f"mirdata {dataset} {loader.version}"}
    terms = " ".join(str(getattr(loader, "_license_info", None) or "").split())
    found["license"] = terms[:_MAX_TERMS] or None
    for key, names in {"genre": ("genre",), "artist": ("artist", "artist_name")}.items():
        for name in names:
            value = None
            with contextlib.suppress(Exception):  # read from a file that may not be there
                value = getattr(track, name, None)
            if isinstance(value, list | tuple) and value:
                value = value[0]
            if isinstance(value, str) and value:
                found[key] = value
    split = None
    with contextlib.suppress(Exception):
        split = getattr(track, "split", None)
    found["split"] = _SPLITS.get(str(split).lower())
    return found


def _write(path: Path, place: Path, annotated: AnnotatedGrid, about: dict[str, Any]) -> None:
    """Write a label, if it is not there already."""
    content = label_content(
        path,
        annotated.grid,
        None,
        place.as_posix(),
        "reliable" if annotated.bars_known else "unknown",
        annotation="coarse" if annotated.is_coarse else "fine",
        beats={
            "n": annotated.n_beats,
            "jitter_ms": round(1000 * annotated.jitter_s, 2),
            "wander_ms": round(1000 * annotated.wander_s, 2),
            "resolution_ms": 1000 * annotated.resolution_s or None,
        },
        **about,
    )
    try:
        if json.loads(path.read_bytes()) == content:
            return
    except (OSError, ValueError):
        pass
    write_json(path, content)


def _file_stem(track_id: str, taken: set[str]) -> str:
    """Return a file's name for a track, each another."""
    stem = re.sub(r"[^\w .,+&()'#-]", "_", track_id).lstrip(". ")[:100] or "track"
    while f"{stem}{SUFFIX}" in taken:
        stem += "_"
    return stem


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return printable(", ".join(names[:MAX_NAMED])) + more
