"""All genre templates, and the custom by which each counts its beats.

``bpm`` is the range in which listeners of the genre count: drum & bass at 160-180 although its
backbeat halves that, trap and dubstep at 130-160 with the snare on beat 3, hip-hop at 75-105,
ballads at 60-90 although their hi-hat doubles that, metal by its quarter note whatever the feet
do, a waltz by its three. The label's metrical level is this custom, and a network can only learn
it if it is the same everywhere. ``docs/metrical-levels.md`` has sources.
"""

from __future__ import annotations

from beatgrid.rendering.generator.genres_acoustic import ACOUSTIC_MUSIC
from beatgrid.rendering.generator.genres_bands import BANDS
from beatgrid.rendering.generator.genres_compound import COMPOUND
from beatgrid.rendering.generator.genres_electronic import ELECTRONIC
from beatgrid.rendering.generator.genres_half_time import HALF_TIME
from beatgrid.rendering.generator.genres_slow import SLOW
from beatgrid.rendering.generator.template import Genre

Families = tuple[dict[str, Genre], ...]

_GENERAL: Families = (ELECTRONIC, BANDS, ACOUSTIC_MUSIC)
# Slow music twice: it is what is doubled, and half-time genres are among the general ones too.
_LEVELS: Families = (SLOW, COMPOUND, dict(reversed(SLOW.items())), HALF_TIME)

TEMPLATES: dict[str, Genre] = {
    name: genre for family in _GENERAL + _LEVELS for name, genre in family.items()
}


def _interleaved(families: Families) -> tuple[str, ...]:
    """Return names ordered so that any stretch of the list mixes the families."""
    ranked = [(i / len(family), name) for family in families for i, name in enumerate(family)]
    return tuple(name for _, name in sorted(ranked, key=lambda rank_and_name: rank_and_name[0]))


GENRES: tuple[str, ...] = _interleaved(_GENERAL)
"""Names of the genres of general music, the order in which data sets cycle through them."""

ALL_GENRES: tuple[str, ...] = _interleaved((*_GENERAL, SLOW, COMPOUND, HALF_TIME))
"""Names of every genre, once each."""

LEVEL_GENRES: tuple[str, ...] = _interleaved(_LEVELS)
"""Names of the genres that teach the metrical level: slow music, compound metre, half time.

A cycle of its own, so that the seeds of ``GENRES`` keep their pieces; slow ones come twice in it.
"""
