"""The package's own generator: every genre in turn, unlimited."""

from __future__ import annotations

from beatgrid.synth import GENRES, render
from rendering.piece import SAMPLE_RATE, Piece, draw_duration_s


def missing_tools() -> list[str]:
    """Nothing: numpy and scipy are there."""
    return []


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Piece ``seed``, of genre ``seed`` modulo their number.

    Args:
        seed: Any integer >= 0.
        held_out: Changes nothing: all genres are trained on, held-out pieces are other seeds.
    """
    track = render(
        GENRES[seed % len(GENRES)], seed, draw_duration_s("own", seed), sample_rate=SAMPLE_RATE
    )
    return Piece(track.samples, track.grid, track.genre, recipe=track.metadata)
