"""Labelled music from seeds: one module per source, and what they share.

From bottom to top: ``piece`` (what a source returns), ``mastering``, the sources, ``store``
(features and labels on disk). A source is a module with

    render_piece(seed: int, held_out: bool) -> Piece    the same seed gives the same piece
    missing_tools() -> list[str]                        programs and files it lacks here
"""

SOURCES = ("own", "mma", "hybrid", "lmms", "hydrogen")
"""Names of all sources; each is a module of this package."""
