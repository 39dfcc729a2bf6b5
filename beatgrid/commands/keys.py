"""What each key of a configuration must be, checked before any work begins.

A key that reaches a signature of the package must be what the annotation there says. This module
says it of the others: the commands' own keys, and the arguments of Lightning's classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from beatgrid.checks import (
    Count,
    Interval,
    Name,
    NotNegative,
    Positive,
    Processes,
    Seed,
    Share,
    Some,
    Tempo,
    Text,
    Threads,
    Whole,
    hints_of,
    mismatch,
    shown,
)
from beatgrid.commands.arguments import did_you_mean
from beatgrid.data.tempo_shares import TempoShares
from beatgrid.errors import BeatgridError
from beatgrid.export.options import ExportOptions
from beatgrid.importers.options import ImportOptions
from beatgrid.rendering.sources import SOURCES

Hours = Annotated[float, Interval(0, 1_000_000)]
Device = Annotated[str, Text("a device such as cpu or cuda")]
Limit = Whole | Share
"""Of batches: so many, or a share of them."""

_TRACKS = {
    "audio_dir": Name | None,
    "label_dir": Name,
    "dataset": Name | None,
    "data_home": Name | None,
    "index": Name | None,
    "download": bool,
    "cache_dir": Name,
    "split": Literal["train", "val", "test"] | None,
    "rendered": Mapping,
    "sources": Mapping,
}

_EXPORT = hints_of(ExportOptions)
_FORMATS = Name | Annotated[Sequence[Name], Some()]

KEYS: dict[str, dict[str, Any]] = {
    "predict": {
        "grid": Mapping,
        "audio": Name | Annotated[Sequence[Name], Some()],
        "ckpt": Name,
        "activation": Name,
        "hint": Literal["tag"] | Tempo | tuple[Tempo, Tempo] | None,
        "out": Name,
        "shard": Annotated[str, Text("a number and a count, such as 3/16")] | None,
        "workers": Literal["processes", "ray"],
        "picture": bool | Literal["auto"],
        "backend": Name,
        "tag": bool,
        "device": Device,
        "num_threads": Threads,
        "batch_size": Count,
        "num_workers": Processes | Literal["auto"],
        "time_limit_s": Positive | None,
        "memory_limit_gb": Annotated[float, Interval(0.1)] | None,
        "export": {"formats": Name | Sequence[Name], **_EXPORT},
    },
    "merge": {"out": Name},
    "export": {
        "results": Name | Annotated[Sequence[Name], Some()],
        "format": _FORMATS,
        "out": Name | None,
        "export": _EXPORT,
    },
    "import": {
        "from": Name | Annotated[Sequence[Name], Some()],
        "out": Name,
        "format": _FORMATS,
        "import": hints_of(ImportOptions),
    },
    "evaluate": {
        "data": _TRACKS,
        "grid": Mapping,
        "ckpt": Name,
        "activation": Name,
        "group_by": Name | None,
        "out": Name,
        "backend": Name,
        "device": Device,
        "num_threads": Threads,
    },
    "calibrate": {
        "data": _TRACKS | {"weight": NotNegative, "tempo_shares": TempoShares | None},
        "grid": Mapping,
        "ckpt": Name,
        "folds": Sequence[Name],
        "out": Name | None,
        "num_threads": Threads,
    },
    "export_model": {
        "ckpt": Name,
        "out": Name,
    },
    "audit": {
        "data": _TRACKS,
        "ckpt": Name,
        "activation": Name,
        "backend": Name,
        "fix": bool,
        "rows": Whole,
        "out": Name,
        "device": Device,
        "num_threads": Threads,
        "num_workers": Processes | Literal["auto"],
        "time_limit_s": Positive | None,
        "memory_limit_gb": Annotated[float, Interval(0.1)] | None,
    },
    "compare": {
        "data": {
            "audio_dir": Name | None,
            "label_dir": Name | None,
            "split": Literal["train", "val", "test"] | None,
        },
        "systems": Name | Sequence[Name] | None,
        "setup": Name | Sequence[Name],
        "peers_dir": Name,
        "ckpt": Name,
        "activation": Name,
        "weights": {"beat_this": Name | None, "deeprhythm": Name | None},
        "time_limit_s": Positive,
        "out": Name,
    },
    "render": {
        "features": Mapping,
        "out_dir": Name,
        "hours": dict.fromkeys(SOURCES, Hours),
        "keep_audio": bool,
        "held_out": bool,
        "first_seed": Annotated[int, Interval(0, 10**9)],
        "genres": Sequence[Name] | None,
        "num_workers": Processes,
    },
    "review": {
        "grid": Mapping,
        "folder": Name,
        "out": Name,
        "audio": Name | None,
        "labels": Name | None,
        "port": Annotated[int, Interval(0, 65535)],
        "open": bool,
        "ckpt": Name,
        "activation": Name,
        "backend": Name,
        "device": Device,
        "num_threads": Threads,
    },
    "modules": {
        "package_dir": Name,
        "out_dir": Name,
        "table": Name,
        "min_duration_s": NotNegative,
        "max_duration_s": Positive,
    },
    "train": {
        "seed": Seed,
        "monitor": Name,
        "resume": bool | Name,
        "init_from": Name | None,
        "test": bool,
        "compile": bool,
        "num_threads": Threads,
        "output_dir": Name | None,
        "finetune": Mapping | None,
        **{
            group: Mapping
            for group in ("features", "data", "model", "grid", "trainer", "logger", "callbacks")
        },
    },
}
"""By command: what its own keys must be, nested as they are."""

_ARGUMENTS: dict[str, dict[str, Any]] = {
    "lightning.pytorch.Trainer": {
        "default_root_dir": Name,
        "accelerator": Name,
        "devices": Annotated[int, Interval(-1, 1024)] | Name | Sequence[Whole],
        "num_nodes": Count,
        "strategy": Name,
        "precision": Name | Literal[16, 32, 64],
        "sync_batchnorm": bool,
        "max_epochs": Annotated[int, Interval(-1, 1_000_000)] | None,
        "min_epochs": Whole | None,
        "max_steps": Annotated[int, Interval(-1)],
        "max_time": Name | Mapping | None,
        "gradient_clip_val": NotNegative | None,
        "accumulate_grad_batches": Count,
        "check_val_every_n_epoch": Count | None,
        "val_check_interval": Whole | Share | None,
        "limit_train_batches": Count | Annotated[float, Interval(0, 1, above=True)],
        "limit_val_batches": Limit,
        "limit_test_batches": Limit,
        "overfit_batches": Limit,
        "fast_dev_run": bool | Whole,
        "num_sanity_val_steps": Annotated[int, Interval(-1, 1_000_000)],
        "log_every_n_steps": Whole,
        "deterministic": bool | Literal["warn"],
        "use_distributed_sampler": bool,
        "enable_model_summary": bool,
        "profiler": Name | None,
    },
    "lightning.pytorch.callbacks.ModelCheckpoint": {
        "dirpath": Name,
        "filename": Name,
        "monitor": Name | None,
        "mode": Literal["min", "max"],
        "save_top_k": Annotated[int, Interval(-1, 1_000_000)],
        "every_n_epochs": Whole,
        "save_on_train_epoch_end": bool,
        "enable_version_counter": bool,
    },
    "lightning.pytorch.callbacks.EarlyStopping": {
        "monitor": Name,
        "mode": Literal["min", "max"],
        "patience": Whole,
        "min_delta": float,
    },
    "lightning.pytorch.callbacks.LearningRateMonitor": {
        "logging_interval": Literal["step", "epoch"]
    },
    "lightning.pytorch.loggers.TensorBoardLogger": {
        "save_dir": Name,
        "name": Name,
        "version": str | Whole | None,
        "default_hp_metric": bool,
    },
    "lightning.pytorch.loggers.CSVLogger": {
        "save_dir": Name,
        "name": Name,
        "version": str | Whole | None,
    },
}
"""By target: what arguments of other libraries' classes must be."""

