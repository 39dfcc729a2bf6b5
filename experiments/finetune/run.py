"""The curve: what 10, 30, 100 and 300 labels of a genre bring that the shipped weights know badly.

python -m experiments.finetune.run data/finetune
python -m experiments.finetune.run data/finetune --val AUDIO_DIR LABEL_DIR [--cache CACHE_DIR]

Renders the songs, fine-tunes, measures, writes ``results.md`` and ``curve.png`` beside this script.
What is done is left out when it is started again.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from beatgrid.evaluation import TrackScore, bootstrap, summarise
from beatgrid.evaluation.paired import bootstrap_difference
from beatgrid.files import replacing, write_json, write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.output.tracks_csv import read_tracks_csv
from experiments.finetune.music import FIRST_HELD_OUT_SEED, write_songs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SIZES = (10, 30, 100, 300)
N_HELD_OUT = 80
# Name of a run: labels, hours of rehearsal. Those of one hour are the curve.
CURVE = {f"{n}-1": (n, 1.0) for n in SIZES}
RUNS = {**CURVE, "30-0": (30, 0.0), "30-0.5": (30, 0.5)}
OPTIONS = ("trainer.precision=bf16-mixed", "callbacks.progress=null")
KEYS = {
    "level_ok": "right level",
    "grid_ok_10": "Grid-OK@10",
    "grid_ok_21": "Grid-OK@21.5",
    "offbeat": "off-beat",
    "downbeat_accuracy": "bars",
}
Rows = Mapping[str, Sequence[TrackScore]]


def main() -> None:
    """Do what is missing, then write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="of songs, runs and scores; made if missing")
    parser.add_argument("--val", nargs=2, type=Path, metavar=("AUDIO_DIR", "LABEL_DIR"))
    parser.add_argument("--cache", type=Path, help="feature cache of --val")
    parser.add_argument("--tables", action="store_true", help="of what is there, and no more")
    arguments = parser.parse_args()
    folder: Path = arguments.folder.absolute()
    if not arguments.tables:
        write_songs(
            folder / "held_out", range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + N_HELD_OUT)
        )
        write_songs(folder / "learn", range(max(SIZES)))
        for name in RUNS:
            fine_tune(folder, name)
        measure(folder, arguments.val, arguments.cache)
    tables()


def fine_tune(folder: Path, name: str) -> None:
    """Fine-tune on the first labels, unless that is done; keep the verdict beside this script."""
    n_labels, hours = RUNS[name]
    run, labels = folder / "runs" / name, folder / f"labels-{n_labels}"
    if not (run / "verdict.json").exists():
        labels.mkdir(exist_ok=True)
        for path in sorted((folder / "learn" / "labels").iterdir())[:n_labels]:
            shutil.copy(path, labels)
        asked = [
            "experiment=finetune",
            f"data.audio_dir={folder}/learn/audio",
            f"data.label_dir={labels}",
            f"data.cache_dir={folder}/cache",
            f"finetune.rehearsal_dir={folder}/rehearsal",
            f"finetune.rehearsal_hours={hours:g}",
            f"output_dir={run}",
            *OPTIONS,
        ]
        command("train.py", *([f"resume={run}"] if (run / "splits.json").exists() else asked))
    verdict = json.loads((run / "verdict.json").read_text())
    verdict["verdict"] = [line.replace(f"{folder}/", "") for line in verdict["verdict"]]
    write_json(HERE / f"verdict-{name}.json", verdict)


def measure(folder: Path, val: Sequence[Path] | None, cache: Path | None) -> None:
    """Score every model on the held-out songs, and on real music if that is there."""
    models = {name: f"{folder}/runs/{name}/checkpoints/after.ckpt" for name in RUNS}
    sets = {"genre": (folder / "held_out/audio", folder / "held_out/labels", "null", "cache")}
    if val is not None:
        sets["val"] = (*val, "val", "val-cache")  # type: ignore[assignment]
    for model, ckpt in {"before": "shipped", **models}.items():
        for name, (audio, labels, split, cached) in sets.items():
            target = HERE / f"{name}-{model}.csv"
            if target.exists():
                continue
            out = folder / "scores" / f"{name}-{model}"
            command(
                "evaluate.py",
                *(f"ckpt={ckpt}", "backend=torch", f"out={out}", f"data.split={split}"),
                *(f"data.audio_dir={audio}", f"data.label_dir={labels}"),
                f"data.cache_dir={cache if name == 'val' and cache else folder / cached}",
            )
            shutil.copy(out / "tracks.csv", target)


