"""What the commands share: Hydra's configuration in, one-line errors out.

Nothing outside ``beatgrid.commands`` imports Hydra; everything else takes plain arguments.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich import progress as rich_progress
from rich.console import Console

import beatgrid
from beatgrid.audio.cache import FeatureCache
from beatgrid.audio.features import FeatureSpec
from beatgrid.commands.arguments import prepare, wants
from beatgrid.commands.configs import CONF, options
from beatgrid.commands.manual import command_help, example, show
from beatgrid.data.discovery import discover, of_split
from beatgrid.data.sources import configured_sources
from beatgrid.data.track import Track, open_tracks
from beatgrid.errors import BeatgridError
from beatgrid.files import printable
from beatgrid.predictor import Predictor, load

T = TypeVar("T")
USER_ERRORS = (BeatgridError, HydraException, OmegaConfBaseException)


class Command(Protocol):
    """What ``entry`` makes of a function."""

    def __call__(
        self, arguments: Sequence[str] | None = None, program: str | None = None
    ) -> None: ...


def entry(
    config_name: str,
    paths: Sequence[str],
    renamed: Mapping[str, str] | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Callable[[Callable[[DictConfig], Any]], Command]:
    """Make a script's ``main(cfg)`` its command line.

    Args:
        config_name: File in ``conf/``.
        paths: Keys whose values are file names, to be taken literally: Hydra's grammar would
            reject most music libraries (``Artist - Song (Mix) [2010].mp3``).
        renamed: Former names of options, and what to write instead.
        aliases: Options whose names Hydra takes for groups of ``conf/``, and the keys they mean.

    Returns:
        A decorator; the decorated function takes the command line (by default that of the
        process) and the program's name for messages. It exits with status 1, after one line on
        standard error, where the user's input is wrong.
    """

    def decorate(main: Callable[[DictConfig], Any]) -> Command:
        @functools.wraps(main)
        def run(arguments: Sequence[str] | None = None, program: str | None = None) -> None:
            launched = sys.argv
            arguments = launched[1:] if arguments is None else arguments
            program = program or f"python {Path(launched[0]).name}"
            if wants(arguments, "-h", "--help"):
                show(command_help(config_name, program, arguments))
                return
            if wants(arguments, "--version"):
                print(f"beatgrid {beatgrid.__version__}")
                return

            @functools.wraps(main)
            def task(cfg: DictConfig) -> Any:
                # Lightning starts the further processes of a training with this command line.
                sys.argv = launched
                try:
                    if missing := sorted(OmegaConf.missing_keys(cfg)):
                        raise BeatgridError(
                            f"{missing[0]}= is missing; type, for instance, "
                            f"{example(config_name, program)}"
                        )
                    return main(cfg)
                except USER_ERRORS as error:
                    # Let out of here, Hydra would put a line of its own before ours. A sweep's
                    # jobs must not exit, though: their launcher collects what they raise.
                    if HydraConfig.get().mode == RunMode.MULTIRUN:
                        raise
                    _fail(error)

            # Hydra would print a stack trace or a paragraph of its own and exit: have it raise.
            os.environ["HYDRA_FULL_ERROR"] = "1"
            logging.captureWarnings(True)
            try:
                for argument in arguments:
                    key, _, value = argument.partition("=")
                    if renamed and key in renamed:
                        raise BeatgridError(f"{argument}: now {renamed[key]}")
                    if value == "null" and (known := options(key)):  # Hydra would not say which
                        raise BeatgridError(f"{argument}: must be one of {', '.join(known)}")
                for alias, key in (aliases or {}).items():
                    arguments = [
                        f"{key}={a.removeprefix(f'{alias}=')}" if a.startswith(f"{alias}=") else a
                        for a in arguments
                    ]
                sys.argv = [launched[0], *prepare(arguments, paths, program)]
                hydra.main(str(CONF), config_name, version_base="1.3")(task)()
            except USER_ERRORS as error:
                _fail(error)
            except KeyboardInterrupt:
                sys.exit(130)
            finally:
                sys.argv = launched

        return run

    return decorate


def load_predictor(cfg: DictConfig) -> Predictor:
    """Return the predictor that ``ckpt``, ``activation``, ``grid`` and ``device`` ask for.

    Raises:
        BeatgridError: An unknown activation, or no such checkpoint.
    """
    search = instantiate(cfg.grid)
    hint = cfg.get("hint")  # evaluation and calibration take none
    if OmegaConf.is_list(hint):
        hint = list(hint)
    return load(cfg.ckpt, activation=cfg.activation, search=search, device=cfg.device, hint=hint)


def output_folder(out: str) -> Path:
    """The folder that ``out`` names, made now: after hours of work it would be too late.

    Raises:
        BeatgridError: It cannot be a folder, or not be written to.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BeatgridError(
            f"out={out}: cannot be a folder ({error.strerror}); name another"
        ) from error
    return folder


