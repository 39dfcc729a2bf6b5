"""Part 12: edits by half a beat, and tracks without one that must stay whole.

Half a beat, or one and a half, is cut out of the features of rendered pieces, between a quarter and
three quarters of their length, to the nearest frame; each piece is searched as it is, too. The
network hears the cut.
"""

from __future__ import annotations

from pathlib import Path

import mir_eval
import numpy as np
from tables import write_table

import beatgrid
from beatgrid.data.rendered import RenderedSource
from beatgrid.data.track import Track
from beatgrid.grid import FloatArray
from beatgrid.predictor import Predictor
from beatgrid.search import GridEstimate

SEED = 12
TOLERANCE_S = 0.020
MIN_DURATION_S = 40.0
# An edit counts as found where a segment begins within so many beats of it.
REACH_BEATS = 16


def _found(predictor: Predictor, mel: np.ndarray, duration_s: float) -> GridEstimate:
    return predictor.find(mel, duration_s)[1]


def _f_measure(beats_s: FloatArray, found: GridEstimate, duration_s: float) -> float:
    found_s = found.beats_in(duration_s).times_s
    return float(mir_eval.beat.f_measure(beats_s, found_s, f_measure_threshold=TOLERANCE_S))


def _row(track: Track, predictor: Predictor, seed: int) -> dict[str, object]:
    """Search a piece as it is and with half a beat cut out."""
    rng = np.random.default_rng([SEED, seed])
    mel, duration_s = np.asarray(track.load_features()), track.duration_s
    rate = predictor.features.frame_rate
    cut_s = (0.5 + rng.integers(0, 2)) * track.grid.period_s
    first, n_cut = round(rng.uniform(0.25, 0.75) * duration_s * rate), round(cut_s * rate)
    at_s, cut_s = first / rate, n_cut / rate
    beats_s = track.grid.beat_times(duration_s)
    behind_s = beats_s[beats_s - cut_s >= at_s] - cut_s
    true_s = np.concatenate((beats_s[beats_s < at_s], behind_s))
    whole = _found(predictor, mel, duration_s)
    parted = np.concatenate((mel[:first], mel[first + n_cut :]))
    edited = _found(predictor, parted, duration_s - cut_s)
    starts_s = np.array([s.start_s for s in edited.segments[1:]])
    near_s = REACH_BEATS * track.grid.period_s
    return {
        "split": len(whole.segments) > 1,
        "whole": _f_measure(beats_s, whole, duration_s),
        "found": bool(np.any(np.abs(starts_s - at_s) < near_s)),
        "level": edited.bpm is not None and abs(edited.bpm / track.grid.bpm - 1) < 0.02,
        "edited": _f_measure(true_s, edited, duration_s - cut_s),
    }


def half_beats(folder: Path) -> None:
    """Run part 12 on every source of rendered music in a folder."""
    predictor = beatgrid.load("shipped")
    rows: dict[str, list[dict[str, object]]] = {}
    for source in sorted(path for path in folder.iterdir() if path.is_dir()):
        for number, track in enumerate(RenderedSource(str(source)).tracks(predictor.features)):
            if track.duration_s >= MIN_DURATION_S:
                rows.setdefault(source.name, []).append(_row(track, predictor, number))
    rows["all"] = [row for own in rows.values() for row in own]
    table = []
    for name, own in rows.items():
        right = [row for row in own if row["level"]]
        table.append(
            {
                "music": name,
                "n": len(own),
                "split without an edit": sum(bool(row["split"]) for row in own),
                "F at 20 ms, without": float(np.mean([row["whole"] for row in own])),
                "edits found": f"{100 * np.mean([row['found'] for row in own]):.0f} %",
                "F at 20 ms, edited": float(np.mean([row["edited"] for row in own])),
                "level right": len(right),
                "F of these": float(np.mean([row["edited"] for row in right])),
                "median F of these": float(np.median([row["edited"] for row in right])),
            }
        )
    write_table("12-half-beats", table)
