"""How far each source's onsets lie from its grids.

    python experiments/corpus/check.py [--pieces 24] [--sources own mma ...]

Renders pieces in memory and measures each one's mean onset around the beats. Writes
``onsets.tsv`` (one line per piece), ``onsets.md`` (the table) and ``onsets.png`` beside itself; the
lines of sources that are not measured anew stay.
"""

from __future__ import annotations

import argparse
import csv
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from rich.progress import track

from beatgrid.files import replacing, write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.rendering.onsets import CLEAR, residual_ms
from beatgrid.rendering.sources import SOURCES, source_module
from beatgrid.rendering.store import FIRST_HELD_OUT_SEED

HERE = Path(__file__).resolve().parent

Row = dict[str, str | float]


def measure(source: str, n_pieces: int) -> list[Row]:
    """Return a row per piece of a source; several times ``n_pieces`` where fonts share them."""
    module = source_module(source)
    rows: list[Row] = []
    seeds = [(seed, False) for seed in range(n_pieces)]
    if source == "mma":  # three fonts in training, and a fourth in held-out pieces
        seeds = [(seed, False) for seed in range(3 * n_pieces)]
        seeds += [(FIRST_HELD_OUT_SEED + seed, True) for seed in range(n_pieces)]
    for seed, held_out in track(seeds, source):
        started, children_s = time.process_time(), _children_s()
        piece = module.render_piece(seed, held_out)
        rendering_s = time.process_time() - started + _children_s() - children_s
        late_ms, clarity = residual_ms(piece.samples, piece.grid)
        rows.append(
            {
                "source": source,
                "variant": str(piece.recipe.get("font", "")),
                "seed": seed,
                "genre": piece.genre,
                "bpm": piece.grid.bpm,
                "late_ms": round(late_ms, 2),
                "clarity": round(clarity, 2),
                "duration_s": round(piece.duration_s, 1),
                "cpu_s": round(rendering_s, 2),
            }
        )
    return rows


def earlier(path: Path) -> dict[str, list[Row]]:
    """Read the rows of an earlier run by source."""
    rows: dict[str, list[Row]] = defaultdict(list)
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file, delimiter="\t"):
                rows[line["source"]].append(dict(line))
    return dict(rows)


def _children_s() -> float:
    """Return the processor time of finished child processes: MMA, LMMS."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def table(rows: Sequence[Row]) -> str:
    """Return as Markdown, per source and variant, the residual of the pieces with clear beats."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[str(row["source"])].append(row)
        if row["variant"]:
            groups[f"{row['source']}, {row['variant']}"].append(row)
    cells: list[tuple[object, ...]] = []
    for name, members in groups.items():
        late_ms = [float(row["late_ms"]) for row in members if float(row["clarity"]) >= CLEAR]
        speed = sum(float(m["duration_s"]) for m in members) / sum(
            float(m["cpu_s"]) for m in members
        )
        low, median, high = np.percentile(late_ms, [5, 50, 95]) if late_ms else [np.nan] * 3
        shown_ms = [f"{value:+.1f}" for value in (median, low, high)]
        cells.append((name, len(members), len(late_ms), *shown_ms, f"{speed:.0f}"))
    columns = ("source", "pieces", "with clear beats", "median (ms)", "5 %", "95 %", "x real time")
    return "\n".join(markdown_table(columns, cells)) + "\n"


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw one dot per piece, by source; pieces without clear beats are pale."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # after the choice of the backend

    names = list(dict.fromkeys(_label(row) for row in rows))
    figure, axes = plt.subplots(figsize=(7, 0.45 * len(names) + 1.1), layout="constrained")
    rng = np.random.default_rng(0)
    for row in rows:
        clear = float(row["clarity"]) >= CLEAR
        y = names.index(_label(row)) + rng.uniform(-0.25, 0.25)
        axes.plot(
            float(row["late_ms"]), y, "o", ms=3, color="tab:blue" if clear else "0.8", zorder=2
        )
    axes.axvline(0, color="0.3", lw=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(-30, 30)
    axes.set_xlabel("onset later than the grid (ms)")
    axes.grid(axis="x", alpha=0.3)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=90)
    plt.close(figure)


def _label(row: Mapping[str, str | float]) -> str:
    return f"{row['source']} {row['variant']}".strip()


def main() -> None:
    """Render, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=24, help="per source or SoundFont")
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=list(SOURCES))
    args = parser.parse_args()
    measured: dict[str, list[Row]] = {}
    for source in args.sources:
        missing = source_module(source).missing_tools()
        if missing:
            print(f"{source}: skipped, {', '.join(missing)} missing", file=sys.stderr)
            continue
        measured[source] = measure(source, args.pieces)
    known = earlier(HERE / "onsets.tsv") | measured
    rows = [row for source in SOURCES for row in known.get(source, [])]
    lines = ["\t".join(rows[0]), *("\t".join(map(str, row.values())) for row in rows)]
    write_text(HERE / "onsets.tsv", "\n".join(lines) + "\n")
    write_text(HERE / "onsets.md", table(rows))
    plot(rows, HERE / "onsets.png")
    print(table(rows), end="")


if __name__ == "__main__":
    main()
