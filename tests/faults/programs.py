"""Programs for the launcher that are no command of their own, and what the commands work on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import soundfile
import torch

from beatgrid.audio.cache import FeatureCache
from beatgrid.audio.features import FeatureSpec
from beatgrid.data.labels import write_label
from beatgrid.grid import Grid
from beatgrid.rendering.generator import click_track
from tests.conftest import CLICK_GRIDS

TRAIN = "beatgrid.commands.train:main"
PREDICT = "beatgrid.commands.predict:main"
RENDER = "beatgrid.commands.render:main"
CACHE = "tests.faults.programs:fill_cache"

# Three epochs of two steps and two validation tracks: under two seconds.
TINY = (
    *("trainer=cpu", "trainer.max_epochs=3", "trainer.log_every_n_steps=1"),
    *("data.audio_dir=audio", "data.label_dir=labels", "data.cache_dir=cache"),
    *("data.num_workers=0", "data.crop_s=4", "data.batch_size=1", "data.val_count=2"),
    *("model.channels=[4]", "model.frequency_strides=[4]", "model.frequency_pools=[1]"),
    *("model.projection_size=8", "model.hidden_size=8"),
    *("callbacks.progress=null", "callbacks.pictures=null", "logger=csv"),
)
# The network is not the point.
LIBRARY = ("audio=audio", "activation=flux", "picture=false", "out=grids", "num_workers=0")
PIECES = ("hours.own=0.05", "genres=[house]", "out_dir=rendered")


def make_music(folder: Path, n_more: int = 0) -> None:
    """Write the labelled click tracks, and some further audio without labels."""
    grids = CLICK_GRIDS | {f"more_{i}": Grid(100.0 + 7.3 * i, 0.1) for i in range(n_more)}
    (folder / "audio").mkdir()
    for i, (name, grid) in enumerate(grids.items()):
        duration_s = 8.0 + i % 4
        samples = click_track(grid.bpm, grid.offset_s, duration_s, accent=1.5)
        soundfile.write(folder / "audio" / f"{name}.wav", samples, 44100)
        if name in CLICK_GRIDS:
            label = folder / "labels" / f"{name}.labels.json"
            write_label(label, grid, duration_s, f"{name}.wav")


def fill_cache(arguments: Sequence[str]) -> None:
    """Compute the features of ``audio`` into ``cache``, in so many processes."""
    cache = FeatureCache("cache", FeatureSpec())
    assert cache.prepare(sorted(Path("audio").iterdir()), int(arguments[0])) == {}


def learnt(checkpoint: Path) -> dict[str, Any]:
    """Return all that a training goes on from, as it compares: tensors as lists."""
    contents = torch.load(checkpoint, map_location="cpu", weights_only=True)
    kept = ("state_dict", "optimizer_states", "lr_schedulers", "epoch", "global_step")
    return {key: _plain(contents[key]) for key in kept}


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def results(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the grids in a folder by the name of their audio; each must be whole."""
    found = [json.loads(path.read_text()) for path in folder.rglob("*.beatgrid.json")]
    return {Path(result["file"]).name: result for result in found}


def files(folder: Path) -> dict[str, bytes]:
    """Return all that is not hidden, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def rests(folder: Path) -> list[Path]:
    """Return the temporaries that killed programs have left."""
    return [path for path in folder.rglob("*") if ".tmp" in path.name]
