"""Parts 1 to 4 and 6: activations with a known grid."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterable

import matplotlib.pyplot as plt
import numpy as np
from random_tracks import standard_track
from tables import RESULTS, write_table

from beatgrid.calibration.packaged import BPM_RANGE
from beatgrid.calibration.synthetic import (
    DEFAULT_FRAME_RATE,
    log_uniform,
    noisy_activation,
    pulse_activation,
    varied_track,
)
from beatgrid.evaluation import evaluate_track, reliability, summarise
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridEstimate, GridSearch
from beatgrid.search.notebook import NotebookSearch
from tests.search.notebook_loops import original_search

Search = Callable[[Activation], GridEstimate]
N_TRACKS = 500
N_NOTEBOOK_TRACKS = 40
N_CALIBRATION = 400
UNSEEN_SEED = 50_000
WHOLE_FRAME_PERIODS = range(26, 74)


def timed(search: Search, activation: Activation, repeats: int = 1) -> tuple[GridEstimate, float]:
    """Return the estimate and the fastest of several runs, in milliseconds of processor time."""
    times_ms = []
    for _ in range(repeats):
        start_s = time.process_time()
        estimate = search(activation)
        times_ms.append(1000 * (time.process_time() - start_s))
    return estimate, min(times_ms)


def accuracy_row(
    name: str, search: Search, tracks: Iterable[tuple[Grid, Activation]]
) -> dict[str, object]:
    """Return the scores of a search over tracks, as one row of a table."""
    scores, worst_ms, times_ms, z = [], [], [], []
    for truth, activation in tracks:
        estimate, time_ms = timed(search, activation)
        score = evaluate_track(truth, estimate.grid, activation.duration_s)
        scores.append(score)
        times_ms.append(time_ms)
        if score.level == "ok" and score.max_error_ms is not None and not score.offbeat:
            worst_ms.append(score.max_error_ms)
            if estimate.bpm_std is not None:
                z.append((estimate.bpm_raw - truth.bpm) / estimate.bpm_std)
    summary = summarise(scores)
    drifts_ms = [s.drift_ms for s in scores if s.level == "ok" and s.drift_ms is not None]
    return {
        "search": name,
        "tracks": len(scores),
        "level ok": summary["level_ok"],
        "Grid-OK@10": summary["grid_ok_10"],
        "Grid-OK@21.5": summary["grid_ok_21"],
        "drift ms (median)": float(np.median(drifts_ms)) if drifts_ms else None,
        "worst beat ms (median)": float(np.median(worst_ms)) if worst_ms else None,
        "worst beat ms (p95)": float(np.percentile(worst_ms, 95)) if worst_ms else None,
        "BPM within 1 sigma": float(np.mean(np.abs(z) < 1)) if z else None,
        "time ms (median)": float(np.median(times_ms)),
    }


def notebook_loops(activation: Activation) -> GridEstimate:
    """Run the notebook's search as it was written, with its default arguments."""
    bpm, offset_s, _ = original_search(activation, 70, 200, 0.5, None, 120)
    return GridEstimate(grid=Grid(bpm, offset_s), bpm_raw=bpm, offset_raw_s=offset_s)


def versus_notebook() -> None:
    """Run part 1: both searches on the same activations."""
    whole = [
        standard_track(10_000 + n, bpm=60 * DEFAULT_FRAME_RATE / n) for n in WHOLE_FRAME_PERIODS
    ]
    long = [standard_track(20_000 + i, duration_s=300.0) for i in range(8)]
    some = [standard_track(i) for i in range(N_NOTEBOOK_TRACKS)]
    every = (standard_track(i) for i in range(N_TRACKS))
    search, plain, notebook = (
        GridSearch(*BPM_RANGE),
        GridSearch(*BPM_RANGE, ranker="none"),
        NotebookSearch(),
    )
    write_table(
        "1-against-the-notebook",
        [
            accuracy_row("notebook, 3 min", notebook, some),
            accuracy_row("GridSearch, the same tracks", search, some),
            accuracy_row("GridSearch, 3 min", search, every),
            accuracy_row("GridSearch, ranker=none", plain, some),
            accuracy_row("GridSearch, period of whole frames", search, whole),
            accuracy_row("notebook, its own loops, 5 min", notebook_loops, long[:3]),
            accuracy_row("notebook, 5 min", notebook, long),
            accuracy_row("GridSearch, 5 min", search, long),
        ],
    )


def cost() -> None:
    """Run part 2: time and memory against the length of the track."""
    rows = []
    for minutes in (1, 5, 20, 120):
        _, activation = standard_track(1, duration_s=60.0 * minutes)
        n = len(activation)
        _, time_ms = timed(GridSearch(*BPM_RANGE), activation, repeats=5)
        tracemalloc.start()
        GridSearch(*BPM_RANGE)(activation)
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        rows.append(
            {
                "minutes": minutes,
                "frames": n,
                "time ms": time_ms,
                "ns per frame and log2(frames)": 1e6 * time_ms / (n * np.log2(n)),
                "peak memory MB": peak_mb,
            }
        )
    write_table("2-cost", rows)
    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    axes.loglog([r["minutes"] for r in rows], [r["time ms"] for r in rows], "o-", label="measured")
    reference = [r["frames"] * np.log2(r["frames"]) for r in rows]
    scale = rows[1]["time ms"] / reference[1]
    axes.loglog([r["minutes"] for r in rows], [scale * x for x in reference], "--", label="N log N")
    axes.set(xlabel="minutes of audio", ylabel="ms")
    axes.legend()
    figure.savefig(RESULTS / "2-cost.png", dpi=80)
    plt.close(figure)


