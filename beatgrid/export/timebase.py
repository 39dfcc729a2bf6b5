"""Grids on the clock of another program, where players disagree on when a file begins.

An encoder puts some silence before the music, and a tag in the first frame of an MP3 may say how
much. This program and FFmpeg remove it where it is known. Others keep it, or play the tag's frame
as music. ``docs/exports.md`` has the cases and where the figures come from: they were measured by
others, on their files, to about a millisecond. StepMania's are from its source and exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from beatgrid.audio.headers import lame_tag_is_valid, read_mp3_tag
from beatgrid.errors import BeatgridError

# A frame of MPEG-1 Layer III: 26.1 ms at 44.1 kHz, 24.0 at 48 kHz. Below 32 kHz, MPEG-2's.
_FRAME_SAMPLES = 1152
_MPEG2_FRAME_SAMPLES = 576
_MPEG1_LOWEST_RATE = 32000
# What rekordbox leaves before the music of an MP4: 2112 samples, which Apple's encoder puts there.
_REKORDBOX_MP4_MS = 48.0

AUTO = "auto"
STEPMANIA = "stepmania"

FRAMES_LATE: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        # Keyed by the case of the MP3: A no tag, B a tag without LAME's name, C one whose checksum
        # is wrong or 0, D a valid one.
        "rekordbox": {"A": 0, "B": 0, "C": 0, "D": 1},
        "traktor": {"A": 0, "B": 1, "C": 1, "D": 1},
        "serato": {"A": 1, "B": 1, "C": 1, "D": 1},
        "mixxx": {"A": 0, "B": 0, "C": 0, "D": 0},
    }
)
"""By program: how many MPEG frames later than here an MP3's music begins."""

PROGRAMS = (*FRAMES_LATE, STEPMANIA)
"""Whose clocks are known."""


class CodedTrack(Protocol):
    """What the clocks of a file depend on; see ``beatgrid.export.track.ExportTrack``."""

    @property
    def audio(self) -> Path: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def codec(self) -> str: ...
    @property
    def mp3_tag(self) -> str | None: ...
    @property
    def timebase(self) -> str | None: ...


def mp3_case(track: CodedTrack) -> str | None:
    """Return the letter of an MP3's case: "A" to "D", as above; None for other formats.

    Where the file cannot be read, a tag that names a delay is taken for a valid one.
    """
    if track.mp3_tag is None:
        return None
    if track.mp3_tag in ("none", "vbri"):
        return "A"
    if track.mp3_tag == "xing":
        return "B"
    try:
        valid = lame_tag_is_valid(track.audio)
    except OSError:
        return "D"
    return {None: "B", False: "C", True: "D"}[valid]


def shift_ms(track: CodedTrack, timebase: float | str | None, program: str | None = None) -> float:
    """Return by how much a track's times are later on another clock.

    Args:
        track: Any; what is neither MP3 nor AAC is not shifted.
        timebase: Milliseconds, the name of a program, "auto" for the program that the format is
            for, or None.
        program: That the format is for.

    Raises:
        BeatgridError: No such program.
    """
    if timebase is None:
        return 0.0
    is_mp3, is_aac = track.mp3_tag is not None, track.codec == "aac"
    if isinstance(timebase, str):
        name = program if timebase.lower() == AUTO else timebase.lower()
        check_timebase(timebase)
        if name == STEPMANIA:
            return _stepmania_late_ms(track)
        if name is None or name not in FRAMES_LATE:
            return 0.0
        if is_aac:
            in_mp4 = track.timebase is None
            return _REKORDBOX_MP4_MS if name == "rekordbox" and in_mp4 else 0.0
        case = mp3_case(track)
        return FRAMES_LATE[name][case] * frame_ms(track.sample_rate) if case else 0.0
    return float(timebase) if is_mp3 or is_aac else 0.0


def _stepmania_late_ms(track: CodedTrack) -> float:
    """Return by how much an MP3's music is later in StepMania.

    It keeps the delay of the encoder and its own. A first frame with the tag ``Xing`` is skipped,
    one with ``Info`` is played as silence, which matches older players
    (``RageSoundReader_MP3.cpp``, github.com/stepmania/stepmania).
    """
    if track.mp3_tag is None:
        return 0.0
    try:
        tag = read_mp3_tag(track.audio)
    except OSError:
        tag = None
    if tag is None:
        return 0.0
    frame = frame_ms(track.sample_rate) if tag.name == "Info" else 0.0
    return frame + 1000 * tag.delay_samples / track.sample_rate


def frame_ms(sample_rate: int) -> float:
    """Return the length of an MP3's frame in milliseconds."""
    n_samples = _FRAME_SAMPLES if sample_rate >= _MPEG1_LOWEST_RATE else _MPEG2_FRAME_SAMPLES
    return 1000 * n_samples / sample_rate


def check_timebase(timebase: float | str | None, key: str = "export.timebase") -> None:
    """Refuse the name of a program whose clock is not known.

    Args:
        timebase: As ``shift_ms``.
        key: What the user calls it.

    Raises:
        BeatgridError: With those that are.
    """
    if isinstance(timebase, str) and timebase.lower() not in (AUTO, *PROGRAMS):
        raise BeatgridError(
            f"{key}={timebase}: must be milliseconds, {AUTO} or one of "
            f"{', '.join(PROGRAMS)}; for other programs see docs/exports.md"
        )
