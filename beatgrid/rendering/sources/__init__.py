"""Labelled music from seeds: one module per source, and what only they share.

A source is a module of this package with

    render_piece(seed: int, held_out: bool) -> Piece    the same seed gives the same piece
    missing_tools() -> list[str]                        programs and files it lacks here
    GENRES                                              optional: the genres its seeds cycle through
    DURATION_S                                          optional: of every piece; drawn otherwise
"""

from __future__ import annotations

import importlib
from types import ModuleType

SOURCES = ("own", "mma", "hybrid", "lmms", "hydrogen", "slow", "slow_hydrogen", "rehearsal")
"""Names of all sources."""


def source_module(name: str) -> ModuleType:
    """Import the source of a name out of ``SOURCES``."""
    return importlib.import_module(f"beatgrid.rendering.sources.{name}")
