"""The table and the picture of the comparison, from ``tracks.csv``.

    python experiments/model-selection/report.py

Each run is compared track by track with the mean of the base's seeds (with ``own_short`` where it
is trained on, and judged by, rendered pieces of ``own`` alone, and ``depth`` with ``depth_base``);
brackets are 95 % bootstrap
intervals over tracks. Writes ``results.md`` and ``results.png`` beside this script.
"""

from __future__ import annotations

import csv
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from beatgrid.files import replacing, write_text
from beatgrid.output.markdown import markdown_table

HERE = Path(__file__).resolve().parent
BASE = "base"
BASE_OF_OWN = "own_short"
# Runs that were made again later, with other rendered pieces, have a base of their own.
BASES = {"depth": "depth_base", "depth_base": "depth_base"}
N_BOOTSTRAP = 2000
COLUMNS = (
    *("question", "run", "parameters", "training, x real time", "network, x real time"),
    *("Grid-OK@21.5", "@10", "level", "nats", "nats less than base", "rendered: nats less"),
)


class Run:
    """One run's tracks, by name."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        first = rows[0]
        self.question = first["run"].split("/")[0]
        given = [
            o
            for o in first["overrides"].split()
            if o.split("=")[0] not in _COMMON and not o.lstrip("+").startswith("trainer.")
        ]
        on_own = "data.rendered.own.folder" in first["overrides"]
        self.base = BASES.get(self.question, BASE_OF_OWN if on_own else BASE)
        if self.base == BASE_OF_OWN and self.question != BASE_OF_OWN:
            given = [o for o in given if not o.startswith("data.rendered.")]  # as the base's
        self.name = ", ".join(o.removeprefix("model.").removeprefix("data.") for o in given)
        self.about = first
        self.tracks = {row["track"]: row for row in rows}

    def column(self, measure: str, names: list[str]) -> np.ndarray:
        """Return a measure of each named track: ``grid_21``, ``grid_10``, ``level`` or ``nats``."""
        return np.array([_MEASURES[measure](self.tracks[name]) for name in names], dtype=float)

    def names(self, kind: str) -> list[str]:
        """Return the names of its tracks of a kind, ``real`` or ``rendered``."""
        return [name for name, row in self.tracks.items() if row["kind"] == kind]


_COMMON = {"experiment", "data.label_dir", "data.audio_dir", "data.rendered.own.folder"}
_MEASURES: dict[str, Any] = {
    "grid_21": lambda r: r["level_right"] == "1" and float(r["worst_error_ms"]) <= 21.5,
    "grid_10": lambda r: r["level_right"] == "1" and float(r["worst_error_ms"]) <= 10.0,
    "level": lambda r: r["level_right"] == "1",
    "nats": lambda r: float(r["nats"]),
}


def interval(difference: np.ndarray) -> tuple[float, float, float]:
    """Return the mean and its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    means = difference[rng.integers(len(difference), size=(N_BOOTSTRAP, len(difference)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(difference.mean()), float(low), float(high)


def main() -> None:
    """Write both files."""
    by_run: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (HERE / "tracks.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            by_run[row["run"]].append(row)
    runs = [Run(rows) for rows in by_run.values()]
    runs.sort(key=lambda run: (run.question != BASE, run.question, run.name))
    rows: list[tuple[object, ...]] = []
    dots = []
    for run in runs:
        real = run.names("real")
        cells = [
            f"{100 * run.column(m, real).mean():.1f} %" for m in ("grid_21", "grid_10", "level")
        ]
        changes = []
        bases = [other for other in runs if other.question == run.base]
        for kind in ("real", "rendered"):
            names = [n for n in run.names(kind) if all(n in base.tracks for base in bases)]
            of_base = np.mean([base.column("nats", names) for base in bases], axis=0)
            changes.append(interval(of_base - run.column("nats", names)))
        dots.append((run, changes))
        about = run.about
        rows.append(
            (
                *(run.question, run.name, f"{int(about['parameters']):,}"),
                *(about["training_times_real_time"], about["times_real_time"]),
                *(*cells, f"{run.column('nats', real).mean():.3f}"),
                *(f"{m:+.3f} ({lo:+.3f} .. {hi:+.3f})" for m, lo, hi in changes),
            )
        )
    write_text(HERE / "results.md", "\n".join(markdown_table(COLUMNS, rows)) + "\n")
    draw(dots)


def draw(dots: list[tuple[Run, list[tuple[float, float, float]]]]) -> None:
    """Draw a line per run: how many nats it saves, on real and on rendered tracks."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, 2, figsize=(9, 1.2 + 0.27 * len(dots)), sharey=True, layout="constrained"
    )
    y = -np.arange(len(dots))
    for axis, which, title in zip(axes, (0, 1), ("real tracks", "rendered tracks"), strict=True):
        mean, low, high = np.array([changes[which] for _, changes in dots]).T
        axis.axvline(0, color="0.7", lw=1)
        axis.errorbar(mean, y, xerr=(mean - low, high - mean), fmt="o", ms=4, lw=1, color="C0")
        axis.set_title(title, fontsize=10)
        axis.tick_params(labelsize=8)
        axis.locator_params(axis="x", nbins=6)
    axes[0].set_yticks(y, [textwrap.fill(f"{run.question}: {run.name}", 50) for run, _ in dots])
    axes[0].set_ylim(y[-1] - 0.7, 0.7)
    figure.supxlabel("nats saved per track against the base (right: better)", fontsize=9)
    with replacing(HERE / "results.png") as temporary:
        figure.savefig(temporary, dpi=110, format="png")


if __name__ == "__main__":
    main()
