"""Labelled tracks, from their discovery to their scores."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beatgrid.audio.cache import FeatureCache, StoredFeatures
from beatgrid.data.labels import Label, offset_beyond_end
from beatgrid.errors import BeatgridError, LabelError
from beatgrid.evaluation import TrackScore, evaluate_track
from beatgrid.files import printable
from beatgrid.grid import Activation, Grid
from beatgrid.search import Alternative, GridEstimate

logger = logging.getLogger(__name__)

# Labels and decoders differ by a codec's padding, editions of a recording by seconds.
SAME_RECORDING_S = 1.0


@dataclass(frozen=True, eq=False)
class Track:
    """A labelled track: found with its audio, later with its features at hand.

    Attributes:
        label: What is known of it.
        audio_path: Its audio, or None where only features exist.
        stored: Its features, or None until ``open_track``.
        weight: How often its crops are drawn, relative to 1.
    """

    label: Label
    audio_path: Path | None = None
    stored: StoredFeatures | None = None
    weight: float = 1.0

    @property
    def name(self) -> str:
        """The label's base name, which identifies the track within its folder."""
        return self.label.name

    @property
    def grid(self) -> Grid:
        """The label's grid."""
        return self.label.grid

    @property
    def n_frames(self) -> int:
        """Length of the features."""
        return self._at_hand().n_frames

    @property
    def audio_duration_s(self) -> float:
        """Length of the audio in seconds."""
        return self._at_hand().duration_s

    @property
    def duration_s(self) -> float:
        """Where the label's grid ends, in seconds: at the label's duration, or the audio's."""
        return self.label.duration_within(self._at_hand().duration_s)

    def load_features(self) -> NDArray[np.float16]:
        """Return log-mel in dB, float16 (frames, mels), mapped from disk."""
        return self._at_hand().load()

    def _at_hand(self) -> StoredFeatures:
        if self.stored is None:
            raise RuntimeError(f"{self.name}: no features yet; open_track() comes first")
        return self.stored


def open_track(track: Track, cache: FeatureCache) -> Track:
    """Return a track with its features at hand, computed now if the cache lacks them.

    Raises:
        AudioError: The audio cannot be decoded or is silent.
        LabelError: The label's duration is not this audio's, or no beat lies within it.
    """
    if track.stored is not None:
        return track
    if track.audio_path is None:
        raise LabelError(f"{track.label.path}: neither audio nor features belong to it")
    label, audio_path = track.label, track.audio_path
    where = printable(label.path)
    track = replace(track, stored=cache.get(audio_path))
    duration_s, audio_s = track.duration_s, track.audio_duration_s
    if label.duration_s is not None and abs(label.duration_s - audio_s) > SAME_RECORDING_S:
        logger.warning(
            "%s: duration %.1f s, but %s has %.1f s: is it the same recording?",
            *(where, label.duration_s, printable(audio_path.name), audio_s),
        )
    if label.duration_s is None and label.grid.offset_s >= audio_s:
        logger.warning("%s: %s", where, offset_beyond_end(label.grid.offset_s, audio_s))
    if not len(label.grid.beat_indices(duration_s)):
        raise LabelError(
            f"{where}: no beat lies in the {duration_s:.1f} s of {printable(audio_path.name)}; "
            "check bpm and downbeatOffset"
        )
    return track


def open_tracks(
    tracks: Iterable[Track], cache: FeatureCache, failed: Callable[[BeatgridError], object]
) -> Iterator[Track]:
    """Yield tracks with their features at hand, without those that cannot be used.

    Args:
        tracks: As discovered; what has its features already passes through.
        cache: Of the features.
        failed: Receives the error of each track left out; may raise it to stop.
    """
    for track in tracks:
        try:
            opened = open_track(track, cache)
        except BeatgridError as error:
            failed(error)
            continue
        yield opened


def score_track(track: Track, activation: Activation, estimate: GridEstimate) -> TrackScore:
    """Return the scores of what was found in a labelled track."""
    return evaluate_track(
        track.grid,
        estimate.grid,
        track.duration_s,
        confidence=estimate.confidence,
        downbeat_reliable=track.label.downbeat == "reliable",
        estimate_downbeat_known=activation.downbeat is not None,
    )


def score_alternatives(track: Track, estimate: GridEstimate) -> Iterator[tuple[Alternative, bool]]:
    """Yield the grids that were not chosen, and whether each is right to 21.5 ms at every beat."""
    for alternative in estimate.alternatives:
        grid = Grid(alternative.bpm, alternative.offset_s)
        yield alternative, evaluate_track(track.grid, grid, track.duration_s).grid_ok_21
