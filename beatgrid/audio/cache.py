"""Features of audio files on disk, computed once per content and feature spec.

An entry is ``<key[:2]>/<key>.npy``, float16 (frames, mels), and beside it ``<key>.json`` with
what decoding told and a checksum of the features. The key is a hash of the audio file's bytes, the
spec and ``FORMAT``: renamed files keep their entry, changed files and settings get another, nothing
ever goes stale. Entries appear by renaming, the JSON last, so any number of processes may fill one
folder; where two compute the same entry, both write the same bytes. ``prepare`` lets one process at
a time compute.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track as progress_bar

from beatgrid.audio.extract import file_features
from beatgrid.audio.features import FeatureSpec
from beatgrid.audio.reader import AudioInfo, check_is_file
from beatgrid.audio.time_limit import time_limit_s
from beatgrid.errors import AudioError, BeatgridError
from beatgrid.files import replacing, write_json
from beatgrid.processes import Failure, describe, results

# Part of every key: raise it when the same audio and spec come to mean other values.
FORMAT = 1

_LOCK = ".preparing"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredFeatures:
    """The features of one track on disk; cheap to copy between processes.

    Attributes:
        path: A ``.npy`` file.
        n_frames: Length of the features.
        duration_s: Length of the audio that they were made of, in seconds.
        info: What decoding that audio told; None where it was not decoded from a file. Copies of
            one content are equal, whatever the file is called.
    """

    path: Path
    n_frames: int
    duration_s: float
    info: AudioInfo | None = field(default=None, compare=False)

    def load(self) -> NDArray[np.float16]:
        """Return log-mel in dB, float16 (frames, mels), mapped from disk.

        A map that is kept holds a file descriptor, of which a process has about 1000: load anew
        for each use. Rounding to float16 costs at most 0.03 dB.

        Raises:
            BeatgridError: The file was there and is gone, or damaged.
        """
        try:
            return np.load(self.path, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # on arbitrary bytes numpy fails in any way
            raise BeatgridError(
                f"{self.path}: features that were there before cannot be read "
                f"({describe(error)}); start again: what is missing is computed anew"
            ) from error


class FeatureCache:
    """Features of audio files under one feature spec."""

    def __init__(self, directory: str | os.PathLike[str], spec: FeatureSpec) -> None:
        """Touch no disk yet.

        Args:
            directory: Folder of the entries, shared by all specs; safe to delete.
            spec: Resolution of the features.
        """
        self.directory = Path(directory)
        self.spec = spec
        # File hashes of this run, by path, size and time of change.
        self._hashes: dict[tuple[str, int, int], str] = {}
        # Entries whose checksum this run has compared: once is enough, reading all costs time.
        self._checked: set[tuple[str, int, int]] = set()

    def get(self, audio_path: str | os.PathLike[str]) -> StoredFeatures:
        """Return the entry of an audio file, computed first if missing or damaged.

        Raises:
            AudioError: the audio cannot be decoded or is silent.
            BeatgridError: the entry cannot be written.
        """
        audio_path = Path(audio_path)
        content_hash = self._content_hash(audio_path)
        entry = self._find(audio_path, content_hash)
        if entry is None:
            self._compute(audio_path, content_hash)
            entry = self._find(audio_path, content_hash)
        if entry is None:
            raise BeatgridError(
                f"{self._entry_path(content_hash)}: unreadable just after it was written; "
                "check the disk or choose another data.cache_dir"
            )
        return entry

    def prepare(
        self,
        audio_paths: Iterable[str | os.PathLike[str]],
        num_workers: int = 0,
        progress: bool = False,
    ) -> dict[Path, AudioError]:
        """Compute all missing entries, in ``num_workers`` processes of one thread each.

        A file that crashes its process, or takes longer than its size explains, is one that
        failed; the others go on.

        Args:
            audio_paths: Files; copies of one content are computed once.
            num_workers: Processes; 0 computes in this one. They are spawned, so the calling
                script needs its ``if __name__ == "__main__"``.
            progress: Shows a bar while there is something to compute.

        Returns:
            The files that failed, with their errors; the others have an entry now.

        Raises:
            BeatgridError: an entry cannot be written.
        """
        errors: dict[Path, AudioError] = {}
        missing: dict[str, Path] = {}
        copies: dict[str, list[Path]] = {}
        for audio_path in map(Path, audio_paths):
            try:
                content_hash = self._content_hash(audio_path)
            except AudioError as error:
                errors[audio_path] = error
                continue
            copies.setdefault(content_hash, []).append(audio_path)
            if self._find(audio_path, content_hash) is None:
                missing[content_hash] = audio_path
        if not missing:
            return errors
        with self._alone():
            missing = {key: path for key, path in missing.items() if self._find(path, key) is None}
            if missing:
                errors |= self._compute_missing(missing, copies, num_workers, progress)
        return errors

    def _compute_missing(
        self,
        missing: dict[str, Path],
        copies: Mapping[str, list[Path]],
        num_workers: int,
        progress: bool,
    ) -> dict[Path, AudioError]:
        """Compute entries by content hash; return the files of those that failed."""
        errors: dict[Path, AudioError] = {}
        # Closed at once where the loop is left by an error or Ctrl-C: that ends the workers.
        with contextlib.closing(self._compute_all(missing, num_workers)) as computed:
            shown = (
                progress_bar(computed, description="Computing features", total=len(missing))
                if progress
                else computed
            )
            for content_hash, failure in shown:
                if failure is not None:
                    errors.update(dict.fromkeys(copies[content_hash], failure))
        return errors

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process prepares this folder, where the file system has locks.

        The processes of a distributed training all ask for the same features at once.
        """
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # what cannot be written says so itself
                self.directory.mkdir(parents=True, exist_ok=True)
                lock = os.open(self.directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
                stack.callback(os.close, lock)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    logger.info("another process fills %s with features: waiting", self.directory)
                    fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _compute_all(
        self, missing: dict[str, Path], num_workers: int
    ) -> Generator[tuple[str, AudioError | None], None, None]:
        """Compute entries; yield each content hash as it is done, with its error if any."""
        # Without the hashes, which no worker needs.
        make = functools.partial(_entry_computer, FeatureCache(self.directory, self.spec))
        jobs = ((path, content_hash) for content_hash, path in missing.items())
        with contextlib.closing(
            results(make, jobs, num_workers, time_limit_s=lambda job: time_limit_s(job[0]))
        ) as done:
            for (audio_path, content_hash), error in done:
                if isinstance(error, Failure):
                    error = AudioError(f"{audio_path}: {error.reason}")
                if error is not None and not isinstance(error, AudioError):
                    raise error
                yield content_hash, error

    def _compute(self, audio_path: Path, content_hash: str) -> None:
        """Decode one file and write its entry."""
        features, found = file_features(audio_path, self.spec)
        info = asdict(found)
        del info["path"]
        path = self._entry_path(content_hash)
        try:
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.save(file, features.astype(np.float16, copy=False), allow_pickle=False)
                file.flush()
                checksum = _file_hash(temporary)
            write_json(
                path.with_suffix(".json"),
                {
                    "content_hash": content_hash,
                    "shape": features.shape,
                    "checksum": checksum,
                    "info": info,
                },
            )
        except OSError as error:
            raise BeatgridError(
                f"{path}: cannot write to the feature cache ({error.strerror or error}); "
                "make room or choose another data.cache_dir"
            ) from error

    def _find(self, audio_path: Path, content_hash: str) -> StoredFeatures | None:
        """Return the entry on disk, None where it is missing, cut short or another's."""
        path = self._entry_path(content_hash)
        try:
            sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            info = AudioInfo(path=audio_path, **sidecar["info"])
            if not self._is_intact(path, sidecar["checksum"]):
                return None
            features = np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception:  # on arbitrary bytes json and numpy fail in any way
            return None
        expected = (sidecar.get("shape"), np.float16, self.spec.n_mels)
        if (list(features.shape), features.dtype, features.shape[-1]) != expected:
            return None
        return StoredFeatures(path, len(features), info.duration_s, info)

    def _is_intact(self, path: Path, checksum: str) -> bool:
        """Tell whether the features are those that were written: disks and copies lose blocks."""
        status = path.stat()
        seen = (str(path), status.st_size, status.st_mtime_ns)
        if seen not in self._checked and _file_hash(path) == checksum:
            self._checked.add(seen)
        return seen in self._checked

    def _entry_path(self, content_hash: str) -> Path:
        spec = json.dumps(self.spec.to_dict(), sort_keys=True)
        key = _hash(f"{FORMAT}\n{spec}\n{content_hash}".encode()).hexdigest()
        return self.directory / key[:2] / f"{key}.npy"

    def _content_hash(self, audio_path: Path) -> str:
        check_is_file(audio_path)
        try:
            status = audio_path.stat()
            seen = (str(audio_path.absolute()), status.st_size, status.st_mtime_ns)
            if seen not in self._hashes:
                self._hashes[seen] = _file_hash(audio_path)
            return self._hashes[seen]
        except OSError as error:
            raise AudioError(
                f"{audio_path}: cannot be read ({error.strerror or error}); check its rights"
            ) from error


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, _hash).hexdigest()


def _hash(data: bytes = b"") -> hashlib.blake2b:
    """Return a hash of 128 bits: no chance collision, and names of 32 letters."""
    return hashlib.blake2b(data, digest_size=16)


def _entry_computer(
    cache: FeatureCache,
) -> Callable[[tuple[Path, str]], BeatgridError | None]:
    """Make what computes an entry in a worker process; an error is a result."""

    def compute(job: tuple[Path, str]) -> BeatgridError | None:
        try:
            cache._compute(*job)
        except BeatgridError as error:
            return error
        return None

    return compute