def labelled_tracks(cfg: DictConfig, features: FeatureSpec, weight: float = 1.0) -> list[Track]:
    """Return the tracks that ``cfg.data`` names: the labelled folder's, then the other sources'.

    Args:
        cfg: ``data.audio_dir=null`` leaves the labelled folder out.
        features: What the other sources must hold.
        weight: Of the labelled folder's tracks; the other sources name their own.

    Raises:
        BeatgridError: It names no track, or what it names cannot be read.
    """
    tracks: list[Track] = []
    if cfg.data.audio_dir is not None:
        found = of_split(discover(cfg.data.audio_dir, cfg.data.label_dir), cfg.data.split)
        tracks += [replace(track, weight=weight) for track in found]
    sources = {name: instantiate(node) for name, node in cfg.data.sources.items()}
    for source in configured_sources(cfg.data.rendered, sources):
        tracks += source.tracks(features)
    if not tracks:
        raise BeatgridError(
            "data.audio_dir=null: name a folder, or rendered ones with "
            "'+data.rendered.NAME={folder: ...}'"
        )
    return tracks


def usable(tracks: Sequence[Track], cache: FeatureCache, failed: list[str]) -> Iterator[Track]:
    """Yield the tracks with their features at hand, under a progress bar.

    Args:
        tracks: All of them.
        cache: Of the features.
        failed: Receives one line for each track that cannot be used; it goes to standard error
            as well.

    Raises:
        BeatgridError: None of the tracks can be used.
    """

    def report(error: BeatgridError) -> None:
        failed.append(str(error))
        print(f"error: {error}", file=sys.stderr)

    yield from open_tracks(progress(tracks, "tracks"), cache, report)
    if len(failed) == len(tracks):
        raise BeatgridError(f"none of the {len(tracks)} tracks can be used")


def exit_if_failed(failed: int, total: int) -> None:
    """End with status 1 if some files of a batch failed; the others have their results."""
    if failed:
        print(f"error: {failed} of {total} files failed, see above", file=sys.stderr)
        sys.exit(1)


def progress(items: Iterable[T], description: str, total: int | None = None) -> Iterable[T]:
    """Iterate with a progress bar on standard error, if that is a terminal.

    Args:
        items: Anything.
        description: Stands before the bar.
        total: How many there are; not needed for what has a length.
    """
    if total is None:
        total = len(cast(Sized, items))
    console = Console(stderr=True)
    return rich_progress.track(
        items,
        description,
        total=total,
        console=console,
        transient=True,
        disable=not console.is_terminal or total < 2,
    )


def _fail(error: BaseException) -> None:
    # A mistake inside a constructor arrives wrapped by Hydra; what the constructor said counts.
    while isinstance(error, InstantiationException) and error.__cause__ is not None:
        error = error.__cause__
    ours = isinstance(error, BeatgridError)
    for line in str(error).split("\n") if ours else [_one_line(error)]:
        print(f"error: {printable(line)}", file=sys.stderr)
    sys.exit(1)


def _one_line(error: BaseException) -> str:
    """Hydra's paragraph as one line: what was asked for, and why it cannot be."""
    parts = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [p for p in parts if not p.startswith(("object_type", "full_key", "reference_type"))]
    return f"{'; '.join(kept)} (--help lists the configuration)"
