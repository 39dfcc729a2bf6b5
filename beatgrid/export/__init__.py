"""Grids in the files of other programs: DJ software, sequencers, rhythm games, research tools."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    spans=("TempoSpan",),
    track=("ExportTrack", "NoGridError"),
    formats=("FORMATS", "Format"),
    options=("ExportOptions",),
)
