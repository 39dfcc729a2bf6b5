"""A track and its grid as exports see them, read from a result file."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from beatgrid.checks import Count, Interval, NotNegative, Positive, Share, mismatch, shown
from beatgrid.errors import BeatgridError
from beatgrid.export.spans import TempoSpan, constant_span, end_behind, fit_spans
from beatgrid.files import printable
from beatgrid.grid import START_TOLERANCE_S, FloatArray, first_in_track_s
from beatgrid.output.result import FORMAT_VERSION, SUFFIX, displayable

# A beat that is this far from what bpm and offset_s say contradicts them.
_AGREEMENT_S = 0.001

_HINTS: dict[str, Any] = {
    "format": Literal[FORMAT_VERSION],
    "file": str | None,
    "duration_s": Positive,
    "sample_rate": Annotated[int, Interval(1)],
    "decoder": str,
    "codec": str,
    "mp3_tag": Literal["lame", "xing", "vbri", "none"] | None,
    "timebase": str | None,
    "bpm": Positive | None,
    "offset_s": NotNegative | None,
    "downbeat_offset_s": NotNegative | None,
    "beats_per_bar": Count,
    "downbeat_known": bool,
    "confidence": Share,
    "constant_tempo": bool | None,
    "segments": Sequence[Mapping],
    "beats": Sequence[Mapping],
}
_BEAT_HINTS: dict[str, Any] = {"time": NotNegative, "bar_position": Count | None}


class NoGridError(BeatgridError):
    """A result that says that there is no grid: nothing to export."""


@dataclass(frozen=True)
class ExportTrack:
    """One audio file with its grid.

    Times are on the clock of the program's own decoder until ``shifted``.

    Attributes:
        audio: Absolute path of the audio file; it need not exist.
        name: The file's name without suffix, as text that UTF-8 can hold.
        duration_s: Length.
        sample_rate: Of the file, Hz.
        spans: In order; one where the tempo is constant. The first begins at 0, each next one
            with its first beat, where the one before ends. First beats are never before 0.
        beats_per_bar: Assumed where the downbeat is not known.
        downbeat_known: False: bars are counted from the first beat, for want of better.
        confidence: Probability that the grid is right, 0..1.
        constant_tempo: What the result says. A constant track has one span; one that is not may
            have it as well, where its result was to keep a constant grid.
        locked: A person's word.
        codec: Decoder's name of the coding, such as "mp3" or "PCM_16".
        decoder: Library that decoded the file.
        mp3_tag: "lame", "xing", "vbri", "none" for an MP3, otherwise None.
        timebase: What is known of the encoder's delay, in words; None where the format settles it.
        result: The result file; None if the track does not come from one.
        doubts: What a person should be told of the result, a line each.
    """

    audio: Path
    name: str
    duration_s: float
    sample_rate: int
    spans: tuple[TempoSpan, ...]
    beats_per_bar: int = 4
    downbeat_known: bool = True
    confidence: float = 1.0
    constant_tempo: bool = True
    locked: bool = False
    codec: str = ""
    decoder: str = ""
    mp3_tag: str | None = None
    timebase: str | None = None
    result: Path | None = None
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError(f"{self.audio}: a track to export needs a span")

    @property
    def bpm(self) -> float:
        """Tempo of the first span: of the track, where it is constant."""
        return self.spans[0].bpm

    @property
    def is_piecewise(self) -> bool:
        """Whether its beats need more than one span."""
        return len(self.spans) > 1

    def beat_times_s(self) -> FloatArray:
        """Return the times of all beats, ascending, from 0 on, float64 (beats,).

        A beat up to 10 ms before 0 is at 0.
        """
        times_s = np.concatenate([span.beat_times_s for span in self.spans])
        return np.concatenate(([0.0], times_s)) if self._begins_before_0 else times_s

    def bar_positions(self) -> NDArray[np.int64]:
        """Return the place in its bar of each of ``beat_times_s``, 1..beats_per_bar, (beats,).

        They count on through the spans, but where the result itself starts a new count (an edit).
        """
        parts = [
            (span.first_bar_position - 1 + np.arange(span.n_beats)) % self.beats_per_bar + 1
            for span in self.spans
        ]
        if self._begins_before_0:
            before = (self.spans[0].first_bar_position - 2) % self.beats_per_bar + 1
            parts.insert(0, np.array([before]))
        return np.concatenate(parts)

    def downbeat_times_s(self) -> FloatArray:
        """Return the times of all downbeats, (downbeats,); none where they are not known."""
        times_s = self.beat_times_s()
        return times_s[(self.bar_positions() == 1) & self.downbeat_known]

    def shifted(self, shift_ms: float) -> ExportTrack:
        """Return the track on a clock that shows all its times later by ``shift_ms``.

        Beats that come to lie before 0 are left out; one up to 10 ms before becomes 0.
        """
        shift_s = shift_ms / 1000
        if shift_s == 0:
            return self
        spans: list[TempoSpan] = []
        for span in self.spans:
            first_s, end_s = span.first_beat_s + shift_s, span.end_s + shift_s
            skipped = max(0, int(np.ceil(-first_s / span.period_s)))
            if skipped >= span.n_beats and span is not self.spans[-1]:
                continue
            position = (span.first_bar_position - 1 + skipped) % self.beats_per_bar + 1
            first_s += skipped * span.period_s
            start_s = first_s if spans or span.start_s == span.first_beat_s else 0.0
            spans.append(TempoSpan(start_s, end_s, span.bpm, first_s, position))
        return dataclasses.replace(
            self, spans=tuple(spans), duration_s=max(self.duration_s + shift_s, spans[-1].end_s)
        )

    def constant(self) -> ExportTrack:
        """Return the track with one span, for formats that hold no more.

        It is the grid that is within 20 ms of most beats; see ``beatgrid.export.spans``.
        """
        if not self.is_piecewise:
            return self
        span = constant_span(
            self.spans,
            self.beat_times_s(),
            self.bar_positions(),
            self.beats_per_bar,
            self.duration_s,
        )
        return dataclasses.replace(self, spans=(span,))

    @property
    def _begins_before_0(self) -> bool:
        """Whether the beat before the first span's is one that counts as being at 0."""
        first = self.spans[0]
        return (
            first.start_s == 0 < first.first_beat_s
            and -START_TOLERANCE_S <= first.first_beat_s - first.period_s < 0
        )

    @classmethod
    def read(cls, path: Path, audio: Path | None = None) -> ExportTrack:
        """Read a result file.

        Args:
            path: ``NAME.beatgrid.json``.
            audio: The audio file, where that is known better than by the result.

        Raises:
            NoGridError: It says that there is no grid.
            BeatgridError: It cannot be read, or is no result; names file and key.
        """
        try:
            result = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise BeatgridError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, RecursionError) as error:
            reason = "cut short or edited; find the grid again"
            raise BeatgridError(f"{path}: is not JSON ({error}): {reason}") from error
        if not isinstance(result, Mapping):
            raise BeatgridError(f"{path}: is not a result of beatgrid predict")
        return cls.from_result(result, path, audio)

    @classmethod
    def from_result(
        cls, result: Mapping[str, Any], path: Path, audio: Path | None = None
    ) -> ExportTrack:
        """Return the track of a result.

        Beats that follow segments are the truth: spans keep each of them within
        ``SPAN_TOLERANCE_S``, however irregular. Beats of one grid follow from ``bpm`` and
        offset; where a person has changed those, and the list of beats contradicts them, they
        count, and ``doubts`` says so.

        Args:
            result: As ``result.schema.json`` describes it.
            path: The file that it comes from, for messages.
            audio: The audio file, where that is known better than by the result; relative names
                are looked for in the current folder.

        Raises:
            NoGridError: It says that there is no grid.
            BeatgridError: It is no result; names file and key.
        """
        _check(result, path)
        if result["bpm"] is None:
            raise NoGridError(f"{path}: has no grid ({result.get('reason') or 'bpm is null'})")
        if not result["beats"]:
            raise NoGridError(f"{path}: has no beats")
        if audio is None:
            audio = Path(result["file"] or path.name.removesuffix(SUFFIX))
        spans, doubts = _spans(result, path)
        return cls(
            audio=Path(os.path.abspath(audio)),
            name=displayable(audio.stem),
            duration_s=float(result["duration_s"]),
            sample_rate=int(result["sample_rate"]),
            spans=spans,
            beats_per_bar=int(result["beats_per_bar"]),
            downbeat_known=result["downbeat_known"],
            confidence=float(result["confidence"]),
            constant_tempo=result["constant_tempo"] is not False,
            locked=result.get("locked") is True,
            codec=result["codec"],
            decoder=result["decoder"],
            mp3_tag=result["mp3_tag"],
            timebase=result["timebase"],
            result=path,
            doubts=doubts,
        )


