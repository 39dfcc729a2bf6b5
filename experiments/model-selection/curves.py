"""How the runs of the sweep learn: loss against hours of training music.

    python experiments/model-selection/curves.py [SWEEP_DIR]

Reads the runs' csv logs in SWEEP_DIR (outputs/selection) and brings ``curves.csv`` up to date, the
smoothed training loss of each; draws ``curves.png`` of those whose loss is the same measure.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
import numpy as np
from omegaconf import OmegaConf

from beatgrid.files import replacing

HERE = Path(__file__).resolve().parent
COLUMNS = ("run", "hours", "loss")
# Steps are logged one in ten: the mean of so many log lines, weighted towards the newest.
SMOOTHED_OVER = 4.0
#: A panel each: title and the runs in it, with their names in the picture.
PANELS: dict[str, dict[str, str]] = {
    "network": {
        "base/0": "dilated convolutions",
        "lstm/0": "BiLSTM",
        "both/0": "both",
        "width/1": "width 96",
        "kernel/0": "kernels of 3",
    },
    "rate and front end": {
        "base/0": "3e-3",
        "lr/0": "1e-3",
        "lr/1": "6e-3",
        "front/0": "CNN of half the channels",
        "front/1": "CNN of double",
    },
    "data": {
        "base/0": "base",
        "augment/0": "no augmentation",
        "context_short/0": "crops of 4 s",
        "real_weight/0": "no real music",
        "rendered/0": "no rendered music",
    },
}


def read_run(folder: Path) -> list[tuple[float, float]]:
    """Return the hours of training music and the smoothed training loss of one run."""
    cfg = OmegaConf.load(folder / ".hydra" / "config.yaml")
    batch_h = cfg.data.batch_size * cfg.data.crop_s / 3600
    points: list[tuple[float, float]] = []
    with (folder / "csv" / "metrics.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if not row["train/loss_step"]:
                continue
            loss = float(row["train/loss_step"])
            share = 1 / min(len(points) + 1, SMOOTHED_OVER)
            smoothed = loss if not points else points[-1][1] + share * (loss - points[-1][1])
            points.append(((int(row["step"]) + 1) * batch_h, smoothed))
    return points


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep_dir", nargs="?", type=Path, default=Path("outputs/selection"))
    args = parser.parse_args()
    curves: dict[str, list[tuple[float, float]]] = defaultdict(list)
    path = HERE / "curves.csv"
    if path.exists():
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                curves[row["run"]].append((float(row["hours"]), float(row["loss"])))
    for log in sorted(args.sweep_dir.glob("*/*/csv/metrics.csv")):
        run = log.parent.parent
        curves[f"{run.parent.name}/{run.name}"] = read_run(run)
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for name in sorted(curves):
            writer.writerows((name, f"{h:.2f}", f"{loss:.4f}") for h, loss in curves[name])
    draw(curves)


def draw(curves: dict[str, list[tuple[float, float]]]) -> None:
    """Draw the panels, side by side."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(PANELS), figsize=(12, 3.6), sharey=True, layout="constrained"
    )
    for axis, (title, runs) in zip(axes, PANELS.items(), strict=True):
        for run, label in runs.items():
            hours, loss = np.array(curves[run]).T
            axis.plot(hours, loss, label=label, lw=1.2)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("hours of training music", fontsize=9)
        axis.set_ylim(0.12, 0.5)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    axes[0].set_ylabel("training loss, smoothed", fontsize=9)
    with replacing(HERE / "curves.png") as temporary:
        figure.savefig(temporary, dpi=110, format="png")


if __name__ == "__main__":
    main()