def command(script: str, *arguments: str) -> None:
    """Run one of the project's programs; say how much processor time it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, str(ROOT / script), *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{script}: {used_s / 60:.1f} minutes of processor time", flush=True)


def tables() -> None:
    """Write ``results.md`` and ``curve.png`` from the files beside this script."""
    scores = {
        name: {
            model: [row.score for row in read_tracks_csv(HERE / f"{name}-{model}.csv")]
            for model in ("before", *RUNS)
            if (HERE / f"{name}-{model}.csv").exists()
        }
        for name in ("genre", "val")
    }
    verdicts = {
        name: json.loads((HERE / f"verdict-{name}.json").read_text())
        for name in RUNS
        if (HERE / f"verdict-{name}.json").exists()
    }
    blocks = [
        "# Results",
        *of_set(scores["genre"], "held-out songs of the genre"),
        *elsewhere(verdicts),
        *of_set(scores["val"], "tracks of real music, the corpus's `val`"),
        *said(verdicts),
    ]
    write_text(HERE / "results.md", "\n".join(blocks).rstrip() + "\n")
    if scores["genre"]:
        picture(scores, verdicts)


def title_of(model: str) -> str:
    """Return how tables call a model."""
    if model == "before":
        return "shipped"
    n_labels, hours = RUNS[model]
    return f"{n_labels} labels" + ("" if hours == 1 else f", rehearsal {hours:g} h")


def of_set(rows: Rows, about: str) -> list[str]:
    """Return the table of a set: each model with its interval, and its gain over the shipped."""
    if "before" not in rows:
        return []
    before = rows["before"]
    lines = []
    for model, after in rows.items():
        summary = summarise(after)
        cells = [percent(summary[key], bootstrap(after, key)) for key in KEYS]
        gain = bootstrap_difference(after, before, "grid_ok_21")
        lines.append([title_of(model), *cells, "" if model == "before" else points(gain)])
    header = ["%", *KEYS.values(), "gain in Grid-OK@21.5, 95 %"]
    return ["", f"## {len(before)} {about}", "", *markdown_table(header, lines)]


def elsewhere(verdicts: Mapping[str, Any]) -> list[str]:
    """Return the table of the fixed rendered set, as the runs measured it."""
    lines = []
    for name, verdict in verdicts.items():
        figures, others = verdict["elsewhere"], verdict["unrehearsed"]["grid_ok_21"]
        if not lines:
            cells = [percent(figures[key]["before"]) for key in KEYS]
            lines.append(["shipped", *cells, percent(others["before"]), ""])
        lines.append(
            [
                title_of(name),
                *(percent(figures[key]["after"]) for key in KEYS),
                percent(others["after"]),
                points(figures["grid_ok_21"]["interval"]),
            ]
        )
    if not lines:
        return []
    n = next(iter(verdicts.values()))["elsewhere"]["n_tracks"]
    m = next(iter(verdicts.values()))["unrehearsed"]["n_tracks"]
    header = ["%", *KEYS.values(), f"@21.5, {m} not rehearsed", "gain in Grid-OK@21.5, 95 %"]
    about = f"{n} rendered pieces, fixed, every genre of the generator once"
    return ["", f"## {about}", "", *markdown_table(header, lines)]


def said(verdicts: Mapping[str, Any]) -> list[str]:
    """Return what each run said at its end."""
    lines = [f"- {title_of(name)}: {'; '.join(v['verdict'])}." for name, v in verdicts.items()]
    return ["", "## What the runs said", "", *lines] if lines else []


def percent(value: float | None, interval: Sequence[float] | None = None) -> str:
    """Return a share as the tables print it."""
    if value is None:
        return "-"
    spread = "" if interval is None else f" ({100 * interval[0]:.0f} .. {100 * interval[1]:.0f})"
    return f"{100 * value:.1f}{spread}"


def points(interval: Sequence[float] | None) -> str:
    """Return an interval of a difference in points."""
    return "-" if interval is None else " .. ".join(f"{100 * end:+.0f}" for end in interval)


def picture(scores: Mapping[str, Rows], verdicts: Mapping[str, Any]) -> None:
    """Draw right grids against the number of labels, on the three sets."""
    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    colours = {"genre": "#0072b2", "val": "#d55e00", "elsewhere": "#009e73"}
    for name, label in (("genre", "the genre, 80 held-out songs"), ("val", "real music, `val`")):
        rows = scores[name]
        known = [model for model in CURVE if model in rows]
        if "before" not in rows or not known:
            continue
        values = [100 * float(summarise(rows[model])["grid_ok_21"] or 0) for model in known]
        ends = [bootstrap(rows[model], "grid_ok_21") or (0.0, 0.0) for model in known]
        n = [RUNS[model][0] for model in known]
        axes.plot(n, values, "o-", color=colours[name], label=label)
        low, high = ([100 * end[side] for end in ends] for side in (0, 1))
        axes.fill_between(n, low, high, color=colours[name], alpha=0.15, linewidth=0)
        start = 100 * float(summarise(rows["before"])["grid_ok_21"] or 0)
        axes.axhline(start, color=colours[name], linestyle=":", linewidth=1)
    known = [model for model in CURVE if model in verdicts]
    if known:
        figures = [verdicts[model]["elsewhere"]["grid_ok_21"] for model in known]
        n = [RUNS[model][0] for model in known]
        values = [100 * f["after"] for f in figures]
        axes.plot(n, values, "s-", color=colours["elsewhere"], label="rendered, every genre once")
        axes.axhline(
            100 * figures[0]["before"], color=colours["elsewhere"], linestyle=":", linewidth=1
        )
    axes.set(xscale="log", xlabel="labels", ylabel="right grids, %", ylim=(0, 105))
    axes.set_xticks(SIZES, map(str, SIZES))
    axes.minorticks_off()
    axes.legend(loc="lower right", title="dotted: the shipped weights", fontsize=8)
    with replacing(HERE / "curve.png") as temporary:
        figure.savefig(temporary, dpi=110, format="png")


if __name__ == "__main__":
    main()
