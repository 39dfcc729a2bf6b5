"""The package's own songs whose metrical level is hard to tell.

Slow music, compound metre, and the half-time music that slow music is mistaken for; see
``generator.genres_slow``, ``genres_compound`` and ``genres_half_time``. A source of its own, so
that the seeds of ``own`` keep their genres.
"""

from __future__ import annotations

from beatgrid.rendering.generator import LEVEL_GENRES as GENRES
from beatgrid.rendering.piece import Piece
from beatgrid.rendering.sources.own import missing_tools, piece_of

__all__ = ["GENRES", "missing_tools", "render_piece"]


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Render piece ``seed``, of genre ``seed`` modulo their number.

    Args:
        seed: Any integer >= 0.
        held_out: Changes nothing: all genres are trained on, held-out pieces are other seeds.
    """
    return piece_of(GENRES[seed % len(GENRES)], "slow", seed)
