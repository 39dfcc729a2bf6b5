"""Short pieces of all that the generator knows, for fine-tuning: what must not be forgotten.

Every genre at its own tempi, general, slow, compound and half-time, in an hour or so. A few genres,
``UNREHEARSED``, are in the held-out pieces alone: they tell whether what nobody rehearsed is kept
as well.
"""

from __future__ import annotations

from beatgrid.rendering.generator import ALL_GENRES
from beatgrid.rendering.piece import Piece
from beatgrid.rendering.sources.own import missing_tools, piece_of

__all__ = ["DURATION_S", "REHEARSED", "UNREHEARSED", "missing_tools", "render_piece"]

DURATION_S = 40.0
UNREHEARSED = frozenset(
    {
        *("footwork", "synthwave", "ska", "jcore", "metalcore", "chamber", "tango"),
        *("boom_bap", "trip_hop", "gospel_ballad", "rock_12_8", "phonk", "liquid_dnb"),
    }
)
"""Of every family and of slow, middle and fast tempi."""

REHEARSED = tuple(genre for genre in ALL_GENRES if genre not in UNREHEARSED)


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Render piece ``seed``, of genre ``seed`` modulo their number.

    Args:
        seed: Any integer >= 0.
        held_out: Every genre takes its turn, not only those of ``REHEARSED``.
    """
    cycle = ALL_GENRES if held_out else REHEARSED
    return piece_of(cycle[seed % len(cycle)], "rehearsal", seed, DURATION_S)
