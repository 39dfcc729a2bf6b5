"""Every contender on every track: what is done is not done again, what fails costs itself alone."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beatgrid.audio.time_limit import TIME_LIMIT_S, time_limit_s
from beatgrid.comparison.audio import write_wav
from beatgrid.comparison.contenders import Contender
from beatgrid.comparison.estimates import Estimate, EstimateFile
from beatgrid.comparison.runner_process import START_LIMIT_S, RunnerProcess
from beatgrid.errors import BeatgridError
from beatgrid.files import content_hash
from beatgrid.processes import Failure, results


@dataclass(frozen=True)
class Piece:
    """A track to compare on.

    Attributes:
        name: Identifies it within the comparison.
        audio: Its file.
    """

    name: str
    audio: Path


@dataclass(frozen=True)
class Attempt:
    """One system on one track, done or failed.

    Attributes:
        piece: The track.
        system: Name of the system; None where the track itself cannot be used.
        estimate: What the system answered; None where ``failure`` says why there is nothing.
        failure: Why.
        n_done: So many attempts of the run that this one stands for: all systems' where the track
            cannot be used.
    """

    piece: Piece
    system: str | None
    estimate: Estimate | None = None
    failure: Failure | None = None
    n_done: int = 1


@dataclass(frozen=True)
class _Job:
    """A track that lacks estimates, and where its WAV file goes."""

    piece: Piece
    content: str
    wav: Path
    systems: tuple[str, ...]


class Comparison:
    """Contenders, tracks, and the estimates that there are.

    Args:
        contenders: The systems.
        folder: Of the estimates, ``SYSTEM.jsonl`` each.
        limit_s: Seconds that a system may take for a short track; longer ones get more.
        start_limit_s: Seconds until a system must be ready.
    """

    def __init__(
        self,
        contenders: Sequence[Contender],
        folder: Path,
        limit_s: float = TIME_LIMIT_S,
        start_limit_s: float = START_LIMIT_S,
    ) -> None:
        self._contenders = {contender.name: contender for contender in contenders}
        self._limit_s = limit_s
        self._start_limit_s = start_limit_s
        self._files = {
            name: EstimateFile(folder / f"{name}.jsonl", contender.method)
            for name, contender in self._contenders.items()
        }
        self._hashes: dict[Path, str] = {}
        self.unusable: dict[str, str] = {}
        """Systems that could not be started in this run, and why."""

    def missing(self, pieces: Sequence[Piece]) -> list[tuple[Piece, tuple[str, ...]]]:
        """Return the tracks that lack estimates, each with the systems it lacks them of."""
        found = []
        for piece in pieces:
            try:
                content = self._content(piece)
            except OSError:
                content = ""  # decoding says what is wrong
            lacking = tuple(
                name
                for name, file in self._files.items()
                if (estimate := file.get(content)) is None or estimate.error is not None
            )
            if lacking:
                found.append((piece, lacking))
        return found

    def estimates(self, pieces: Sequence[Piece]) -> dict[str, dict[str, Estimate]]:
        """Return the estimates at hand: by system, then by the track's name."""
        found: dict[str, dict[str, Estimate]] = {name: {} for name in self._files}
        for piece in pieces:
            with contextlib.suppress(OSError):
                content = self._content(piece)
                for name, file in self._files.items():
                    if estimate := file.get(content):
                        # The file may have had another name then.
                        found[name][piece.name] = dataclasses.replace(
                            estimate, track=piece.name, audio=str(piece.audio)
                        )
        return found

    def run(self, pieces: Sequence[Piece]) -> Generator[Attempt, None, None]:
        """Yield every attempt that the estimates at hand leave to be made.

        Tracks go one after the other, so that a run that is stopped has compared the systems on
        the same tracks; so do the systems, so that none takes another's processor time.

        Args:
            pieces: The tracks.

        Raises:
            BeatgridError: Estimates cannot be written, or no process be started.
        """
        with tempfile.TemporaryDirectory(prefix="beatgrid-compare-") as folder:
            jobs = [
                _Job(piece, self._hashes.get(piece.audio, ""), Path(folder) / "track.wav", systems)
                for piece, systems in self.missing(pieces)
            ]
            with contextlib.ExitStack() as stack:
                runners = {
                    name: stack.enter_context(
                        RunnerProcess(
                            contender.command, dict(contender.variables), self._start_limit_s
                        )
                    )
                    for name, contender in self._contenders.items()
                }
                # Decoders crash and hang as well: theirs is another process.
                decoded = results(_decoder, jobs, 1, time_limit_s=self._decoding_limit_s)
                stack.enter_context(contextlib.closing(decoded))
                for job, outcome in decoded:
                    if isinstance(outcome, Failure):
                        yield Attempt(job.piece, None, failure=outcome, n_done=len(job.systems))
                        continue
                    for name in job.systems:
                        yield self._attempt(job, name, runners[name], outcome)
                    job.wav.unlink(missing_ok=True)

    def _attempt(self, job: _Job, name: str, runner: RunnerProcess, duration_s: float) -> Attempt:
        if name in self.unusable:
            return Attempt(job.piece, name, failure=Failure(self.unusable[name]))
        if failure := runner.start():
            self.unusable[name] = failure.reason
            return Attempt(job.piece, name, failure=failure)
        answer = runner.analyse(job.wav, time_limit_s(job.wav, self._limit_s))
        tried = Estimate(
            track=job.piece.name,
            audio=str(job.piece.audio),
            content_hash=job.content,
            method=self._contenders[name].method,
            duration_s=duration_s,
            version=str((runner.ready or {}).get("version", "")),
        )
        failure = answer if isinstance(answer, Failure) else None
        if not isinstance(answer, Failure):
            try:
                tried = dataclasses.replace(tried, **_values(answer))
            except (TypeError, ValueError) as error:
                failure = Failure(f"its answer makes no sense: {error}")
        if failure is not None:
            # Kept, so that a report counts it; the next run tries again.
            tried = dataclasses.replace(tried, error=failure.reason)
        self._files[name].append(tried)
        return Attempt(job.piece, name, None if failure else tried, failure)

    def _content(self, piece: Piece) -> str:
        if piece.audio not in self._hashes:
            self._hashes[piece.audio] = content_hash(piece.audio)
        return self._hashes[piece.audio]

    def _decoding_limit_s(self, job: _Job) -> float:
        return time_limit_s(job.piece.audio, self._limit_s)


