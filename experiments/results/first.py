"""The shipped weights against the first ones, on the same tracks, by tempo.

    python experiments/results/first.py

``first/SET.csv`` is what the first weights reached (the first two parts of the recipe, no slow
music), ``SET-shipped.csv`` what the present ones do. Prints a table; a track whose label has
changed since, or that came later, is left out.
"""

from __future__ import annotations

from pathlib import Path

from beatgrid.evaluation.paired import compare_pairs
from beatgrid.evaluation.track import TrackScore
from beatgrid.output.tracks_csv import read_tracks_csv

HERE = Path(__file__).resolve().parent
RANGES = ((0.0, 90.0), (90.0, 180.0), (180.0, 1000.0))
SAME_BPM = 0.01


def main() -> None:
    """Print wins and losses of the right level in each range of tempi."""
    print("| BPM | set | n | first | shipped | won | lost | difference, points |")
    print("|---|---|---|---|---|---|---|---|")
    sets = {path.stem: _pairs(path) for path in sorted((HERE / "first").glob("*.csv"))}
    sets["all"] = [pair for pairs in sets.values() for pair in pairs]
    for low, high in RANGES:
        for name, pairs in sets.items():
            within = [(a, b) for a, b in pairs if low <= b.bpm_true < high]
            if not within:
                continue
            first, shipped = ([s.level == "ok" for s in side] for side in zip(*within, strict=True))
            found = compare_pairs(shipped, first)
            assert found.interval is not None
            interval = " .. ".join(f"{100 * end:+.1f}" for end in found.interval)
            print(
                f"| {f'{low:g} to {high:g}' if high < 1000 else f'from {low:g}'} | {name} "
                f"| {len(within)} | {sum(first)} | {sum(shipped)} | {found.n_first_only} "
                f"| {found.n_second_only} | {100 * found.difference:+.1f} ({interval}) |"
            )


def _pairs(first: Path) -> list[tuple[TrackScore, TrackScore]]:
    before = {row.file: row.score for row in read_tracks_csv(first)}
    return [
        (before[row.file], row.score)
        for row in read_tracks_csv(HERE / f"{first.stem}-shipped.csv")
        if row.file in before and abs(before[row.file].bpm_true - row.score.bpm_true) < SAME_BPM
    ]


if __name__ == "__main__":
    main()
