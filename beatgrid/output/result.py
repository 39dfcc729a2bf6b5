"""The result file of one track: JSON as ``result.schema.json`` in this package describes it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import beatgrid
from beatgrid import files
from beatgrid.grid import DEFAULT_BEATS_PER_BAR, Activation
from beatgrid.search.beats import Beats
from beatgrid.search.estimate import GridEstimate, prob_at_beats
from beatgrid.search.hint import TempoHint

if TYPE_CHECKING:
    from beatgrid.audio.reader import AudioInfo

FORMAT_VERSION = 1
SUFFIX = ".beatgrid.json"

DISPLAY_DRIFT_MS = 5.0
MAX_DISPLAY_DECIMALS = 3
# A microsecond, far below a sample: more digits only make the list of beats longer.
BEAT_DECIMALS = 6
PROBABILITY_DECIMALS = 4
# Longest file name of ext4, APFS and NTFS (there in characters, never more than bytes).
MAX_NAME_BYTES = 255


def bpm_display(bpm: float, duration_s: float = 0.0, bpm_std: float | None = None) -> str:
    """Return a tempo with as few decimals as do no harm: "174", "141.8", "128.03".

    Args:
        bpm: The tempo.
        duration_s: Length of the track. The rounded tempo must not drift by more than 5 ms over
            it, the bound that snapping obeys as well; 0 asks for no more than that of a minute.
        bpm_std: Standard error of the tempo: digits below it are not known. None if unknown.

    Returns:
        At most 3 decimals, no trailing zeros.
    """
    tolerance = bpm * DISPLAY_DRIFT_MS / 1000 / max(duration_s, 60.0)
    std = bpm_std or 0.0
    decimals = 0
    while (
        decimals < MAX_DISPLAY_DECIMALS
        and abs(round(bpm, decimals) - bpm) > max(tolerance, std)
        and 0.5 * 10 ** -(decimals + 1) >= std
    ):
        decimals += 1
    shown = f"{round(bpm, decimals):.{decimals}f}"
    return shown.rstrip("0").rstrip(".") if decimals else shown


def grid_result(
    estimate: GridEstimate,
    activation: Activation,
    info: AudioInfo,
    model: str | None,
    settings: Mapping[str, Any],
    hint: TempoHint | None = None,
) -> dict[str, Any]:
    """Return the result of one track as plain values, ready for JSON.

    Args:
        estimate: What the search found, or that it found nothing.
        activation: What it was found in; gives the probability at each beat.
        info: The audio file.
        model: Identifies the network; None where there was none (spectral flux).
        settings: Settings of the search that tell how to get the same result again.
        hint: What was said of the tempo.

    Returns:
        A dict valid under the schema. All numbers are finite: what is unknown is None.
    """
    duration_s = float(info.duration_s)
    grid = estimate.grid
    beats = estimate.beats_in(duration_s)
    known = estimate.downbeat_known
    return {
        "format": FORMAT_VERSION,
        "file": displayable(os.fspath(info.path)) if info.path else None,
        "duration_s": duration_s,
        "sample_rate": int(info.source_sample_rate),
        "decoder": info.decoder,
        "codec": info.codec,
        "mp3_tag": info.mp3_tag,
        "timebase": info.timebase,
        "mix": info.mix,
        "bpm": estimate.bpm,
        "bpm_display": bpm_display(grid.bpm, duration_s, estimate.bpm_std) if grid else None,
        "bpm_raw": estimate.bpm_raw,
        "bpm_std": estimate.bpm_std,
        "offset_s": beats.first_s,
        "downbeat_offset_s": beats.first_downbeat_s if known else None,
        "offset_raw_s": estimate.offset_raw_s,
        "offset_std_ms": estimate.offset_std_ms,
        "beats_per_bar": estimate.beats_per_bar or DEFAULT_BEATS_PER_BAR,
        "downbeat_known": known,
        "confidence": float(estimate.confidence),
        "offbeat_confidence": estimate.offbeat_confidence,
        "downbeat_confidence": estimate.downbeat_confidence,
        "score": estimate.score,
        "constant_tempo": estimate.constant_tempo,
        "max_drift_ms": estimate.max_drift_ms,
        "reason": estimate.reason,
        "hint": hint.plain if hint else None,
        "hint_agrees": hint.agrees(grid.bpm) if hint and grid else None,
        "segments": [
            {
                "start_s": float(s.start_s),
                "end_s": float(s.end_s),
                "bpm": float(s.bpm),
                "offset_s": float(s.offset_s),
            }
            for s in estimate.segments
        ],
        "alternatives": [
            {
                "bpm": float(a.bpm),
                "offset_s": float(a.offset_s),
                "ratio": float(a.ratio),
                "score": float(a.score),
                "probability": float(a.probability),
            }
            for a in estimate.alternatives
        ],
        "model": model,
        "version": beatgrid.__version__,
        "settings": dict(settings),
        "beats": _beat_list(beats, activation, known, piecewise=estimate.beats is not None),
    }


def _beat_list(
    beats: Beats, activation: Activation, downbeat_known: bool, *, piecewise: bool
) -> list[dict[str, Any]]:
    """Return each beat as plain values, with segment and certainty where beats follow segments."""
    probability = prob_at_beats(activation, beats.times_s)
    rows: list[dict[str, Any]] = []
    for i in range(len(beats.times_s)):
        row = {
            "time": round(float(beats.times_s[i]), BEAT_DECIMALS),
            "bar_position": int(beats.bar_position[i]) if downbeat_known else None,
            "prob_at_grid": round(float(probability[i]), PROBABILITY_DECIMALS),
        }
        if piecewise:
            row |= {"segment": int(beats.segment[i]), "certain": bool(beats.certain[i])}
        rows.append(row)
    return rows


def write_result(path: str | os.PathLike[str], result: Mapping[str, Any]) -> None:
    """Write a result atomically, one line for each key, beat, segment and alternative."""
    files.write_text(path, _readable_json(result))


def displayable(text: str) -> str:
    """Return text that any UTF-8 stream can take.

    On Linux a file name is any bytes; Python stands undecodable ones in by lone surrogates, which
    neither JSON nor a terminal accepts. They become U+FFFD.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def result_name(name: str, suffix: str = SUFFIX) -> str:
    """Return the name of an audio file's result, or of what else belongs to it.

    The audio's whole name is kept, so that ``a.mp3`` and ``a.wav`` stay apart; one that is too
    long for a file system with the suffix ends in its hash instead.
    """
    encoded = os.fsencode(name)
    room = MAX_NAME_BYTES - len(os.fsencode(suffix))
    if len(encoded) > room:
        mark = "~" + hashlib.sha256(encoded).hexdigest()[:8]
        name = encoded[: room - len(mark)].decode("utf-8", "ignore") + mark
    return name + suffix


def picture_path(result: Path) -> Path:
    """Return where the picture beside a result lies."""
    return result.with_suffix(".png")


def _readable_json(result: Mapping[str, Any]) -> str:
    def dump(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    lines = []
    for key, value in result.items():
        text = dump(value)
        if isinstance(value, list) and value:
            text = "[\n    " + ",\n    ".join(map(dump, value)) + "\n  ]"
        lines.append(f"  {dump(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
