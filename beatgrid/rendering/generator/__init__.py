"""Procedural music with exact beatgrids: training data, demo and test fixtures from seeds.

``render`` makes a track, ``write_dataset`` a labelled folder, ``click_track`` plain clicks.

The modules, from bottom to top: ``dsp`` (primitives); ``drums``, ``kits``, ``subtractive``,
``plucked``, ``sung`` and ``instruments`` (sounds); ``patterns``, ``grooves``, ``template`` and
``genres`` (data); ``arrangement`` (form and harmony); ``score``, ``drummer`` and ``players``
(strokes and notes); ``performance`` (notes to sound), ``automation`` and ``mix`` (balance and
mastering); ``render``; ``dataset``.
"""

from beatgrid.rendering.generator.clicks import click_track
from beatgrid.rendering.generator.dataset import write_dataset
from beatgrid.rendering.generator.genres import ALL_GENRES, GENRES, LEVEL_GENRES
from beatgrid.rendering.generator.render import RenderedTrack, render

__all__ = [
    "ALL_GENRES",
    "GENRES",
    "LEVEL_GENRES",
    "RenderedTrack",
    "click_track",
    "render",
    "write_dataset",
]
