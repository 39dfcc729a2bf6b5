"""Which share of a library a file belongs to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from beatgrid.audio.find import AudioFile
from beatgrid.errors import BeatgridError
from beatgrid.output.index import place_key, place_of


@dataclass(frozen=True)
class Shard:
    """One of several shares of a library: files are dealt out by a hash of their results' places.

    A file's share depends on nothing but its place below the folder that was named and on the
    count: other files, the order of the search, the machine and its mount points do not matter.
    Files whose results would have the same place are in the same share, which alone decides
    which of them gets it.

    Attributes:
        number: From 1 to ``count``.
        count: How many shares there are.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise BeatgridError(
                f"shard={self}: the number must lie between 1 and the count, as in 1/16 to 16/16"
            )

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the share that ``3/16`` means: the third of sixteen.

        Raises:
            BeatgridError: It means none.
        """
        match = re.fullmatch(r"(\d{1,7})/(\d{1,7})", text)
        if match is None:
            raise BeatgridError(
                f"shard={text}: must be a number and a count, such as 3/16 for the third of 16"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, files: Iterable[AudioFile]) -> list[AudioFile]:
        """Return those of the files that belong to this share, in their order."""
        return [file for file in files if self.takes(file.place)]

    def takes(self, place: str) -> bool:
        """Tell whether the audio file of that place (``AudioFile.place``) belongs to this share."""
        digest = hashlib.blake2b(place_key(place_of(place)), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.number - 1
