"""Part 5: tracks that leave their grid, and 200 that do not."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from random_tracks import standard_track
from tables import RESULTS, write_table

from beatgrid.calibration.packaged import BPM_RANGE
from beatgrid.calibration.synthetic import DEFAULT_FRAME_RATE, pulses
from beatgrid.grid import Activation, FloatArray
from beatgrid.search import GridEstimate, GridSearch

DURATION_S = 180.0
N_CONSTANT = 200


def beats_of(bpm_at: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return the times of the beats of a tempo that changes with time."""
    t = np.linspace(0, DURATION_S, int(DURATION_S * 1000) + 1)
    rate = bpm_at(t) / 60
    beats = np.concatenate(([0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(t))))
    return np.interp(np.arange(int(beats[-1]) + 1), beats, t)


def edited_beats(bpm: float, gap_beats: float) -> FloatArray:
    """Return the beats of a constant tempo with a cut in the middle."""
    period_s = 60 / bpm
    before_s = np.arange(0.2, DURATION_S / 2, period_s)
    after_s = np.arange(before_s[-1] + gap_beats * period_s, DURATION_S, period_s)
    return np.concatenate((before_s, after_s))


TRACKS = {
    "120, then 126": beats_of(lambda t: np.where(t < 90, 120.0, 126.0)),
    "120, then 144": beats_of(lambda t: np.where(t < 90, 120.0, 144.0)),
    "128, then 128.3": beats_of(lambda t: np.where(t < 90, 128.0, 128.3)),
    "edit of 1/3 beat": edited_beats(124.0, 4 / 3),
    "ramp 120 to 124": beats_of(lambda t: 120 + 4 * t / DURATION_S),
    "ramp 110 to 130": beats_of(lambda t: 110 + 20 * t / DURATION_S),
    "live, 0.3 % in 60 s": beats_of(lambda t: 120 * (1 + 0.003 * np.sin(2 * np.pi * t / 60))),
    "live, 1.5 % in 60 s": beats_of(lambda t: 120 * (1 + 0.015 * np.sin(2 * np.pi * t / 60))),
}


def imperfect(beats_s: FloatArray, seed: int) -> Activation:
    """Make peaks at the beats with the imperfections of the standard tracks."""
    rng = np.random.default_rng([5, seed])
    kept_s = beats_s[rng.random(len(beats_s)) >= 0.15]
    between_s = (0.5 * (beats_s[:-1] + beats_s[1:]))[rng.random(len(beats_s) - 1) < 0.35]
    times_s = np.concatenate((kept_s, between_s))
    heights = np.concatenate(
        (rng.uniform(0.5, 1, len(kept_s)), rng.uniform(0.15, 0.7, len(between_s)))
    )
    n_frames = int(DURATION_S * DEFAULT_FRAME_RATE)
    times_s = times_s + rng.normal(0, 0.004, len(times_s))
    bumps = pulses(times_s, heights, n_frames, DEFAULT_FRAME_RATE)
    floor = np.minimum(rng.exponential(0.02, n_frames), 0.3)
    return Activation(np.maximum(bumps, floor), DEFAULT_FRAME_RATE)


def median_error_ms(estimate: GridEstimate, beats_s: FloatArray, piecewise: bool) -> float:
    """Return the median distance of the true beats from the constant or the piecewise grid."""
    error_s = np.zeros(len(beats_s))
    for i, beat_s in enumerate(beats_s):
        bpm, offset_s = estimate.bpm, estimate.offset_s
        if piecewise:
            segment = next((s for s in estimate.segments if beat_s < s.end_s), None)
            segment = segment or estimate.segments[-1]
            bpm, offset_s = segment.bpm, segment.offset_s
        beats = (beat_s - offset_s) * bpm / 60
        error_s[i] = abs(beats - round(beats)) * 60 / bpm
    return 1000 * float(np.median(error_s))


def segmentation() -> None:
    """Run part 5: the segments found, and what they are good for."""
    rows = []
    for i, (name, beats_s) in enumerate(TRACKS.items()):
        estimate = GridSearch(*BPM_RANGE)(imperfect(beats_s, i))
        shown = ", ".join(f"{s.bpm:.2f} from {s.start_s:.1f}" for s in estimate.segments[:3])
        rows.append(
            {
                "track": name,
                "constant": estimate.constant_tempo,
                "segments": len(estimate.segments),
                "BPM from s (first three)": shown,
                "confidence": estimate.confidence,
                "max drift ms": estimate.max_drift_ms,
                "median error ms, one grid": median_error_ms(estimate, beats_s, False),
                "median error ms, segments": median_error_ms(estimate, beats_s, True),
            }
        )
    wrong = 0
    for seed in range(N_CONSTANT):
        wrong += not GridSearch(*BPM_RANGE)(standard_track(30_000 + seed)[1]).constant_tempo
    rows.append(
        dict.fromkeys(rows[0])
        | {"track": f"{N_CONSTANT} constant tracks", "constant": f"{wrong} split"}
    )
    write_table("5-pieces", rows)
    _plot()


def _plot() -> None:
    figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained", sharey=False)
    for panel, name in zip(axes, ("ramp 110 to 130", "live, 1.5 % in 60 s"), strict=True):
        beats_s = TRACKS[name]
        panel.plot(beats_s[1:], 60 / np.diff(beats_s), color="0.6", label="true")
        estimate = GridSearch(*BPM_RANGE)(imperfect(beats_s, list(TRACKS).index(name)))
        for segment in estimate.segments:
            panel.plot((segment.start_s, segment.end_s), (segment.bpm,) * 2, color="C3")
        panel.set(title=name, xlabel="s", ylabel="BPM")
    figure.savefig(RESULTS / "5-pieces.png", dpi=80)
    plt.close(figure)
