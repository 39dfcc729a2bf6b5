"""Where labelled music comes from beside the labelled folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.rendered import RenderedSource
from beatgrid.data.track import Track
from beatgrid.errors import BeatgridError


class TrackSource(Protocol):
    """Labelled music with its features at hand.

    ``data.sources.NAME`` takes any class that has this method, by its ``_target_``.
    """

    def tracks(self, features: FeatureSpec) -> Iterable[Track]:
        """Return tracks whose stored features are of this spec."""


def configured_sources(
    rendered: Mapping[str, Mapping[str, Any] | None],
    sources: Mapping[str, TrackSource | None],
    key: str = "data.rendered",
) -> list[TrackSource]:
    """Return the sources that a configuration names, without those set to null.

    Args:
        rendered: Arguments of a RenderedSource each, by name (``data.rendered``).
        sources: Any others, by name (``data.sources``).
        key: Where ``rendered`` stands in the configuration.

    Raises:
        BeatgridError: Arguments that a RenderedSource does not take.
    """
    found: list[TrackSource] = []
    for name, settings in rendered.items():
        try:
            found += [] if settings is None else [RenderedSource(**settings)]
        except TypeError as error:
            raise BeatgridError(
                f"{key}.{name}={settings}: takes folder, weight and max_hours"
            ) from error
    for name, source in sources.items():
        if source is not None and not callable(getattr(source, "tracks", None)):
            raise BeatgridError(
                f"data.sources.{name}={source}: give a class that yields tracks, "
                "'{_target_: package.module.Class, ...}' (see CONTRIBUTING.md)"
            )
        found += [] if source is None else [source]
    return found
