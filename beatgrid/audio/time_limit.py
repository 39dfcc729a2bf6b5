"""How long a file may take, so that a decoder that hangs costs no more than its file."""

from __future__ import annotations

import os
from pathlib import Path

TIME_LIMIT_S = 120.0
# Half an hour of music at 24 kbit/s, the longest that this many bytes hold by custom: 5 to 20 s
# of work on one core. Denser files get more time than they need.
_BYTES_PER_LIMIT = 5_000_000


def time_limit_s(path: str | os.PathLike[str], limit_s: float = TIME_LIMIT_S) -> float:
    """Return the seconds that reading and analysing a file may take.

    The length of a damaged or hostile file is only known by decoding it: its size stands in.

    Args:
        path: The file; one that is missing has the least time.
        limit_s: For a short file, and once more for each 5 MB.
    """
    try:
        n_bytes = Path(path).stat().st_size
    except OSError:
        n_bytes = 0
    return limit_s * (1 + n_bytes / _BYTES_PER_LIMIT)
