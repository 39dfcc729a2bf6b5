"""Grids out of the files of other programs: charts of rhythm games, libraries of DJ software."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    track=("ImportedTrack", "TempoMark"),
    formats=("FORMATS", "Format"),
    options=("ImportOptions",),
)
