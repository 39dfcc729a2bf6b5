"""The genres of ``slow``, the drums played on sampled kits as in ``hydrogen``."""

from __future__ import annotations

from beatgrid.rendering.generator import LEVEL_GENRES
from beatgrid.rendering.generator.genres import TEMPLATES
from beatgrid.rendering.piece import Piece
from beatgrid.rendering.sources.hydrogen import missing_tools, play

__all__ = ["GENRES", "missing_tools", "render_piece"]

#: Genres that have drums.
GENRES = tuple(name for name in LEVEL_GENRES if TEMPLATES[name].grooves)


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Render piece ``seed``, mastered, of genre ``seed`` modulo their number.

    Args:
        seed: Any integer >= 0.
        held_out: Use the kits held out from training.
    """
    return play(GENRES[seed % len(GENRES)], "slow_hydrogen", seed, held_out)
