"""The grids of many files: for each a JSON and, if wanted, a picture, in one folder.

A run goes on where the last one stopped. A file whose bytes, weights and settings are those of
its result is left out; one that was renamed, moved or copied costs a hash, not an analysis; a
result that a person has marked ``"locked": true`` is never written to. Nothing that one file does
ends the run, and nothing is kept in memory that grows with the number of files but their names.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beatgrid.audio.find import AudioFile
from beatgrid.audio.reader import check_is_file
from beatgrid.audio.time_limit import TIME_LIMIT_S, time_limit_s
from beatgrid.errors import BeatgridError
from beatgrid.files import check_writable, content_hash, replacing
from beatgrid.output.index import Record, ResultIndex, is_gone, read_result
from beatgrid.output.result import (
    FORMAT_VERSION,
    SUFFIX,
    displayable,
    picture_path,
    write_result,
)
from beatgrid.processes import Failure, results

if TYPE_CHECKING:
    from beatgrid.prediction import Prediction
    from beatgrid.predictor import Predictor

# Results of files that have another content now, until the run has seen all files: theirs may be
# the next one's, where numbered files move up by one.
ASIDE = ".beatgrid-aside"


Engine = Callable[..., Generator[tuple["Job", "Record | Failure"], None, None]]
"""Does jobs somewhere, with the signature of ``beatgrid.processes.results``."""


@dataclass(frozen=True)
class Job:
    """One file to analyse.

    Attributes:
        file: The audio.
        record: What is known of it; its new result is another record.
        out: Where its JSON goes; the picture gets the same name with ``.png``.
    """

    file: AudioFile
    record: Record
    out: Path


@dataclass(frozen=True)
class Unwritten(Failure):
    """A result that could not be written."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        record: Its result in short, or why it has none.
        skipped: The result was there before, if perhaps in another place.
        trace: The traceback of an unexpected exception.
    """

    record: Record
    skipped: bool
    trace: str = ""


def method_hash(model: str, settings: Mapping[str, Any]) -> str:
    """Return what identifies a way of finding grids: results of another way are made anew.

    Args:
        model: Hash of the weights, or the name of what does without.
        settings: As they stand in the results.
    """
    text = json.dumps([FORMAT_VERSION, model, settings], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def finder(
    load: Callable[[], Predictor],
    settings: Mapping[str, Any],
    method: str,
    picture: bool,
) -> Callable[[Job], Record | Failure]:
    """Make the function that finds one file's grid and writes it, once in each process.

    Args:
        load: Makes the predictor.
        settings: What a result says of how it was found.
        method: Their hash and the model's.
        picture: Draw one beside each JSON.
    """
    predictor = load()

    def find(job: Job) -> Record | Failure:
        started = time.perf_counter()
        try:
            prediction = predictor(job.file.path)
        except BeatgridError as error:
            return Failure(str(error))
        result = prediction.to_dict(settings)
        beats = result.pop("beats")  # the last, for it is long
        result |= {"content_hash": job.record.content_hash, "method_hash": method, "beats": beats}
        try:
            write_result(job.out, result)
            if picture:
                draw(prediction, os.path.basename(job.file.path), picture_path(job.out))
            mtime_ns = job.out.stat().st_mtime_ns
        except OSError as error:
            reason = error.strerror or error
            return Unwritten(f"its result cannot be written ({reason}): {job.out}")
        seconds = round(time.perf_counter() - started, 3)
        return dataclasses.replace(
            job.record.with_result(result, mtime_ns), file=job.file.path, seconds=seconds
        )

    return find


def draw(prediction: Prediction, title: str, path: Path) -> None:
    """Draw the grid over the track's activation."""
    # Here, because matplotlib takes a second to import.
    from beatgrid.output.figures import grid_figure, save_figure

    figure = grid_figure(
        prediction.log_mel, prediction.activation, prediction.estimate, title=title
    )
    save_figure(figure, path)