MISLEADING = {
    "off-beat peaks": "offbeat",
    "triplet peaks": "triplet",
    "sixteenth peaks": "sixteenth",
    "missing beats": "missing",
}
CHANCES = (0.0, 0.2, 0.4, 0.6, 0.8)
SEARCHES = {
    "likelihood": (GridSearch(*BPM_RANGE, ranker="none", prior_weight=0.0), False),
    "likelihood + prior": (GridSearch(*BPM_RANGE, ranker="none"), False),
    "ranker": (GridSearch(*BPM_RANGE), False),
    "ranker + downbeat channel": (GridSearch(*BPM_RANGE), True),
}


def misleading_track(seed: int, cause: str, chance: float) -> tuple[Grid, Activation]:
    """Make a track with a downbeat channel and one kind of misleading peaks, as high as beats."""
    rng = np.random.default_rng([3, seed])
    grid = Grid(log_uniform(rng, 70, 180), rng.uniform(0, 1))
    imperfection = {"offbeat": 0.1, cause: chance}
    return grid, noisy_activation(
        grid, 90.0, rng, **imperfection, offbeat_height=(0.5, 1.0), downbeat_height=0.6
    )


def ambiguity(n_tracks: int = 30) -> None:
    """Run part 3: level and phase against the strength of misleading evidence."""
    rows = []
    for label, cause in MISLEADING.items():
        for chance in CHANCES:
            tracks = [misleading_track(seed, cause, chance) for seed in range(n_tracks)]
            for name, (search, with_downbeat) in SEARCHES.items():
                scores = []
                for truth, activation in tracks:
                    seen = activation
                    if not with_downbeat:
                        seen = Activation(activation.beat, activation.frame_rate)
                    estimate = search(seen)
                    scores.append(evaluate_track(truth, estimate.grid, seen.duration_s))
                levels = [s.level for s in scores]
                on_level = [s for s in scores if s.level == "ok"]
                rows.append(
                    {
                        "misleading": label,
                        "chance": chance,
                        "search": name,
                        "level ok": levels.count("ok") / n_tracks,
                        "2 or 1/2": (levels.count("2") + levels.count("1/2")) / n_tracks,
                        "off-beat": sum(s.offbeat for s in on_level) / max(len(on_level), 1),
                    }
                )
    write_table("3-ambiguity", rows)
    figure, axes = plt.subplots(1, len(MISLEADING), figsize=(11, 2.8), layout="constrained")
    for panel, label in zip(axes, MISLEADING, strict=True):
        for name in SEARCHES:
            own = [r for r in rows if r["misleading"] == label and r["search"] == name]
            panel.plot(CHANCES, [r["level ok"] for r in own], "o-", ms=3, label=name)
        panel.set(title=label, xlabel="chance per beat", ylim=(-0.03, 1.03))
    axes[0].set_ylabel("level ok")
    axes[-1].legend(fontsize=7)
    figure.savefig(RESULTS / "3-ambiguity.png", dpi=80)
    plt.close(figure)


def snapping() -> None:
    """Run part 4: what rounding does to tempi near, on and off round numbers."""
    rows = []
    for bpm in (174.0, 174.003, 127.5, 141.8, 128.03, 128.037):
        for seed in range(3):
            rng = np.random.default_rng([4, seed])
            activation = noisy_activation(Grid(bpm, 0.2), 180.0, rng)
            rows.append(_snapped(f"4 ms jitter, {seed}", bpm, activation))
        rows.append(_snapped("flawless", bpm, pulse_activation(bpm, 0.2, 180.0)))
    write_table("4-snapping", rows)


def _snapped(kind: str, bpm: float, activation: Activation) -> dict[str, object]:
    estimate = GridSearch(*BPM_RANGE)(activation)
    return {
        "true BPM": str(bpm),
        "activation": kind,
        "raw": f"{estimate.bpm_raw:.4f}",
        "sigma": f"{estimate.bpm_std:.4f}",
        "reported": f"{estimate.bpm:.4f}",
        "drift ms over 3 min": abs(estimate.bpm / bpm - 1) * 180_000,
    }


def calibration() -> None:
    """Run part 6: does a confidence of 0.9 mean that nine in ten are right?"""
    scores = []
    for seed in range(UNSEEN_SEED, UNSEEN_SEED + N_CALIBRATION):
        truth, activation = varied_track(seed)
        found = GridSearch(*BPM_RANGE)(activation)
        duration_s = activation.duration_s
        scores.append(evaluate_track(truth, found.grid, duration_s, found.confidence))
    bins = [b for b in reliability(scores, n_bins=5) if b.n_tracks]
    rows = [
        {
            "confidence from": b.low,
            "to": b.high,
            "tracks": b.n_tracks,
            "mean confidence": b.confidence,
            "Grid-OK@21.5": b.accuracy,
        }
        for b in bins
    ]
    summary = summarise(scores)
    rows.append(
        dict.fromkeys(rows[0])
        | {
            "confidence from": "all",
            "to": f"AUROC {summary['confidence_auroc']:.3f}",
            "tracks": len(scores),
            "mean confidence": float(np.mean([s.confidence or 0.0 for s in scores])),
            "Grid-OK@21.5": summary["grid_ok_21"],
        }
    )
    write_table("6-calibration", rows)