def _check(result: Mapping[str, Any], path: Path) -> None:
    for key, hint in _HINTS.items():
        if key not in result:
            raise BeatgridError(f"{path}: {key} is missing; find the grid again")
        _check_value(result[key], hint, f"{path}: {key}")
    n_positions = result["beats_per_bar"]
    before_s = -1.0
    for i, beat in enumerate(result["beats"]):
        for key, hint in _BEAT_HINTS.items():
            if key not in beat:
                raise BeatgridError(f"{path}: beats[{i}].{key} is missing; find the grid again")
            _check_value(beat[key], hint, f"{path}: beats[{i}].{key}")
        where = f"{path}: beats[{i}]"
        if beat["time"] <= before_s:
            raise BeatgridError(
                f"{where}.time={shown(beat['time'])}: must be later than the beat before"
            )
        before_s = beat["time"]
        position = beat["bar_position"]
        if result["downbeat_known"] and (position is None or position > n_positions):
            raise BeatgridError(
                f"{where}.bar_position={shown(position)}: must be from 1 to beats_per_bar="
                f"{n_positions}, for downbeat_known is true"
            )
    if result["beats"] and before_s >= result["duration_s"]:
        raise BeatgridError(
            f"{path}: duration_s={shown(result['duration_s'])}: must be later than the last beat, "
            f"at {shown(before_s)}"
        )


