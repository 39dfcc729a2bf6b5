"""Part 7: spectral flux and the search on a labelled folder, the baseline for every network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tables import write_table

from beatgrid.calibration.packaged import BPM_RANGE, flux_tracks
from beatgrid.evaluation import TrackScore, evaluate_track, summarise
from beatgrid.grid import Activation
from beatgrid.search import GridEstimate, GridSearch
from beatgrid.search.notebook import NotebookSearch

SHOWN = (
    "n_tracks",
    "level_ok",
    "grid_ok_10",
    "grid_ok_21",
    "grid_ok_10_multi",
    "grid_ok_21_multi",
    "drift_ok_multi",
    "offbeat",
    "bias_ms",
    "phase_median_ms",
    "phase_p95_ms",
    "f_measure",
    "amlt",
    "confidence_auroc",
)


def corpus(data_dir: Path) -> None:
    """Run part 7: all metrics on ``val``, by where the labels' offsets come from."""
    searches: dict[str, Callable[[Activation], GridEstimate]] = {
        # Fewer offsets than its default of 120, for the sake of time: its errors are tempi.
        "notebook": NotebookSearch(n_offsets=40),
        "likelihood": GridSearch(*BPM_RANGE, ranker="none"),
        "ranker": GridSearch(*BPM_RANGE, ranker="flux"),
    }
    scores: dict[str, list[TrackScore]] = {name: [] for name in searches}
    sources: list[str] = []
    for track, activation in flux_tracks(data_dir, "val"):
        sources.append(track.label.get("offsetSource") or "label")
        duration_s = activation.duration_s
        for name, search in searches.items():
            found = search(activation)
            score = evaluate_track(track.label.grid, found.grid, duration_s, found.confidence)
            scores[name].append(score)
    rows = []
    for name, all_scores in scores.items():
        for source in ("all", *sorted(set(sources))):
            chosen = [
                s for s, own in zip(all_scores, sources, strict=True) if source in ("all", own)
            ]
            summary = summarise(chosen)
            rows.append({"search": name, "labels": source} | {key: summary[key] for key in SHOWN})
    write_table("7-corpus-val-flux", rows)