def _decoder() -> Callable[[_Job], float | Failure]:
    """Make the function that decodes a track and returns its length in seconds."""

    def decode(job: _Job) -> float | Failure:
        try:
            return write_wav(job.piece.audio, job.wav)
        except BeatgridError as error:
            return Failure(str(error))

    return decode


def _values(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a runner's answer as fields of an estimate.

    Raises:
        TypeError: Something in it is of another type.
        ValueError: A number is not finite.
    """
    downbeats_s = answer.get("downbeats_s")
    beats_per_bar = answer.get("beats_per_bar")
    bpm = _number(answer.get("bpm"))
    numbers = ("offset_s", "confidence", "wall_s", "cpu_s", "peak_mb")
    return {
        "bpm": bpm
        if bpm is not None and bpm > 0
        else None,  # 0 is how some say that they found none
        "beats_per_bar": None if beats_per_bar is None else int(beats_per_bar),
        "beats_s": _ascending(answer.get("beats_s", ())),
        "downbeats_s": None if downbeats_s is None else _ascending(downbeats_s),
        **{key: _number(answer.get(key)) for key in numbers},
    }


def _ascending(times: Any) -> tuple[float, ...]:
    values = tuple(sorted(map(float, times)))
    if not all(map(math.isfinite, values)):
        raise ValueError("a beat's time is not finite")
    return values


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is not finite")
    return number
