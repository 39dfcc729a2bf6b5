"""``results.md`` and its pictures from the ``SET-SYSTEM.csv`` files beside this script.

python experiments/results/tables.py
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from beatgrid.evaluation import TrackScore, bootstrap, reliability, summarise, tempo_range
from beatgrid.files import replacing, write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.output.tracks_csv import TrackRow, read_alternatives_csv, read_tracks_csv
from beatgrid.rendering.generator.genres_electronic import ELECTRONIC

HERE = Path(__file__).resolve().parent
SETS = {
    "val": "real music, `val`",
    "rendered": "rendered, held out",
    "slow": "rendered, slow, compound and half-time genres, held out",
    "fast": "rendered, fast genres, held out",
    "modules": "tracker modules",
}
RENDERED = ("rendered", "slow", "fast")
SYSTEMS = {
    "shipped": "shipped weights",
    "before": "weights before",
    "flux": "spectral flux",
}
ROWS = {
    "level_ok": "right level",
    "grid_ok_10": "Grid-OK@10 ms",
    "grid_ok_21": "Grid-OK@21.5 ms",
    "grid_ok_10_multi": "Grid-OK@10 ms, x2 forgiven",
    "grid_ok_21_multi": "Grid-OK@21.5 ms, x2 forgiven",
    "drift_ok_multi": "drift <= 21.5 ms, x2 forgiven",
    "offbeat": "off-beat",
    "bias_ms": "phase bias, median, ms",
    "phase_median_ms": "phase error, median, ms",
    "phase_p95_ms": "phase error, 95th percentile, ms",
    "downbeat_accuracy": "downbeat accuracy",
    "confidence_auroc": "AUROC of confidence",
}


def shown(key: str, value: float | None) -> str:
    """Return a number as the tables print it."""
    if value is None:
        return "-"
    if key.endswith("_ms"):
        return f"{value:+.1f}" if key == "bias_ms" else f"{value:.1f}"
    return f"{value:.2f}" if key == "confidence_auroc" else f"{100 * value:.1f}"


def overall(name: str, systems: dict[str, list[TrackRow]]) -> list[str]:
    """Return metrics by system with 95 % bootstrap intervals."""
    n = len(next(iter(systems.values())))
    title = f"## {SETS[name][0].upper()}{SETS[name][1:]}, {n} tracks"
    scores = {system: [row.score for row in rows] for system, rows in systems.items()}
    lines = [
        (label, *(cell(key, of_system) for of_system in scores.values()))
        for key, label in ROWS.items()
    ]
    electronic = {
        system: [row.score for row in rows if row.group in ELECTRONIC]
        for system, rows in systems.items()
    }
    if name in RENDERED:
        cells = [cell("downbeat_accuracy", of_system) for of_system in electronic.values()]
        label = f"downbeat accuracy, {len(next(iter(electronic.values())))} electronic ones in 4/4"
        lines.append((label, *cells))
    return [title, "", *markdown_table(("", *(SYSTEMS[s] for s in systems)), lines), ""]


def cell(key: str, scores: list[TrackScore]) -> str:
    """Return a metric with its interval."""
    ends = bootstrap(scores, key)
    between = "" if ends is None else f" ({' .. '.join(shown(key, e) for e in ends)})"
    return shown(key, summarise(scores)[key]) + between


def grouped(
    title: str, rows: Sequence[TrackRow], key: Callable[[TrackRow], str], largest_first: bool = True
) -> list[str]:
    """Return the main metrics of each group, the largest group first or as they come."""
    groups: dict[str, list[TrackScore]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row.score)
    columns = ("level_ok", "grid_ok_10", "grid_ok_21", "grid_ok_21_multi", "offbeat", "bias_ms")
    lines = []
    items = list(groups.items())
    if largest_first:
        items.sort(key=lambda item: (-len(item[1]), item[0]))
    for group, scores in items:
        summary = summarise(scores)
        lines.append((group, len(scores), *(shown(c, summary[c]) for c in columns)))
    return [*markdown_table((title, "tracks", *(ROWS[c] for c in columns)), lines), ""]


def source(row: TrackRow) -> str:
    """Return the source of a rendered piece: SOURCE-SEED is its name."""
    return row.file.rpartition("-")[0]


def worst(rows: Sequence[TrackRow], n: int = 10) -> list[str]:
    """Return the wrong tracks the system was surest of."""
    wrong = [row for row in rows if not row.score.grid_ok_21]
    wrong.sort(key=lambda row: -(row.score.confidence or 0.0))
    if not wrong:
        return [f"None of {len(rows)} tracks is wrong.", ""]
    lines: list[tuple[object, ...]] = []
    for row in wrong[:n]:
        s = row.score
        found = "-" if s.bpm_found is None else f"{s.bpm_found:.2f}"
        phase = "-" if s.phase_ms is None else f"{s.phase_ms:+.0f}"
        lines.append(
            (
                *(row.file, row.group, f"{s.bpm_true:.2f}", found),
                *(s.level, phase, f"{s.confidence or 0:.2f}"),
            )
        )
    columns = ("track", "group", "true BPM", "found", "level", "phase (ms)", "confidence")
    title = f"{len(wrong)} of {len(rows)} tracks are wrong; surest first:"
    return [title, "", *markdown_table(columns, lines), ""]


FOUND_EDGES_BPM = (0, 90, 120, 150, 180, np.inf)
PROBABILITY_EDGES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.35, 1.01)


def by_found_tempo(sets: dict[str, list[TrackRow]]) -> list[str]:
    """Return what the confidence says and what is right, by the tempo that was found."""
    lines = []
    for name, rows in sets.items():
        found = [row.score for row in rows if row.score.bpm_found is not None]
        for low, high in itertools.pairwise(FOUND_EDGES_BPM):
            here = [s for s in found if low <= (s.bpm_found or 0) < high]
            if not here:
                continue
            bpm = f"from {low:g}" if np.isinf(high) else f"{low:g} to {high:g}"
            says = np.mean([s.confidence or 0.0 for s in here])
            right = [s.grid_ok_21 for s in here]
            sure = [s.grid_ok_21 for s in here if (s.confidence or 0.0) >= 0.9]
            of_sure = f"{100 * np.mean(sure):.0f} of {len(sure)}" if sure else "-"
            shares = (f"{100 * says:.0f}", f"{100 * np.mean(right):.0f}", of_sure)
            lines.append((SETS[name], bpm, len(here), *shares))
    columns = ("set", "BPM found", "tracks", "says", "is right", "right where it says .9 or more")
    return [*markdown_table(columns, lines), ""]


def of_alternatives() -> list[str]:
    """Return what alternatives' probabilities say and how many are right, on all sets."""
    rows = [
        row
        for name in SETS
        for row in read_alternatives_csv(HERE / f"{name}-shipped-alternatives.csv")
    ]
    lines = []
    for low, high in itertools.pairwise(PROBABILITY_EDGES):
        here = [row for row in rows if low <= row.probability < high]
        if here:
            says, right = (
                np.mean([getattr(row, k) for row in here]) for k in ("probability", "right")
            )
            between = f"{low:g} to {min(high, 1):g}"
            lines.append((between, len(here), f"{says:.3f}", f"{right:.3f}"))
    return [*markdown_table(("probability", "alternatives", "says", "is right"), lines), ""]