def _check_value(value: Any, hint: Any, where: str) -> None:
    if (form := mismatch(value, hint)) is not None:
        raise BeatgridError(f"{printable(where)}={shown(value)}: must be {form}")


def _spans(result: Mapping[str, Any], path: Path) -> tuple[tuple[TempoSpan, ...], tuple[str, ...]]:
    """Return the spans of a result, and what is doubtful about it."""
    beats = result["beats"]
    n_positions = int(result["beats_per_bar"])
    times_s = np.array([beat["time"] for beat in beats], dtype=np.float64)
    if result["downbeat_known"]:
        positions = np.array([beat["bar_position"] for beat in beats], dtype=np.int64)
    else:
        positions = np.arange(len(beats)) % n_positions + 1
    duration_s = float(result["duration_s"])
    if any("segment" in beat for beat in beats):
        segment = np.array([beat.get("segment", 0) for beat in beats])
        tempi = [s["bpm"] for s in result["segments"] if mismatch(s.get("bpm"), Positive) is None]
        spans = fit_spans(times_s, positions, n_positions, duration_s, segment, tempi)
        first = spans[0]
        if times_s[0] > 0 and -START_TOLERANCE_S <= times_s[0] - first.period_s < 0:
            # The beats that follow segments have none there.
            spans = (dataclasses.replace(first, start_s=first.first_beat_s), *spans[1:])
        return spans, ()
    period_s = 60.0 / result["bpm"]
    beat_s, is_downbeat = _anchor(result, period_s, path)
    # Of the beats in the list, those behind the first: that may have been put to 0.
    k = np.arange(1, len(beats))
    phase_s = float(np.median(times_s[1:] - k * period_s)) if len(k) else float(times_s[0])
    off_s = np.abs(times_s - np.maximum(phase_s + np.arange(len(beats)) * period_s, 0.0)).max()
    agrees_s = abs((beat_s - phase_s + period_s / 2) % period_s - period_s / 2)
    tolerance_s = START_TOLERANCE_S if beat_s == 0 else _AGREEMENT_S
    downbeat_s = result["downbeat_offset_s"] if is_downbeat else None
    agrees = off_s <= _AGREEMENT_S and phase_s >= -START_TOLERANCE_S and agrees_s <= tolerance_s
    if agrees and downbeat_s is not None:
        at = round((downbeat_s - phase_s) / period_s)
        agrees = 0 <= at < len(beats) and positions[at] == 1
    if agrees and (np.diff(positions) % n_positions == 1 % n_positions).all():
        # The head has more digits than the list.
        first_s = beat_s - round((beat_s - phase_s) / period_s) * period_s if beat_s else phase_s
        skipped = int(first_s < 0)
        position = (int(positions[0]) - 1 + skipped) % n_positions + 1
        first_s += skipped * period_s
        end_s = max(duration_s, end_behind(float(times_s[-1]), period_s, duration_s))
        return (TempoSpan(0.0, end_s, float(result["bpm"]), first_s, position),), ()
    first_s = first_in_track_s(beat_s, period_s)
    to_downbeat = round((beat_s - first_s) / period_s) if is_downbeat else 0
    span = TempoSpan(0.0, duration_s, float(result["bpm"]), first_s, -to_downbeat % n_positions + 1)
    key = "downbeat_offset_s" if is_downbeat else "offset_s"
    return (span,), (f"{path}: its beats contradict bpm and {key}, which count",)


def _anchor(result: Mapping[str, Any], period_s: float, path: Path) -> tuple[float, bool]:
    """Return the time of a beat as the result's head states it, and whether it is a downbeat."""
    offset_s, downbeat_s = result["offset_s"], result["downbeat_offset_s"]
    if downbeat_s is None or not result["downbeat_known"]:
        if offset_s is None:
            raise BeatgridError(f"{path}: offset_s=null: must be a number, for bpm is one")
        return float(offset_s), False
    if offset_s is not None:
        apart_s = abs((downbeat_s - offset_s + period_s / 2) % period_s - period_s / 2)
        if apart_s > START_TOLERANCE_S:
            raise BeatgridError(
                f"{path}: downbeat_offset_s={shown(downbeat_s)}: is no beat of "
                f"bpm={shown(result['bpm'])} and offset_s={shown(offset_s)}; correct one of them"
            )
        if offset_s > 0 and downbeat_s == 0:  # what was before 0 is at 0
            return float(offset_s), False
    return float(downbeat_s), True
