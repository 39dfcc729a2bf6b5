"""The package's own generator: every genre in turn, unlimited."""

from __future__ import annotations

import numpy as np

from beatgrid.rendering.generator import GENRES, render
from beatgrid.rendering.piece import SAMPLE_RATE, Piece, draw_duration_s, random_source
from beatgrid.rendering.sources.mastering import CODED_SHARE, coded


def missing_tools() -> list[str]:
    """Name nothing: numpy and scipy are there."""
    return []


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Render piece ``seed``, of genre ``seed`` modulo their number.

    Args:
        seed: Any integer >= 0.
        held_out: Changes nothing: all genres are trained on, held-out pieces are other seeds.
    """
    return piece_of(GENRES[seed % len(GENRES)], "own", seed)


def piece_of(genre: str, source: str, seed: int, duration_s: float | None = None) -> Piece:
    """Render a song of the generator, some of them through a codec.

    Args:
        genre: One of ``genres.TEMPLATES``.
        source: Name of the source, from which length and codec are drawn.
        seed: Any integer >= 0.
        duration_s: Length in seconds; drawn by default.
    """
    duration_s = draw_duration_s(source, seed) if duration_s is None else duration_s
    track = render(genre, seed, duration_s, sample_rate=SAMPLE_RATE)
    samples, recipe = track.samples, dict(track.metadata)
    rng = random_source(f"{source} codec", seed)
    if rng.random() < CODED_SHARE:
        samples, recipe["codec"] = coded(samples, rng)
        # Codecs overshoot: 1 is the peak a piece may have.
        samples /= max(np.float32(1.0), np.max(np.abs(samples)))
    return Piece(samples, track.grid, track.genre, recipe=recipe)
