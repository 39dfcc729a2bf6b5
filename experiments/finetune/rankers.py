"""Which tracks should move the ranker of a fine-tuned network, and how far?

python -m experiments.finetune.rankers data/finetune 30-1 --val AUDIO_DIR LABEL_DIR [--cache DIR]

Prints a line for each choice: right grids and cost of the truth on the first held-out songs and on
real music, by a ranker moved by the user's tracks that the network did not learn from, or by all of
them. ``--half`` asks the network half-way between the weights before and after instead.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from beatgrid.activation.evidence import Calibration
from beatgrid.activation.network import NetworkSource
from beatgrid.audio.cache import FeatureCache
from beatgrid.calibration.examples import Example, judge
from beatgrid.calibration.fit import fit_ranker
from beatgrid.data.discovery import discover, of_split
from beatgrid.data.rendered import RenderedSource
from beatgrid.data.track import Track, open_tracks
from beatgrid.networks.checkpoint import LoadedModel, load_model
from beatgrid.search import GridSearch, Ranker

PULLS = (3.0, 10.0, 30.0)
N_SONGS = 40
MAX_WEIGHT = 4.0


def main() -> None:
    """Measure each choice."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="of run.py")
    parser.add_argument("run", help="one of its runs")
    parser.add_argument("--val", nargs=2, type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="feature cache of --val")
    parser.add_argument("--half", action="store_true", help="weights half-way between")
    arguments = parser.parse_args()
    folder, run = arguments.folder, arguments.folder / "runs" / arguments.run
    model = load_model(run / "checkpoints" / "tuned.ckpt")
    if arguments.half:
        model = half_way(load_model(run / "checkpoints" / "before.ckpt"), model)
    cache = FeatureCache(folder / "cache", model.features)
    songs = opened(folder / "learn/audio", folder / "learn/labels", cache)
    splits = json.loads((run / "splits.json").read_text())
    (spec,) = (folder / "rehearsal").iterdir()
    rendered = list(RenderedSource(spec / "choose/rehearsal").tracks(model.features))
    held_out = opened(folder / "held_out/audio", folder / "held_out/labels", cache)[:N_SONGS]
    real_cache = FeatureCache(arguments.cache or folder / "val-cache", model.features)
    real = opened(*arguments.val, real_cache, "val")

    source = NetworkSource(model)
    unheard, heard = (
        examples(source, [t for t in songs if t.name in splits[side]]) for side in ("val", "train")
    )
    others, sets = examples(source, rendered), [examples(source, s) for s in (held_out, real)]
    former = Calibration.from_dict(model.calibration, model.model_id).ranker
    assert former is not None
    report("the former one", former, sets)
    for pull in PULLS:
        for name, own in (("those not learnt from", unheard), ("all", unheard + heard)):
            weight = min(MAX_WEIGHT, len(others) / len(own))
            weighed = [example._replace(weight=weight) for example in own]
            fitted, _ = fit_ranker(weighed + others, start=former, pull=pull)
            report(f"pull {pull:g}, {len(own)} songs: {name}", fitted, sets)


def half_way(before: LoadedModel, after: LoadedModel) -> LoadedModel:
    """Return the model after with the mean of both networks' weights."""
    mean = before.network.state_dict()
    for name, tensor in after.network.state_dict().items():
        if mean[name].is_floating_point():
            mean[name] = (mean[name] + tensor) / 2
    after.network.load_state_dict(mean)
    return replace(after)


def opened(audio: Path, labels: Path, cache: FeatureCache, split: str | None = None) -> list[Track]:
    """Return the labelled tracks of a folder with their features."""
    return list(open_tracks(of_split(discover(audio, labels), split), cache, print))


def examples(source: NetworkSource, tracks: Sequence[Track]) -> list[Example]:
    """Ask the network about tracks."""
    return [Example(source(t.load_features(), t.duration_s), t.grid, group=t.name) for t in tracks]


def report(name: str, ranker: Ranker, sets: Sequence[Sequence[Example]]) -> None:
    """Print what a ranker makes of each set."""
    cells = []
    for tracks in sets:
        found = [judge(example, GridSearch(), ranker).outcome for example in tracks]
        right = 100 * np.mean([outcome.grid_right for outcome in found])
        nats = np.mean([outcome.nats for outcome in found])
        cells.append(f"{right:5.1f} % ({nats:.2f} nats)")
    print(f"{name:44}" + "   ".join(cells), flush=True)


if __name__ == "__main__":
    main()