# Nodes that become value objects of the package further on, by their full key.
_VALUE_OBJECTS = {
    "features": "beatgrid.audio.features.FeatureSpec",
    "data.target": "beatgrid.data.dataset.TargetSpec",
    "data.augment": "beatgrid.data.augment.Augment",
    "finetune": "beatgrid.finetuning.settings.FineTuneSettings",
}
_RENDERED = "beatgrid.data.rendered.RenderedSource"


def check_keys(config: DictConfig, command: str) -> None:
    """Check every value that a configuration holds itself; what follows another key is left out.

    Raises:
        BeatgridError: The first that is not what it must be, named with its full key; or one that
            ``+KEY=...`` has made and nothing reads.
    """
    _check_known(config, "", KEYS[command])
    _check_node(config, "", KEYS[command])


def _check_known(node: DictConfig, prefix: str, known: Mapping[str, Any]) -> None:
    for key in map(str, node):
        if key not in known:
            meant = did_you_mean(f"{prefix}{key}", [prefix + name for name in known])
            raise BeatgridError(f"{prefix}{key}: no such key; {meant}")
        if isinstance(known[key], Mapping) and OmegaConf.is_dict(node[key]):
            _check_known(node[key], f"{prefix}{key}.", known[key])


def _check_node(node: DictConfig, prefix: str, hints: Mapping[str, Any]) -> None:
    for key in map(str, node):
        if OmegaConf.is_interpolation(node, key) or OmegaConf.is_missing(node, key):
            continue
        value, hint = node[key], hints.get(key, Any)
        form = mismatch(value, Mapping if isinstance(hint, Mapping) else hint)
        if form is not None:
            raise BeatgridError(f"{prefix}{key}={shown(value)}: must be {form}")
        if isinstance(value, DictConfig):
            inner = hint if isinstance(hint, Mapping) else _arguments(value, f"{prefix}{key}")
            _check_node(value, f"{prefix}{key}.", inner)


def _arguments(node: DictConfig, key: str) -> Mapping[str, Any]:
    """Return what the keys of a node must be that is made into an object."""
    if key in ("callbacks", "data.rendered", "data.rendered_val", "data.sources"):
        return dict.fromkeys(map(str, node), Mapping | None)
    target = node.get("_target_") or _VALUE_OBJECTS.get(key)
    if target is None and key.startswith(("data.rendered.", "data.rendered_val.")):
        target = _RENDERED
    if target in _ARGUMENTS:
        return _ARGUMENTS[target]
    if not isinstance(target, str) or not target.startswith("beatgrid."):
        return {}
    hints = hints_of(get_object(target))
    if key == "model":
        hints = _of_network_and_loss(node) | hints
    return hints


def _of_network_and_loss(node: DictConfig) -> dict[str, Any]:
    """Return what the arguments of a model's network and of its loss must be."""
    # Here, since prediction starts without the training stack.
    from beatgrid.networks.arguments import arguments_of
    from beatgrid.networks.losses import LOSSES
    from beatgrid.networks.table import NETWORKS

    return {
        **arguments_of("network", NETWORKS, node.get("network")),
        **arguments_of("loss", LOSSES, node.get("loss")),
    }
