"""Labelled tracks with their features at hand, as training, evaluation and calibration use them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beatgrid.audio.cache import CachedTrack, FeatureCache
from beatgrid.data.discovery import LabelledTrack
from beatgrid.data.labels import Label
from beatgrid.errors import LabelError
from beatgrid.evaluation import TrackScore, evaluate_track
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridEstimate

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Track:
    """One labelled track, features at hand.

    Attributes:
        name: Unique within the data set.
        grid: The label's grid.
        downbeat: How far its bars can be trusted, as in the label.
        duration_s: Where the label's grid ends.
        cached: Features (frames, mels) on disk.
        audio_path: The audio, or None where only features exist.
        weight: How often its crops are drawn, relative to 1.
        group: Versions of one recording share it.
        extra: The label's other keys; ``suspect``, ``license``, ``artist`` and ``source`` have a
            meaning here.
    """

    name: str
    grid: Grid
    downbeat: str
    duration_s: float
    cached: CachedTrack
    audio_path: Path | None = None
    weight: float = 1.0
    group: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def suspect(self) -> str | None:
        """What of the label is in doubt, such as ``octave``; None if nothing is."""
        return self.extra.get("suspect")


def open_track(pair: LabelledTrack, cache: FeatureCache) -> Track:
    """A labelled track with its features, computed now if the cache lacks them.

    Raises:
        AudioError: The audio cannot be decoded or is silent.
        LabelError: The label's duration is not this audio's, or no beat lies within it.
    """
    cached = cache.get(pair.audio_path)
    label, audio_s = pair.label, cached.duration_s
    duration_s = label.duration_within(audio_s)
    if label.duration_s is not None and abs(label.duration_s - audio_s) > 1.0:
        logger.warning(
            "%s: duration %.1f s, but %s has %.1f s: is it the same recording?",
            *(label.path, label.duration_s, pair.audio_path.name, audio_s),
        )
    if not len(label.grid.beat_indices(duration_s)):
        raise LabelError(
            f"{label.path}: no beat lies in the {duration_s:.1f} s of {pair.audio_path.name}; "
            "check bpm and downbeatOffset"
        )
    return track_from(label, cached, duration_s, pair.audio_path)


def track_from(
    label: Label, cached: CachedTrack, duration_s: float, audio_path: Path | None = None
) -> Track:
    """A track from what its label says, with features at hand."""
    return Track(
        name=label.name,
        grid=label.grid,
        downbeat=label.downbeat,
        duration_s=duration_s,
        cached=cached,
        audio_path=audio_path,
        group=label.group,
        extra=label.extra,
    )


def score_track(track: Track, activation: Activation, estimate: GridEstimate) -> TrackScore:
    """Scores of what was found in a labelled track."""
    return evaluate_track(
        track.grid,
        estimate.grid,
        track.duration_s,
        confidence=estimate.confidence,
        downbeat_reliable=track.downbeat == "reliable",
        estimate_downbeat_known=activation.downbeat is not None,
    )