class Library:
    """A folder of results that is brought up to date.

    Args:
        folder: Of the results.
        index: What it holds.
        method: Hash of how grids are found: ``method_hash``.
        picture: A result counts as done only with its picture.
        report: Called with what became of each file, as soon as it is known.
        aside: Where below the folder results wait that belong to other content now.
        is_alone: No other run shares the folder: where a file was moved, its former result goes.
    """

    def __init__(
        self,
        folder: Path,
        index: ResultIndex,
        method: str,
        picture: bool,
        report: Callable[[Outcome], None],
        *,
        aside: str = ASIDE,
        is_alone: bool = True,
    ) -> None:
        self.folder = folder
        self.index = index
        self.method = method
        self.picture = picture
        self.report = report
        self.aside = aside
        self.is_alone = is_alone
        # Files that wait for another of the same content, by that.
        self._waiting: dict[str, list[AudioFile]] = {}

    def run(
        self,
        files: Iterable[AudioFile],
        make: Callable[[], Callable[[Job], Record | Failure]],
        num_workers: int | None,
        *,
        limit_s: float | None = TIME_LIMIT_S,
        memory_limit_bytes: int | None = None,
        engine: Engine = results,
    ) -> None:
        """Find the grids of all files that need it.

        Args:
            files: From ``find_audio``.
            make: Makes the function that analyses a file: ``finder``.
            num_workers: Processes; 0 does all in this one, None is what the engine takes it for.
            limit_s: Seconds that a short file may take; more for larger ones.
            memory_limit_bytes: What a process may take.
            engine: What does the jobs: ``processes.results``, or another of that signature.

        Raises:
            BeatgridError: The folder cannot be written to any more, or workers cannot start.
        """
        check_writable(self.folder)
        limit = None if limit_s is None else functools.partial(_job_limit_s, limit_s)
        done = engine(
            make,
            self._jobs(files),
            num_workers,
            time_limit_s=limit,
            memory_limit_bytes=memory_limit_bytes,
        )
        with contextlib.closing(done):
            for job, found in done:
                self._finish(job, found)
        self._clear_aside()

    def _jobs(self, files: Iterable[AudioFile]) -> Iterator[Job]:
        """Yield what must be analysed; see to the other files on the way."""
        for file in files:
            audio = os.path.abspath(file.path)
            record = self.index.get(audio)
            try:
                check_is_file(Path(file.path))
                job = self._job(file, audio, record)
            except (BeatgridError, OSError) as error:
                record = record or self.index.claim(audio, file.place, None)
                self._fail(file, record, Failure(_reason(error)))
                if isinstance(error, OSError):
                    check_writable(self.folder)
                continue
            if job is not None:
                yield job

    def _job(self, file: AudioFile, audio: str, record: Record | None) -> Job | None:
        """Return what is to be done for a file; None if that is nothing, or nothing yet."""
        status = os.stat(file.path)
        stamp = (status.st_size, status.st_mtime_ns)
        record = record and self._as_on_disk(record)
        if record and record.status == "locked":
            self._skip(file, record, stamp)
            return None
        if record and record.content_hash and (record.size, record.mtime_ns) == stamp:
            content = record.content_hash
        else:
            content = content_hash(file.path)
        if record is None:
            record = self._as_on_disk(self.index.claim(audio, file.place, content))
        if record.status == "locked" or (
            record.content_hash == content and self._is_current(record)
        ):
            self._skip(file, record, stamp)
            return None
        if self._is_current(record):
            self._set_aside(record)
        record = dataclasses.replace(record, content_hash=content, size=stamp[0], mtime_ns=stamp[1])
        if content in self._waiting:
            self._waiting[content].append(file)
            return None
        others = map(self._as_on_disk, self.index.with_content(content))
        usable = (o for o in others if o.status == "locked" or self._is_current(o))
        if other := next((o for o in usable if o.audio != audio), None):
            self._take_over(file, record, other)
            return None
        self._waiting[content] = []
        return Job(file, record, self.folder / record.place)

    def _finish(self, job: Job, found: Record | Failure) -> None:
        if isinstance(found, Failure):
            self._fail(job.file, job.record, found)
        else:
            self.index.put(found)
            self.report(Outcome(found, skipped=False))
        content = job.record.content_hash or ""
        for file in self._waiting.pop(content):
            record = self.index.claim(os.path.abspath(file.path), file.place, content)
            if isinstance(found, Failure):
                reason = f"the same file as {job.file.path}, which failed"
                self._fail(file, record, Failure(reason))
                continue
            try:
                status = os.stat(file.path)
                record = dataclasses.replace(
                    record, size=status.st_size, mtime_ns=status.st_mtime_ns
                )
                self._take_over(file, record, found)
            except OSError as error:
                self._fail(file, record, Failure(_reason(error)))
        if isinstance(found, Unwritten):
            check_writable(self.folder)

    def _as_on_disk(self, record: Record) -> Record:
        """Return the record with what its result says, should someone have changed that."""
        path = self.folder / record.place
        try:
            mtime_ns = path.stat().st_mtime_ns
        except OSError:
            mtime_ns = None
        if mtime_ns is not None and mtime_ns == record.result_mtime_ns:
            return record
        read = read_result(path)
        if read is None:
            return Record(record.audio, record.place, record.file)
        return record.with_result(*read)

    def _is_current(self, record: Record) -> bool:
        """Tell whether a record's result is one of this method, and complete."""
        return (
            record.status in ("done", "no grid")
            and record.method_hash == self.method
            and (not self.picture or picture_path(self.folder / record.place).exists())
        )

    def _skip(self, file: AudioFile, record: Record, stamp: tuple[int, int]) -> None:
        seen = dataclasses.replace(record, file=file.path, size=stamp[0], mtime_ns=stamp[1])
        if seen != self.index.get(record.audio):
            self.index.put(seen)
        self.report(Outcome(seen, skipped=True))

    def _fail(self, file: AudioFile, record: Record, failure: Failure) -> None:
        reason = failure.reason.removeprefix(f"{file.path}: ")
        failed = Record(record.audio, record.place, file.path, "failed", reason=reason)
        self.index.put(failed)
        self.report(Outcome(failed, skipped=False, trace=failure.trace))

    def _take_over(self, file: AudioFile, record: Record, other: Record) -> None:
        """Give a file the result of another of the same content; the other's, if that is gone."""
        source, target = self.folder / other.place, self.folder / record.place
        read = read_result(source)
        if read is None:
            raise OSError(f"{source}: vanished")
        result = {**read[0], "file": displayable(file.path)}
        if picture_path(source).exists() and source != target:
            with replacing(picture_path(target)) as temporary:
                shutil.copyfile(picture_path(source), temporary)
        write_result(target, result)
        taken = dataclasses.replace(
            record.with_result(result, target.stat().st_mtime_ns),
            file=file.path,
            seconds=other.seconds,
        )
        self.index.put(taken)
        # What a person has locked is not removed either.
        if self.is_alone and other.status != "locked" and is_gone(other.audio):
            self.index.remove_result(other)
        self.report(Outcome(taken, skipped=True))

    def _set_aside(self, record: Record) -> None:
        name = str(record.content_hash)
        place = os.path.join(self.aside, name + SUFFIX)
        source, target = self.folder / record.place, self.folder / place
        for path, copy in ((source, target), (picture_path(source), picture_path(target))):
            with contextlib.suppress(FileNotFoundError), replacing(copy) as temporary:
                shutil.copyfile(path, temporary)
        aside = dataclasses.replace(record, audio=os.path.abspath(target), place=place)
        read = read_result(target)
        if read is not None:
            self.index.put(aside.with_result(*read))

    def _clear_aside(self) -> None:
        root = os.path.abspath(self.folder / self.aside)
        for record in list(self.index.records_below(root)):
            self.index.remove(record.audio)
        shutil.rmtree(root, ignore_errors=True)


def accept_audio(index: ResultIndex, audio: str | os.PathLike[str]) -> None:
    """Note that an audio file has other tags than before, but the same sound.

    Its result stays what it is, and the next run does not analyse it again. Call it right after
    the file was changed by this program, and by nothing else.

    Args:
        index: Of a folder that may hold the file's result.
        audio: The file.
    """
    record = index.get(os.path.abspath(audio))
    if record is None:
        return
    path = index.folder / record.place
    read = read_result(path)
    if read is None or read[0].get("locked") is True:
        return
    status = os.stat(audio)
    result = {**read[0], "content_hash": content_hash(audio)}
    write_result(path, result)
    record = record.with_result(result, path.stat().st_mtime_ns)
    index.put(dataclasses.replace(record, size=status.st_size, mtime_ns=status.st_mtime_ns))


def _job_limit_s(limit_s: float, job: Job) -> float:
    return time_limit_s(job.file.path, limit_s)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
