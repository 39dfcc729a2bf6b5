"""Tracks to export, constant and piecewise, and results as files hold them."""

import json
from pathlib import Path

import numpy as np

from beatgrid.export.spans import fit_spans
from beatgrid.export.track import ExportTrack
from beatgrid.grid import Grid
from beatgrid.search.beats import Beats
from beatgrid.search.estimate import Segment

AWKWARD_NAMES = (
    "plain words.mp3",
    'it\'s "quoted".mp3',
    "Beyoncé é.mp3",
    "日本 曲.mp3",
    "Drum & Bass <100% #1>.mp3",
)


def constant_track(bpm=174.3, offset_s=0.352, duration_s=180.0, **fields) -> ExportTrack:
    """A track of one tempo; its offset is a downbeat."""
    grid = Grid(bpm, offset_s, fields.get("beats_per_bar", 4))
    times_s = grid.beat_times(duration_s)
    spans = fit_spans(times_s, grid.bar_positions(duration_s), grid.beats_per_bar, duration_s)
    audio = Path(fields.pop("audio", "/music/song.mp3"))
    return ExportTrack(audio, audio.stem, duration_s, 44100, spans, **fields)


def changing_beats():
    """Two minutes at 120, 8 irregular beats, then 150.7 BPM; times and bar positions."""
    first = 0.25 + 0.5 * np.arange(200)
    middle = first[-1] + np.cumsum([0.5, 0.49, 0.46, 0.52, 0.44, 0.43, 0.41, 0.25])
    last = middle[-1] + 60 / 150.7 * np.arange(1, 200)
    times_s = np.concatenate((first, middle, last))
    return times_s, np.arange(2, 2 + len(times_s)) % 4 + 1


def changing_track(**fields) -> ExportTrack:
    """A track whose tempo changes: spans of 120, irregular beats, 150.7 BPM."""
    times_s, positions = changing_beats()
    duration_s = float(times_s[-1]) + 0.1
    spans = fit_spans(times_s, positions, 4, duration_s, tempi=[120.0, 150.7])
    audio = Path(fields.pop("audio", "/music/song.mp3"))
    return ExportTrack(audio, audio.stem, duration_s, 44100, spans, constant_tempo=False, **fields)


def result_of(beats: Beats, duration_s: float, **keys) -> dict:
    """A result with these beats, valid under the schema."""
    known = keys.get("downbeat_known", True)
    piecewise = keys.pop("piecewise", False)
    rows = []
    for i, time_s in enumerate(beats.times_s):
        row = {
            "time": round(float(time_s), 6),
            "bar_position": int(beats.bar_position[i]) if known else None,
            "prob_at_grid": 0.5,
        }
        if piecewise:
            row |= {"segment": int(beats.segment[i]), "certain": True}
        rows.append(row)
    return {
        **{"format": 1, "file": "music/song.mp3", "duration_s": duration_s, "sample_rate": 44100},
        **{"decoder": "pyav", "codec": "mp3", "mp3_tag": "lame", "mix": "mean"},
        **{"timebase": "mp3 with LAME tag: encoder delay removed"},
        **{"bpm": 120.0, "bpm_display": "120", "bpm_raw": 120.0, "bpm_std": 0.001},
        **{"offset_s": beats.first_s, "offset_raw_s": 0.1, "offset_std_ms": 0.1},
        "downbeat_offset_s": beats.first_downbeat_s if known else None,
        **{"beats_per_bar": 4, "downbeat_known": known, "confidence": 0.9},
        **{"offbeat_confidence": 0.9, "downbeat_confidence": 0.9, "score": 1.0},
        **{"constant_tempo": not piecewise, "max_drift_ms": 1.0, "reason": None},
        **{"hint": None, "hint_agrees": None, "segments": [], "alternatives": []},
        **{"model": None, "version": "0", "settings": {}},
        **keys,
        "beats": rows,
    }


def constant_result(bpm=128.0, offset_s=0.5, duration_s=60.0, **keys) -> dict:
    """A result of one tempo; its offset is a downbeat."""
    grid = Grid(bpm, offset_s)
    segments = [{"start_s": 0.0, "end_s": duration_s, "bpm": bpm, "offset_s": grid.first_beat_s}]
    beats = Beats.of_grid(grid, duration_s)
    return result_of(beats, duration_s, **{"bpm": bpm, "segments": segments, **keys})


def changing_result(**keys) -> dict:
    """A result whose beats follow segments."""
    times_s, positions = changing_beats()
    duration_s = float(times_s[-1]) + 0.1
    joint_s = 0.25 + 0.5 * 200
    segments = [Segment(0.0, joint_s, 120.0, 0.25), Segment(joint_s, duration_s, 150.7, joint_s)]
    beats = Beats(
        times_s,
        positions,
        (times_s >= joint_s).astype(np.int64),
        np.ones(len(times_s), dtype=bool),
    )
    plain = [vars(segment) for segment in segments]
    return result_of(beats, duration_s, piecewise=True, **{"segments": plain, **keys})


def write(path: Path, result: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    return path
