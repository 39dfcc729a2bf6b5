"""The audit of one labelled track, as a worker process does it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from beatgrid.activation.source import ActivationSource
from beatgrid.audio.cache import FeatureCache
from beatgrid.audit.bars import BarFit
from beatgrid.audit.evidence import Evidence, measure, search
from beatgrid.audit.fit import Fit
from beatgrid.audit.verdict import Verdict, judge
from beatgrid.data.track import Track
from beatgrid.errors import LabelError
from beatgrid.grid import Activation, Grid
from beatgrid.output.result import grid_result
from beatgrid.search import Alternative, GridEstimate
from beatgrid.search.odds import sigmoid


@dataclass(frozen=True)
class AuditedLabel:
    """One label, its verdict, and the numbers that it rests on. Times are music less label.

    Attributes:
        label: The label file.
        audio: Its audio; None where only features exist.
        verdict: What is said of it.
        bpm: Of the label.
        marked: The label's own ``suspect``.
        codec: Of the audio; None where it is not known.
        mp3_tag: Of an MP3, which decides on its clock.
        numbers: Measurements by name, ``NUMBERS``; those that are not known are None. Empty where
            nothing could be measured.
    """

    label: Path
    audio: Path | None
    verdict: Verdict
    bpm: float | None = None
    marked: str | None = None
    codec: str | None = None
    mp3_tag: str | None = None
    numbers: Mapping[str, float | str | None] | None = None

    def number(self, name: str) -> float | None:
        """Return a measurement; None where it is not known."""
        value = (self.numbers or {}).get(name)
        return value if isinstance(value, float) else None


def _of_fit(measure: Callable[[Fit], float | None]) -> Callable[[Evidence], float | None]:
    """Return a measurement of the fit, None where there is none."""
    return lambda e: None if e.fit is None else measure(e.fit)


def _of_bars(
    measure: Callable[[BarFit], float | str],
) -> Callable[[Evidence], float | str | None]:
    return lambda e: None if e.bars is None else measure(e.bars)


NUMBERS: Mapping[str, Callable[[Evidence], float | str | None]] = {
    "offset_ms": _of_fit(lambda f: 1000 * f.offset_s),
    "offset_std_ms": _of_fit(lambda f: 1000 * f.offset_std_s),
    "drift_ms": _of_fit(lambda f: 1000 * f.drift_s),
    "drift_std_ms": _of_fit(lambda f: 1000 * f.drift_std_s),
    "better_bpm": _of_fit(lambda f: f.line.bpm),
    "last_beat_ms": _of_fit(lambda f: 1000 * f.last_shift_s),
    "onset_offset_ms": _of_fit(
        lambda f: None if f.onset_offset_s is None else 1000 * f.onset_offset_s
    ),
    "onset_gain": _of_fit(lambda f: f.onset_gain),
    "offbeat_probability": _of_fit(lambda f: sigmoid(-f.phase_log_odds)),
    "kept": _of_fit(lambda f: f.kept),
    "strength_share": lambda e: e.strength_share,
    "found_bpm": lambda e: e.found.bpm,
    "level": lambda e: e.level,
    "level_probability": lambda e: e.level_probability,
    "confidence": lambda e: e.found.confidence,
    "later_beats": _of_bars(lambda b: float(b.later_beats)),
    "bars_margin": _of_bars(lambda b: b.margin),
    "bars_by": _of_bars(lambda b: "model" if b.fitted else "downbeats"),
    "excess_s": lambda e: e.excess_s,
}
"""Measurements of a label by name, as reports write them."""


def auditor(
    load: Callable[[], ActivationSource], cache_dir: Path
) -> Callable[[Track], tuple[AuditedLabel, dict[str, Any] | None]]:
    """Make the function that audits a track, once in each process.

    Args:
        load: Makes the source of activations.
        cache_dir: Of the features.

    Returns:
        A function of a track as discovered. It returns the label's audit and, for a suspect with
        audio, what ``beatgrid predict`` would write, with the label among the alternatives. It
        raises a BeatgridError where label or audio cannot be used.
    """
    source = load()
    cache = FeatureCache(cache_dir, source.features)
    find = search()

    def audit(track: Track) -> tuple[AuditedLabel, dict[str, Any] | None]:
        if track.stored is None and track.audio_path is not None:
            track = replace(track, stored=cache.get(track.audio_path))
        if not len(track.grid.beat_indices(track.duration_s)):
            raise LabelError(
                f"{track.label.path}: no beat lies in the {track.duration_s:.1f} s of its audio; "
                "check bpm and downbeatOffset"
            )
        activation = source(track.load_features(), track.audio_duration_s)
        found = find(activation, source.ranker)
        audited = audit_activation(track, activation, found, source)
        result = None
        info = None if track.stored is None else track.stored.info
        if audited.verdict.is_suspect and info is not None:
            shown = _with_label(found, track.grid, audited)
            settings = {"audit": audited.verdict.kind, "reason": audited.verdict.reason}
            result = grid_result(shown, activation, info, source.model_id, settings)
        return audited, result

    return audit


def audit_activation(
    track: Track, activation: Activation, found: GridEstimate, source: ActivationSource
) -> AuditedLabel:
    """Audit a track whose activation and own grid are at hand.

    Args:
        track: With its features.
        activation: Of these.
        found: What ``evidence.search()`` finds in it.
        source: Of the activation.
    """
    label = track.label
    evidence = measure(label.grid, activation, found, source.ranker, label.duration_s)
    info = None if track.stored is None else track.stored.info
    return AuditedLabel(
        label=label.path,
        audio=track.audio_path,
        verdict=judge(evidence, bars_known=label.downbeat != "unknown"),
        bpm=label.grid.bpm,
        marked=label.suspect,
        codec=info.codec if info else None,
        mp3_tag=info.mp3_tag if info else None,
        numbers={name: _known(number(evidence)) for name, number in NUMBERS.items()},
    )


def _with_label(found: GridEstimate, grid: Grid, audited: AuditedLabel) -> GridEstimate:
    """Return the grid found with the label's as its first alternative, one key away in review."""
    if found.grid is None:
        return found
    strength = (audited.number("strength_share") or 0.0) * (audited.number("kept") or 0.0)
    of_label = Alternative(
        bpm=grid.bpm,
        offset_s=grid.first_beat_s,
        score=strength * (found.score or 0.0),
        ratio=grid.bpm / found.grid.bpm,
        probability=audited.number("level_probability") or 0.0,
    )
    return replace(found, alternatives=(of_label, *found.alternatives[:5]))


def _known(value: float | str | None) -> float | str | None:
    """Return None for what is not a number: JSON has no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