def draw_confidence(sets: dict[str, list[TrackRow]]) -> None:
    """Draw the share of right grids against the confidence, a line per set."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    axes[0].plot((0, 1), (0, 1), color="0.8", lw=1)
    for name, rows in sets.items():
        bins = [b for b in reliability([r.score for r in rows], n_bins=5) if b.n_tracks >= 5]
        axes[0].plot(
            [b.confidence for b in bins], [b.accuracy for b in bins], "o-", ms=4, label=SETS[name]
        )
        errors = np.sort([abs(r.score.phase_ms) for r in rows if r.score.grid_ok_21_multi])
        axes[1].plot(errors, np.arange(1, len(errors) + 1) / len(errors), label=SETS[name])
    axes[0].set(xlabel="confidence", ylabel="share of grids that are right", xlim=(0, 1))
    axes[1].set(xlabel="phase error where the beat is right (ms)", ylabel="share of tracks")
    axes[1].set_xlim(0, 15)
    for axis in axes:
        axis.set_ylim(0, 1.02)
        axis.grid(alpha=0.3)
    axes[-1].legend(fontsize=8, loc="lower right")  # there it covers nothing
    with replacing(HERE / "confidence.png") as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def main() -> None:
    """Write both files."""
    lines = [
        "# Tables",
        "",
        "Made by `tables.py`; what they say is in [README.md](README.md). Rates in percent; in",
        "brackets 95 % bootstrap intervals over tracks.",
        "",
    ]
    shipped = {}
    for name in SETS:
        systems = {
            system: list(read_tracks_csv(path))
            for system in SYSTEMS
            if (path := HERE / f"{name}-{system}.csv").exists()
        }
        lines += overall(name, systems)
        shipped[name] = rows = systems["shipped"]
        if name in RENDERED:
            lines += grouped("source", rows, source)
        kind = "package" if name == "modules" else "genre"
        lines += grouped(kind, rows, lambda row: row.group or "")
        lines += grouped(
            "tempo",
            sorted(rows, key=lambda row: row.score.bpm_true),
            lambda row: tempo_range(row.score.bpm_true),
            largest_first=False,
        )
        lines += worst(rows)
    lines += ["## Is the confidence what it says?", "", "Percent, by the tempo that was found:", ""]
    lines += by_found_tempo(shipped)
    lines += ["## Are alternatives as likely as they say?", "", "All five sets together:", ""]
    lines += of_alternatives()
    write_text(HERE / "results.md", "\n".join(lines))
    draw_confidence(shipped)


if __name__ == "__main__":
    main()
