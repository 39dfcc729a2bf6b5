"""The configuration of a run that goes on: its own, but for what does not change what is learnt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from beatgrid.errors import BeatgridError
from beatgrid.training.progress import Progress
from beatgrid.training.runs import CONFIG, OVERRIDES

DURATION = ("trainer.max_epochs", "trainer.max_time")
# Where and how it runs and what it shows; a name stands for all that is under it.
EXECUTION = (
    *("trainer.accelerator", "trainer.devices", "trainer.num_nodes", "trainer.strategy"),
    *("trainer.log_every_n_steps", "data.num_workers", "num_threads", "compile", "logger"),
    *("callbacks.progress", "callbacks.epoch_lines", "callbacks.pictures", "test"),
)
_MISSING = object()


def resumed_config(folder: Path, asked: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Return the configuration of the run in ``folder``, with permitted changes applied.

    Args:
        folder: Of the run.
        asked: The configuration that the command line would give a new run.
        overrides: The command line, as Hydra lists it.

    Returns:
        The run's configuration; ``output_dir`` is ``folder``.

    Raises:
        BeatgridError: The command line asks for something else than the run has.
    """
    own = OmegaConf.load(folder / CONFIG)
    assert isinstance(own, DictConfig)
    parse = OverridesParser.create().parse_overrides
    before = {o.key_or_group: o.input_line for o in parse(list(OmegaConf.load(folder / OVERRIDES)))}
    asked_dir = asked.output_dir
    own.output_dir = asked.output_dir = str(folder)
    own.resume = asked.resume
    theirs, ours = _leaves(asked), _leaves(own)
    differing: dict[str, str] = {}
    for override in parse(list(overrides)):
        key = override.key_or_group
        if key in ("resume", "output_dir"):
            continue
        if key in EXECUTION:
            OmegaConf.update(own, key, OmegaConf.select(asked, key), merge=False, force_add=True)
            continue
        repeated = before.get(key) == override.input_line
        under = sorted(k for k in {*theirs, *ours} if _is_under(k, (key,)))
        if not under and not repeated:  # a group of settings from all over: experiment, debug
            differing[key] = f"not {override.input_line}"
        for leaf in under:
            new, old = theirs.get(leaf, _MISSING), ours.get(leaf, _MISSING)
            # trainer=cpu says where to run; its number of epochs is nobody's wish.
            if new == old or (leaf != key and leaf in DURATION):
                continue
            if new is not _MISSING and _is_under(leaf, (*DURATION, *EXECUTION)):
                OmegaConf.update(own, leaf, new, force_add=True)
            elif not repeated:
                differing[leaf] = f"{_shown(leaf, old)}, not {_shown(leaf, new)}"
    if asked_dir is not None and Path(asked_dir).resolve() != folder.resolve():
        differing["output_dir"] = f"{_shown('output_dir', folder)}, not {asked_dir}"
    if differing:
        raise BeatgridError(
            f"resume={folder}: this run has {'; '.join(differing.values())}. Only "
            f"{', '.join((*DURATION, *EXECUTION))} may change: leave the rest out, "
            "or begin a new run (init_from=...)"
        )
    return own


def refuse_complete(cfg: DictConfig, progress: Progress) -> None:
    """Raise where a run has nothing left to do: training would end before its first step.

    Raises:
        BeatgridError: It says which limit is reached.
    """
    reached = limit_reached(cfg, progress)
    if reached is not None:
        raise BeatgridError(f"resume={cfg.output_dir}: complete, {reached}")


def limit_reached(cfg: DictConfig, progress: Progress) -> str | None:
    """Say which limit a run has reached; None where it is still to be trained."""
    max_epochs, max_steps = cfg.trainer.max_epochs, cfg.trainer.get("max_steps", -1)
    limit_s = _seconds(cfg.trainer.max_time)
    if progress.stopped_early:
        return f"stopped early after {progress.epochs} epochs"
    if max_epochs is not None and 0 <= max_epochs <= progress.epochs:
        return f"trainer.max_epochs={max_epochs} is reached; give more"
    if 0 <= max_steps <= progress.steps:
        return f"trainer.max_steps={max_steps} is reached"
    if limit_s is not None and limit_s <= progress.elapsed_s:
        return f"trainer.max_time={cfg.trainer.max_time} is reached; give more"
    return None


def _seconds(max_time: str | Mapping[str, float] | None) -> float | None:
    """Return Lightning's DD:HH:MM:SS, or the arguments of a timedelta, in seconds."""
    if max_time is None:
        return None
    if isinstance(max_time, str):
        units = ("days", "hours", "minutes", "seconds")
        max_time = dict(zip(units, map(float, max_time.split(":")), strict=True))
    return timedelta(**{str(unit): value for unit, value in max_time.items()}).total_seconds()


def _is_under(key: str, names: Sequence[str]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)


def _shown(key: str, value: Any) -> str:
    return f"no {key}" if value is _MISSING else f"{key}={value}".replace(" ", "")


def _leaves(config: DictConfig) -> dict[str, Any]:
    """Return every value by its full key; lists count as values."""
    return dict(_walk(OmegaConf.to_container(config, resolve=True), ""))


def _walk(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _walk(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, value
