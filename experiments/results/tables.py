"""``results.md`` and its pictures from the ``SET-SYSTEM.csv`` files beside this script.

python experiments/results/tables.py
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from beatgrid.evaluation import TrackScore, bootstrap, reliability, summarise
from beatgrid.files import replacing, write_text
from beatgrid.rendering.generator.genres_electronic import ELECTRONIC

HERE = Path(__file__).resolve().parent
SETS = {
    "val": "real music, `val`",
    "rendered": "rendered, held out",
    "fast": "rendered, fast genres, held out",
    "modules": "tracker modules",
}
RENDERED = ("rendered", "fast")
SYSTEMS = {
    "shipped": "shipped weights",
    "notebook": "the notebook's CRNN",
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
BPM_EDGES = (0, 90, 120, 150, 180, 210, 1000)


@dataclasses.dataclass(frozen=True)
class Row:
    """One track of a file."""

    file: str
    group: str
    score: TrackScore


def read(path: Path) -> list[Row]:
    """The tracks of one file, in order."""
    kinds = {field.name: str(field.type) for field in dataclasses.fields(TrackScore)}

    def value(name: str, text: str) -> object:
        if text == "":
            return None
        if "str" in kinds[name]:
            return text
        return bool(int(text)) if "bool" in kinds[name] else float(text)

    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(line["file"], line["group"], TrackScore(**{k: value(k, line[k]) for k in kinds}))
            for line in csv.DictReader(file)
        ]


def shown(key: str, value: float | None) -> str:
    """A number as the tables print it."""
    if value is None:
        return "-"
    if key.endswith("_ms"):
        return f"{value:+.1f}" if key == "bias_ms" else f"{value:.1f}"
    return f"{value:.2f}" if key == "confidence_auroc" else f"{100 * value:.1f}"


def overall(name: str, systems: dict[str, list[Row]]) -> list[str]:
    """Metrics by system with 95 % bootstrap intervals."""
    n = len(next(iter(systems.values())))
    lines = [
        f"## {SETS[name][0].upper()}{SETS[name][1:]}, {n} tracks",
        "",
        "| | " + " | ".join(SYSTEMS[s] for s in systems) + " |",
        "|---" * (1 + len(systems)) + "|",
    ]
    scores = {system: [row.score for row in rows] for system, rows in systems.items()}
    for key, label in ROWS.items():
        cells = [cell(key, of_system) for of_system in scores.values()]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    electronic = {
        system: [row.score for row in rows if row.group in ELECTRONIC]
        for system, rows in systems.items()
    }
    if name in RENDERED:
        cells = [cell("downbeat_accuracy", of_system) for of_system in electronic.values()]
        label = f"downbeat accuracy, {len(next(iter(electronic.values())))} electronic ones in 4/4"
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def cell(key: str, scores: list[TrackScore]) -> str:
    """A metric with its interval."""
    ends = bootstrap(scores, key)
    between = "" if ends is None else f" ({' .. '.join(shown(key, e) for e in ends)})"
    return shown(key, summarise(scores)[key]) + between


def grouped(
    title: str, rows: Sequence[Row], key: Callable[[Row], str], largest_first: bool = True
) -> list[str]:
    """Main metrics of each group, the largest group first or as they come."""
    groups: dict[str, list[TrackScore]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row.score)
    columns = ("level_ok", "grid_ok_10", "grid_ok_21", "grid_ok_21_multi", "offbeat", "bias_ms")
    lines = [
        f"| {title} | tracks | " + " | ".join(ROWS[c] for c in columns) + " |",
        "|---" * (2 + len(columns)) + "|",
    ]
    items = list(groups.items())
    if largest_first:
        items.sort(key=lambda item: (-len(item[1]), item[0]))
    for group, scores in items:
        summary = summarise(scores)
        cells = " | ".join(shown(c, summary[c]) for c in columns)
        lines.append(f"| {group} | {len(scores)} | {cells} |")
    return [*lines, ""]


def bpm_range(row: Row) -> str:
    """Name of the range a track's true tempo lies in."""
    i = int(np.searchsorted(BPM_EDGES, row.score.bpm_true, side="right")) - 1
    low, high = BPM_EDGES[i], BPM_EDGES[i + 1]
    return f"from {low} BPM" if i == len(BPM_EDGES) - 2 else f"{low} to {high} BPM"


def source(row: Row) -> str:
    """Source of a rendered piece: SOURCE-SEED is its name."""
    return row.file.rpartition("-")[0]


def worst(rows: Sequence[Row], n: int = 10) -> list[str]:
    """The wrong tracks the system was surest of."""
    wrong = [row for row in rows if not row.score.grid_ok_21]
    wrong.sort(key=lambda row: -(row.score.confidence or 0.0))
    if not wrong:
        return [f"None of {len(rows)} tracks is wrong.", ""]
    lines = [
        "| track | group | true BPM | found | level | phase (ms) | confidence |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in wrong[:n]:
        s = row.score
        found = "-" if s.bpm_found is None else f"{s.bpm_found:.2f}"
        phase = "-" if s.phase_ms is None else f"{s.phase_ms:+.0f}"
        lines.append(
            f"| {row.file} | {row.group} | {s.bpm_true:.2f} | {found} | {s.level} | {phase} "
            f"| {s.confidence or 0:.2f} |"
        )
    return [f"{len(wrong)} of {len(rows)} tracks are wrong; surest first:", "", *lines, ""]


def draw_confidence(sets: dict[str, list[Row]]) -> None:
    """Share of right grids against the confidence, a line per set."""
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
        axis.legend(fontsize=8, loc="lower right")
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
            system: read(path)
            for system in SYSTEMS
            if (path := HERE / f"{name}-{system}.csv").exists()
        }
        lines += overall(name, systems)
        shipped[name] = rows = systems["shipped"]
        if name in RENDERED:
            lines += grouped("source", rows, source)
        lines += grouped("package" if name == "modules" else "genre", rows, lambda row: row.group)
        lines += grouped(
            "tempo", sorted(rows, key=lambda row: row.score.bpm_true), bpm_range, False
        )
        lines += worst(rows)
    write_text(HERE / "results.md", "\n".join(lines))
    draw_confidence(shipped)


if __name__ == "__main__":
    main()
