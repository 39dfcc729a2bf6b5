"""What a user may choose about exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from beatgrid.checks import Name, Share, check_fields


@dataclass(frozen=True)
class ExportOptions:
    """Options that all formats share.

    Attributes:
        timebase: Whose clock the times are to be on, where MP3 and AAC players disagree: a
            program, or milliseconds that all such grids are shifted by; null: this program's.
        merge: Existing collections of other programs to put the grids into, a file or several; a
            copy is written, the file itself stays as it is.
        in_place: Write into the user's own files, a backup beside each: audio files get tags, and
            collections named by merge the grids.
        click_audio: Form of click tracks and mixes, wav or flac.
        click_level: Peak of the clicks in them, 0..1; in a mix the music has the rest.
    """

    timebase: float | Name | None = None
    merge: Name | Sequence[Name] | None = None
    in_place: bool = False
    click_audio: Literal["wav", "flac"] = "wav"
    click_level: Share = 0.5

    def __post_init__(self) -> None:
        check_fields(self)
