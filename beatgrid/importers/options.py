"""What a user may choose about imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from beatgrid.checks import Name, check_fields


@dataclass(frozen=True)
class ImportOptions:
    """Options that all formats share.

    Attributes:
        audio_dir: Folder that the labels' file names are relative to, and in which audio is looked
            for that is not where the file says; null: the folder that all audio found is below.
        segments: Labels of tracks whose tempo changes: keep, with a list of segments; or skip.
        missing: Labels of audio that is not there: skip; or keep, with no duration.
        timebase: Whose clock the files' times are on, where MP3 and AAC players disagree: auto,
            the program's that the format is of, as far as known; null: this program's; a program;
            or the milliseconds by which all their times are later than here.
        itg: What StepMania's #OFFSET has of the 9 ms that In The Groove's community adds: true
            takes them out.
        unpack: Folder that audio inside archives is unpacked to; null: it stays there.
        overwrite: Replace labels that are there already and say something else.
    """

    audio_dir: Name | None = None
    segments: Literal["keep", "skip"] = "keep"
    missing: Literal["keep", "skip"] = "skip"
    timebase: float | Name | None = "auto"
    itg: bool = False
    unpack: Name | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
