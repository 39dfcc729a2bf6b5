"""What a review leaves: the result with a person's word, and a label to train on."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from beatgrid.data.label_segments import LabelSegment, write_piecewise_label
from beatgrid.data.labels import SUFFIX as LABEL_SUFFIX
from beatgrid.data.labels import write_label
from beatgrid.grid import START_TOLERANCE_S, Activation, Grid
from beatgrid.output.result import (
    BEAT_DECIMALS,
    PROBABILITY_DECIMALS,
    bpm_display,
    displayable,
    result_name,
)
from beatgrid.review.reviewed_grid import ReviewedGrid
from beatgrid.review.run import place_of_audio
from beatgrid.search import TempoHint, prob_at_beats

_FOUND = (
    *("bpm", "offset_s", "downbeat_offset_s", "beats_per_bar", "downbeat_known", "confidence"),
    *("constant_tempo", "segments"),
)
"""What a result keeps of the search's answer under ``reviewed.found``."""
_HASH_DIGITS = 8


def reviewed_result(
    result: Mapping[str, Any],
    grid: ReviewedGrid,
    activation: Activation | None,
    date: datetime,
) -> dict[str, Any]:
    """Return a result as a person has accepted it: locked, with what was changed.

    An accepted result keeps all that the search said. A corrected one has the person's grid, the
    confidence 1, and null for what the search measured of its own.

    Args:
        result: As it was.
        grid: The person's.
        activation: Gives the probability at each beat; without it they are 0.
        date: Of the review.
    """
    before = result.get("reviewed") or {}
    found = before.get("found") or {key: result[key] for key in _FOUND}
    new = dict(result)
    beats = new.pop("beats")
    if not grid.same_beats(ReviewedGrid.from_result(result)):
        changes, beats = _corrections(result, grid, activation)
        new |= changes
    changed = [key for key in _FOUND if key != "confidence" and new[key] != found[key]]
    new["locked"] = True
    new["reviewed"] = {
        "date": date.isoformat(timespec="seconds"),
        "verdict": "corrected" if changed else "accepted",
        "changed": changed,
        "found": found,
    }
    return {**new, "beats": beats}


def _corrections(
    result: Mapping[str, Any], grid: ReviewedGrid, activation: Activation | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    beats = grid.beats()
    if not grid.stretches:
        raise ValueError("a result is not corrected to no grid")
    longest = max(
        range(len(grid.stretches)), key=lambda i: grid.end_s(i) - grid.stretches[i].start_s
    )
    main = grid.stretches[longest].grid
    constant = grid.is_constant
    hint = result["hint"]
    segments = []
    for index, stretch in enumerate(grid.stretches):
        own_s = beats.times_s[beats.segment == index]
        segments.append(
            {
                "start_s": stretch.start_s,
                "end_s": grid.end_s(index),
                "bpm": stretch.grid.bpm,
                "offset_s": float(own_s[0]) if len(own_s) else stretch.grid.offset_s,
            }
        )
    changes = {
        "bpm": main.bpm,
        "bpm_display": bpm_display(main.bpm, grid.duration_s),
        "bpm_raw": main.bpm,
        "bpm_std": None,
        "offset_s": beats.first_s,
        "downbeat_offset_s": beats.first_downbeat_s if grid.downbeat_known else None,
        "offset_raw_s": main.offset_s,
        "offset_std_ms": None,
        "beats_per_bar": main.beats_per_bar,
        "downbeat_known": grid.downbeat_known,
        "confidence": 1.0,
        "offbeat_confidence": None,
        "downbeat_confidence": None,
        "score": None,
        "constant_tempo": constant,
        "max_drift_ms": None,
        "reason": None,
        "hint_agrees": None if hint is None else TempoHint.of(hint).agrees(main.bpm),
        "segments": segments,
        "alternatives": [
            {**alternative, "ratio": alternative["bpm"] / main.bpm}
            for alternative in result["alternatives"]
        ],
    }
    probability = (
        [0.0] * len(beats.times_s)
        if activation is None
        else prob_at_beats(activation, beats.times_s)
    )
    rows = []
    for i in range(len(beats.times_s)):
        row: dict[str, Any] = {
            "time": round(float(beats.times_s[i]), BEAT_DECIMALS),
            "bar_position": int(beats.bar_position[i]) if grid.downbeat_known else None,
            "prob_at_grid": round(float(probability[i]), PROBABILITY_DECIMALS),
        }
        if not constant:
            row |= {"segment": int(beats.segment[i]), "certain": True}
        rows.append(row)
    return changes, rows


def label_path(folder: Path, place: str) -> Path:
    """Return where the label of a track goes: labels lie side by side in one folder.

    A track in a sub-folder gets a hash of that folder, so that equal names stay apart.

    Args:
        folder: Of the labels.
        place: Of the track's result.
    """
    below, name = os.path.split(place_of_audio(place))
    if below:
        name += "~" + hashlib.sha256(os.fsencode(below)).hexdigest()[:_HASH_DIGITS]
    return folder / result_name(name, LABEL_SUFFIX)


def save_label(
    path: Path, grid: ReviewedGrid, audio: Path, audio_root: Path, date: datetime
) -> None:
    """Write the label of a reviewed grid, in the form of ``data/README.md``.

    Args:
        path: Of the label.
        grid: The person's.
        audio: The track.
        audio_root: The label names the audio relative to it.
        date: Of the review.

    Raises:
        LabelError: The grid cannot be a label.
    """
    file_name = displayable(os.path.relpath(audio, audio_root)).replace(os.sep, "/")
    downbeat = "reliable" if grid.downbeat_known else "unknown"
    reviewed = date.isoformat(timespec="seconds")
    if grid.is_constant:
        found = _first_downbeat(grid.stretches[0].grid)
        write_label(path, found, grid.duration_s, file_name, downbeat, reviewed=reviewed)
        return
    segments = [LabelSegment(stretch.start_s, stretch.grid) for stretch in grid.stretches]
    write_piecewise_label(path, segments, grid.duration_s, file_name, downbeat, reviewed=reviewed)


def _first_downbeat(grid: Grid) -> Grid:
    """Return the same grid with the offset at its first downbeat in the track.

    One shortly before 0 keeps its time: a label's grid is exact.
    """
    bar_s = grid.period_s * grid.beats_per_bar
    bars = math.ceil((-START_TOLERANCE_S - grid.offset_s) / bar_s)
    return Grid(grid.bpm, grid.offset_s + bars * bar_s, grid.beats_per_bar)
