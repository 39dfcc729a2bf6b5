"""One track, 30 epochs, box targets: the notebook's headline against this project's training.

    python experiments/overfit-one-track/run.py AUDIO_DIR LABEL_DIR TRACK

TRACK is a label's name without ``.labels.json``. Both variants run ``train.py`` as a user would:

- notebook: its BeatCRNN, the whole track as one batch, plain Adam at 1e-3;
- ours: ``crnn_small`` on crops of the same track, the same targets and loss.

Writes ``results.md`` and ``loss.png`` beside this script.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from beatgrid.data.discovery import discover
from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table

HERE = Path(__file__).resolve().parent
EPOCHS = 30
VARIANTS = {
    "notebook": ["experiment=notebook"],
    "ours": [
        *("experiment=box_targets", "data.crop_s=3", "data.batch_size=4", "model.dropout=0"),
        *("model.lr=5e-3", "model.downbeat_weight=0"),
    ],
}


def run(*arguments: str) -> None:
    """Run one of the project's scripts, stopping the experiment if it fails."""
    print("$ python", *arguments, flush=True)
    subprocess.run([sys.executable, *arguments], cwd=Path(__file__).parents[2], check=True)


def losses(metrics_csv: Path) -> list[float]:
    """Return the mean training loss of each epoch."""
    with metrics_csv.open(newline="") as file:
        rows = [row.get("train/loss_epoch") for row in csv.DictReader(file)]
    return [float(value) for value in rows if value]


def constant_loss(positive_share: float) -> float:
    """Return the best constant prediction's loss: the entropy of the share of positives."""
    p = positive_share
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def main() -> None:
    """Train both variants, find their grids, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("audio_dir", type=Path)
    parser.add_argument("label_dir", type=Path)
    parser.add_argument("track")
    args = parser.parse_args()
    (track,) = (t for t in discover(args.audio_dir, args.label_dir) if t.name == args.track)

    curves, found = {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, path in (("audio", track.audio_path), ("labels", track.label.path)):
            (folder / name).mkdir()
            shutil.copy(path, folder / name)
        data = [f"data.audio_dir={folder}/audio", f"data.label_dir={folder}/labels"]
        data.append(f"data.cache_dir={folder}/cache")
        for variant, overrides in VARIANTS.items():
            out = folder / variant
            run(
                *("train.py", *data, *overrides, "data.val_count=0", "logger=csv", "trainer=cpu"),
                *(f"trainer.max_epochs={EPOCHS}", f"output_dir={out}"),
                "callbacks.early_stopping=null",
            )
            curves[variant] = losses(out / "csv" / "metrics.csv")
            ckpt = f"ckpt={out}/checkpoints/last.ckpt"
            run("evaluate.py", *data, ckpt, f"out={out}")
            found[variant] = next(csv.DictReader((out / "tracks.csv").open(newline="")))
            assert json.loads((out / "evaluation.json").read_text())["n_tracks"] == 1

    period_s = track.label.grid.period_s
    lines = [
        f"`{track.name}`, {track.label.grid.bpm:g} BPM. A constant prediction gets "
        f"{constant_loss(0.06 / period_s):.3f} on this track "
        f"({100 * 0.06 / period_s:.0f} % of its frames are positive).",
        "",
    ]
    rows = []
    for variant, curve in curves.items():
        at = [f"{curve[epoch - 1]:.4f}" for epoch in (1, 10, 20, EPOCHS)]
        row = found[variant]
        keys = ("bpm_found", "phase_ms", "drift_ms")
        numbers = [f"{float(row[key]):.4g}" if row[key] else "-" for key in keys]
        rows.append((variant, *at, *numbers, row["level"]))
    columns = ("", "loss after epoch 1", "10", "20", "30", "BPM found", "phase ms", "drift ms")
    lines += markdown_table((*columns, "level"), rows)
    write_text(HERE / "results.md", "\n".join(lines) + "\n")
    print("\n".join(lines))

    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for variant, curve in curves.items():
        axes.plot(range(1, len(curve) + 1), curve, marker=".", label=variant)
    axes.axhline(constant_loss(0.06 / period_s), color="0.6", ls="--", label="constant prediction")
    axes.set(xlabel="epoch", ylabel="training loss", ylim=(0, None), title=track.name)
    axes.legend(frameon=False)
    figure.savefig(HERE / "loss.png", dpi=120)


if __name__ == "__main__":
    main()
