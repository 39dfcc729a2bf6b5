"""The stages of ``experiment=finetune`` around the training; ``train.py`` calls them."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict

from beatgrid.activation.network import NetworkSource
from beatgrid.audio.features import FeatureSpec
from beatgrid.checks import shown
from beatgrid.commands.cli import checkpoint_of, progress
from beatgrid.data.datamodule import BeatDataModule
from beatgrid.data.track import Track, score_track
from beatgrid.errors import BeatgridError
from beatgrid.evaluation import TrackScore
from beatgrid.files import write_json, write_text
from beatgrid.finetuning.decision import decide
from beatgrid.finetuning.refit import outcomes, refitted
from beatgrid.finetuning.rehearsal import Rehearsal
from beatgrid.finetuning.settings import FineTuneSettings
from beatgrid.finetuning.verdict import MIN_TRACKS_TO_TELL, Comparison, Verdict
from beatgrid.networks.arguments import arguments_of
from beatgrid.networks.checkpoint import LoadedModel, load_model, save_model
from beatgrid.networks.table import NETWORKS
from beatgrid.predictor import find_checkpoint
from beatgrid.rendering.sources.rehearsal import UNREHEARSED
from beatgrid.search import GridSearch

logger = logging.getLogger(__name__)

# The weights begun with; the best epoch's; those with what was fitted to them; what is to be used.
BEFORE, TUNED, AFTER, BEST = "before.ckpt", "tuned.ckpt", "after.ckpt", "best.ckpt"
VERDICT = "verdict.json"
# Not what a network is, or free to choose.
_FREE = ("name", "n_mels", "dropout")


def follow_checkpoint(cfg: DictConfig) -> None:
    """Take network, features and targets from the weights to begin with; add the rehearsal.

    Raises:
        BeatgridError: Nothing to begin with, no labelled folder, more than one process, or a
            command line that says otherwise than the weights.
    """
    if cfg.init_from is None:
        raise BeatgridError("init_from=null: name the weights to fine-tune, for instance shipped")
    if cfg.data.audio_dir is None and cfg.data.dataset is None:
        raise BeatgridError("data.audio_dir=null: name the folder of your labelled music")
    if cfg.trainer.devices not in (1, "1"):
        raise BeatgridError(
            f"trainer.devices={cfg.trainer.devices}: fine-tuning takes one process; leave it out"
        )
    if not isinstance(instantiate(cfg.grid), GridSearch):
        raise BeatgridError("grid: has no ranker to fit; take grid=default or grid=wide")
    with checkpoint_of("init_from"):
        start = load_model(find_checkpoint(cfg.init_from))
    of_networks = {key for name in NETWORKS for key in arguments_of("network", NETWORKS, name)}
    described = {"network": start.network_args["name"]} | {
        key: value for key, value in start.network_args.items() if key not in _FREE
    }
    with open_dict(cfg):
        for key in of_networks - described.keys() - {*_FREE}:
            cfg.model.pop(key, None)
        _follow(cfg, "model", described)
        _follow(cfg, "features", start.features.to_dict())
        _follow(cfg, "data.target", start.training_data.get("target", {}))
        rehearsal = rehearsal_of(cfg)
        if cfg.finetune.rehearsal_hours > 0:
            cfg.data.rendered["rehearsal"] = {
                "folder": str(rehearsal.learn),
                "max_hours": cfg.finetune.rehearsal_hours,
            }
        cfg.data.rendered_val["rehearsal"] = {"folder": str(rehearsal.choose)}


def _follow(cfg: DictConfig, group: str, values: Mapping[str, Any]) -> None:
    """Set keys of a group, and refuse what the command line says otherwise of them."""
    typed = {override.partition("=")[0] for override in HydraConfig.get().overrides.task}
    node = OmegaConf.select(cfg, group)
    for key, value in values.items():
        if f"{group}.{key}" in typed and node[key] != value:
            raise BeatgridError(
                f"{group}.{key}={shown(node[key])}: the weights to fine-tune have {shown(value)}; "
                "leave it out"
            )
        node[key] = value


def rehearsal_of(cfg: DictConfig) -> Rehearsal:
    """Return the folders of rendered music that a run uses."""
    settings = FineTuneSettings(**cfg.finetune)
    spec = FeatureSpec(**cfg.features)
    return Rehearsal(Path(settings.rehearsal_dir), spec, settings.rehearsal_hours)


def render_rehearsal(cfg: DictConfig, data: BeatDataModule) -> None:
    """Render what is missing, and say how long it took; first the user's labels are looked at."""
    _ = data.labelled  # what is wrong with them is said before minutes are spent
    started_s = time.monotonic()
    if rehearsal_of(cfg).render(cfg.finetune.render_workers):
        logger.info(
            "rendered in %.0f s, kept in %s for further runs",
            *(time.monotonic() - started_s, cfg.finetune.rehearsal_dir),
        )


