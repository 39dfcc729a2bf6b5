"""All genre templates, and the custom by which each counts its beats.

``bpm`` is the range in which listeners of the genre count: drum & bass at 160-180 although its
backbeat halves that, trap and dubstep at 130-160 with the snare on beat 3, hip-hop at 75-105,
ballads at 60-90 although their hi-hat doubles that, metal by its quarter note whatever the feet
do, a waltz by its three. The label's metrical level is this custom, and a network can only learn
it if it is the same everywhere.
"""

from __future__ import annotations

from beatgrid.rendering.generator.genres_acoustic import ACOUSTIC_MUSIC
from beatgrid.rendering.generator.genres_bands import BANDS
from beatgrid.rendering.generator.genres_electronic import ELECTRONIC
from beatgrid.rendering.generator.template import Genre

TEMPLATES: dict[str, Genre] = ELECTRONIC | BANDS | ACOUSTIC_MUSIC


def _interleaved() -> tuple[str, ...]:
    """Names ordered so that any stretch of the list mixes the families."""
    families = [list(f) for f in (ELECTRONIC, BANDS, ACOUSTIC_MUSIC)]
    rank = {name: i / len(f) for f in families for i, name in enumerate(f)}
    return tuple(sorted(TEMPLATES, key=lambda name: rank[name]))


GENRES: tuple[str, ...] = _interleaved()
"""Names of all genres, the order in which data sets cycle through them."""
