"""Mixxx's beat analysis, the Queen Mary tempo tracker, by the program of ``mixxx-analyzer``.

It measures key and loudness as well, which cannot be left out: its seconds include them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from serving import serve


def load() -> Callable[[str], dict[str, Any]]:
    """Return the function that analyses a file, by a process of its own."""
    import mixxx_analyzer

    def analyse(path: str) -> dict[str, Any]:
        return {"beats_s": mixxx_analyzer.analyze(path).beatgrid}

    return analyse


if __name__ == "__main__":
    serve(f"mixxx-analyzer {version('mixxx-analyzer')}", load)
