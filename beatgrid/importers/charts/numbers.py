"""Numbers as charts spell them."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")


def number(text: str) -> float | None:
    """Return the number that text begins with, as C's ``atof`` and games do; None without one."""
    found = _NUMBER.match(text)
    value = float(found[1]) if found else math.nan
    return value if math.isfinite(value) else None