def divided(data: BeatDataModule) -> str:
    """Say how the user's tracks are divided."""
    n = {
        name: sum(track.audio_path is not None for track in side)
        for name, side in data.splits.items()
    }
    said = f"of your tracks {n['train']} teach, {n['val']} choose, {n['test']} judge"
    if n["test"] < MIN_TRACKS_TO_TELL:
        said += f"; fewer than {MIN_TRACKS_TO_TELL} judge by counts only"
    return said


def finish(cfg: DictConfig, folder: Path, data: BeatDataModule) -> Verdict:
    """Refit, decide, judge; write ``best.ckpt`` and the verdict.

    Args:
        cfg: Of the run.
        folder: Of the run; its training is over.
        data: Its tracks.
    """
    started_s = time.monotonic()
    checkpoints = folder / "checkpoints"
    search = instantiate(cfg.grid)
    before = load_model(checkpoints / BEFORE)
    tuned = load_model(checkpoints / TUNED)
    own = [track for track in data.splits["val"] if track.audio_path is not None]
    rendered = [track for track in data.splits["val"] if track.audio_path is None]
    taught = [track for track in data.splits["train"] if track.audio_path is not None]
    logger.info(
        "fitting ranker and confidence on %d tracks", len(own) + len(taught) + len(rendered)
    )
    fitted, judged = refitted(tuned, own, rendered, taught, search, cfg.finetune.pull)
    candidates = {"network and ranker": fitted, "network alone": tuned}
    decision = decide(
        outcomes(before, own, rendered, search),
        {
            "network and ranker": judged,
            "network alone": outcomes(tuned, own, rendered, search),
        },
    )
    after = candidates[decision.candidate]
    elsewhere = rehearsal_of(cfg).tracks_elsewhere()
    logger.info(
        "comparing on %d of your tracks and %d rendered ones",
        *(len(data.splits["test"]), len(elsewhere)),
    )
    apart = compare(before, after, elsewhere, search)
    verdict = Verdict(
        own=compare(before, after, data.splits["test"], search),
        elsewhere=apart,
        unrehearsed=apart.part([t.label.genre in UNREHEARSED for t in elsewhere]),
        decision=decision,
        before=str(cfg.init_from),
        checkpoint=str(checkpoints / BEST),
        after=str(checkpoints / AFTER),
        notes=(
            divided(data),
            f"fitted after the training: {decision.candidate}",
            f"{time.monotonic() - started_s:.0f} s for refit and comparison",
        ),
    )
    save_model(checkpoints / AFTER, after)
    save_model(checkpoints / BEST, after if verdict.takes_tuned else before)
    write_text(folder / "verdict.md", verdict.to_markdown())
    write_json(folder / VERDICT, verdict.to_json())
    for sentence in verdict.sentences():
        logger.info("%s", sentence)
    return verdict


def compare(
    before: LoadedModel, after: LoadedModel, tracks: Sequence[Track], search: GridSearch
) -> Comparison:
    """Score two models on the same tracks."""

    def scores(model: LoadedModel) -> tuple[TrackScore, ...]:
        source = NetworkSource(model)
        found = []
        for track in progress(tracks, "tracks"):
            activation = source(track.load_features(), track.audio_duration_s)
            found.append(score_track(track, activation, search(activation, source.ranker)))
        return tuple(found)

    return Comparison(tuple(track.name for track in tracks), scores(before), scores(after))
