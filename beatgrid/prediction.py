"""What was found in one track, for programs: the grid, its beats, how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from beatgrid.audio.reader import AudioInfo
from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.output.result import grid_result
from beatgrid.search import Alternative, Beats, GridEstimate, Segment, TempoHint


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """What was found in one track, and what it was found in.

    Not all audio has a grid. Noise, speech, or less than four seconds are no error: ``grid``,
    ``bpm``, ``offset_s`` and ``downbeat_offset_s`` are then None, ``reason`` says why, there are
    no beats and the confidence is 0. Silence and what cannot be decoded raise an ``AudioError``
    instead.

    Attributes:
        info: The audio as decoded.
        activation: Probabilities per frame.
        estimate: All that the grid search answers, standard errors and raw values too.
        log_mel: Features in dB, float32 (frames, mels), for pictures.
        model_id: The checkpoint that answered, or ``flux``.
        hint: What was said of the tempo; None if nothing was.
    """

    info: AudioInfo
    activation: Activation
    estimate: GridEstimate
    log_mel: np.ndarray = field(repr=False)
    model_id: str
    hint: TempoHint | None = None

    @property
    def grid(self) -> Grid | None:
        """The grid as a value object; None if there is none."""
        return self.estimate.grid

    @property
    def bpm(self) -> float | None:
        """Tempo, snapped to a round value where that moves no beat by more than 5 ms."""
        return self.estimate.bpm

    @property
    def offset_s(self) -> float | None:
        """Time of the first beat; one up to 10 ms before 0 is at 0."""
        return self.beats.first_s

    @property
    def downbeat_offset_s(self) -> float | None:
        """Time of the first downbeat; None if the bars are not known either."""
        return self.beats.first_downbeat_s if self.downbeat_known else None

    @cached_property
    def beats(self) -> Beats:
        """Every beat: its time, place in the bar and segment, and whether it is certain."""
        return self.estimate.beats_in(self.duration_s)

    @property
    def downbeat_known(self) -> bool:
        """Whether bar lines were found; ``activation=flux`` and one-output networks have none."""
        return self.estimate.downbeat_known

    @property
    def beats_per_bar(self) -> int | None:
        """Beats from one downbeat to the next; assumed where the bars are not known."""
        return self.estimate.beats_per_bar

    @property
    def confidence(self) -> float:
        """Probability that tempo level and beat phase are right, 0..1; 0 without a grid."""
        return self.estimate.confidence

    @property
    def constant_tempo(self) -> bool | None:
        """False where the track changes tempo or is edited: see ``segments``."""
        return self.estimate.constant_tempo

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Stretches of constant tempo that cover the track."""
        return self.estimate.segments

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """The grids that came closest, best first."""
        return self.estimate.alternatives

    @property
    def reason(self) -> str | None:
        """Why there is no grid; None if there is one."""
        return self.estimate.reason

    @property
    def hint_agrees(self) -> bool | None:
        """Whether the tempo found is one that the hint names; None without hint or grid."""
        if self.hint is None or self.bpm is None:
            return None
        return self.hint.agrees(self.bpm)

    @property
    def duration_s(self) -> float:
        """Length of the track in seconds."""
        return self.info.duration_s

    def beat_times(self) -> FloatArray:
        """Return the times in seconds of all beats in the track, float64 (beats,).

        Where the tempo is not constant they follow ``segments``, unless the search was told
        otherwise (``GridSearch(piecewise=False)``); ``beats`` tells which are certain.
        """
        return self.beats.times_s

    def downbeat_times(self) -> FloatArray:
        """Return the times in seconds of all downbeats, float64 (downbeats,).

        Empty if the bars are not known.
        """
        return self.beats.downbeat_times_s if self.downbeat_known else np.zeros(0)

    def to_dict(self, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the result as plain values, as ``beatgrid predict`` writes it to JSON.

        Args:
            settings: What the result says of how it was found; by default nothing.

        Returns:
            A dict valid under ``beatgrid/output/result.schema.json``.
        """
        return grid_result(
            self.estimate,
            self.activation,
            self.info,
            self.model_id,
            settings or {},
            self.hint,
        )

    def __repr__(self) -> str:
        name = self.info.path.name if self.info.path else "samples"
        if self.grid is None:
            return f"Prediction({name!r}, bpm=None, reason={self.reason!r})"
        return (
            f"Prediction({name!r}, bpm={self.bpm}, offset_s={self.offset_s:.4f}, "
            f"confidence={self.confidence:.2f})"
        )
