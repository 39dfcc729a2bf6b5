"""What the commands share: Hydra's configuration in, one-line errors out.

Nothing outside ``beatgrid.commands`` imports Hydra; everything else takes plain arguments.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import configure_log
from hydra.errors import HydraException, InstantiationException, OverrideParseException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich import progress as rich_progress
from rich.console import Console

import beatgrid
from beatgrid.activation.source import ActivationSource
from beatgrid.commands.arguments import prepare, spelt_out, wants
from beatgrid.commands.configs import CONF, options
from beatgrid.commands.keys import check_keys
from beatgrid.commands.manual import command_help, example, show
from beatgrid.commands.signatures import register
from beatgrid.errors import BeatgridError, CheckpointError
from beatgrid.files import check_writable, printable
from beatgrid.predictor import Predictor, load

T = TypeVar("T")
_DEBUG = "BEATGRID_DEBUG"
# What names a folder of the user's configurations.
_OTHER_CONFIGURATIONS = ("hydra.searchpath", "+hydra.searchpath", "-cd", "--config-dir")
# An option of a group, not a list of them for a sweep.
_NAME = re.compile(r"[\w.-]+")


class Command(Protocol):
    """What ``entry`` makes of a function."""

    def __call__(
        self, arguments: Sequence[str] | None = None, program: str | None = None
    ) -> None: ...


def entry(
    config_name: str,
    paths: Sequence[str],
    renamed: Mapping[str, str] | None = None,
    sweeps: bool = False,
    positional: str | None = None,
    short: Mapping[str, str] | None = None,
) -> Callable[[Callable[[DictConfig], Any]], Command]:
    """Make a script's ``main(cfg)`` its command line.

    Args:
        config_name: File in ``conf/``.
        paths: Keys whose values are file names, to be taken literally: Hydra's grammar would
            reject most music libraries (``Artist - Song (Mix) [2010].mp3``).
        renamed: Keys that the command does not have any more, or others have; for each a phrase
            that says what to write instead.
        sweeps: Whether a file of ``conf/`` may ask for several runs.
        positional: Key that words without one are values of.
        short: Keys that stand for one below them: ``export=...`` for ``export.formats=...``.

    Returns:
        A decorator; the decorated function takes the command line (by default that of the
        process) and the program's name for messages. It exits with status 1, after one line on
        standard error, where the user's input is wrong or anything fails; ``debug=true`` shows
        the traceback as well.
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
                    check_keys(cfg, config_name)
                    return main(cfg)
                except Exception as error:
                    # Let out of here, Hydra would put a line of its own before ours. A sweep's
                    # jobs must not exit, though: their launcher collects what they raise.
                    if HydraConfig.get().mode == RunMode.MULTIRUN:
                        raise
                    _fail(error)

            # Hydra would print a stack trace or a paragraph of its own and exit: have it raise.
            os.environ["HYDRA_FULL_ERROR"] = "1"
            logging.captureWarnings(True)
            debug = os.environ.get(_DEBUG)
            try:
                arguments = spelt_out(_take_debug(arguments), positional, short or {})
                # A user's own folder of configurations has options that are not among ours.
                elsewhere = any(a.startswith(_OTHER_CONFIGURATIONS) for a in arguments)
                for argument in arguments:
                    key, _, value = argument.partition("=")
                    if renamed and key in renamed:
                        raise BeatgridError(f"{argument}: {renamed[key]}")
                    known = [] if elsewhere or key.startswith("hydra") else options(key)
                    # Hydra would not say which, or tell of its search path as well.
                    if known and value not in known and _NAME.fullmatch(value):
                        raise BeatgridError(f"{argument}: must be one of {', '.join(known)}")
                _compose_and_run(task, config_name, prepare(arguments, paths, program), sweeps)
            except Exception as error:
                _fail(error)
            except KeyboardInterrupt:
                sys.exit(130)
            finally:
                sys.argv = launched
                if debug is None:
                    os.environ.pop(_DEBUG, None)
                else:
                    os.environ[_DEBUG] = debug

        return run

    return decorate


def _compose_and_run(
    task: Callable[[DictConfig], Any], config_name: str, arguments: Sequence[str], sweeps: bool
) -> None:
    """Compose a configuration and hand it to a task, as ``hydra.main`` does.

    That composes it twice, for it must know whether there are several runs: a fifth of a second
    where there is one.
    """
    register()
    if sweeps or any(argument.startswith(("-", "hydra", "+hydra")) for argument in arguments):
        sys.argv = [sys.argv[0], *arguments]
        hydra.main(str(CONF), config_name, version_base="1.3")(task)()
        return
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        config = hydra.compose(config_name, list(arguments), return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    configure_log(config.hydra.job_logging, config.hydra.verbose)
    task(OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"]))


def load_predictor(
    cfg: DictConfig, connect: Callable[[], ActivationSource] | None = None
) -> Predictor:
    """Return the predictor that ``ckpt``, ``activation``, ``grid``, ``backend`` ask for.

    Args:
        cfg: Of a command that predicts.
        connect: Makes the source of activations where another process has loaded it.

    Raises:
        BeatgridError: An unknown activation or backend, or no such checkpoint.
    """
    search = instantiate(cfg.grid)
    hint = cfg.get("hint")  # evaluation and calibration take none
    if OmegaConf.is_list(hint):
        hint = list(hint)
    if connect is not None:
        return Predictor(connect(), search, hint)
    return load(
        cfg.ckpt,
        activation=cfg.activation,
        search=search,
        backend=cfg.backend,
        device=cfg.device,
        num_threads=cfg.num_threads,
        batch_size=cfg.get("batch_size", 1),
        hint=hint,
    )


@contextlib.contextmanager
def checkpoint_of(key: str) -> Iterator[None]:
    """Name the key that a checkpoint came from in errors about it, where it is not ``ckpt``.

    Args:
        key: Of the configuration.

    Raises:
        CheckpointError: What happens inside, about ``key``.
    """
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(str(error).replace("ckpt=", f"{key}=", 1)) from error


def output_folder(out: str) -> Path:
    """Make the folder that ``out`` names now: after hours of work it would be too late.

    Raises:
        BeatgridError: It cannot be a folder, or not be written to.
    """
    check_writable(out)
    return Path(out)


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


def shows_trace() -> bool:
    """Tell whether ``debug=true``, or ``BEATGRID_DEBUG=1`` in the environment, wants tracebacks."""
    return os.environ.get(_DEBUG, "").lower() not in ("", "0", "false")


def _take_debug(arguments: Sequence[str]) -> list[str]:
    """Take ``debug=true`` out of a command line; ``debug=fast``, say, is a group of training's."""
    rest = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key == "debug" and value.lower() in ("true", "false"):
            os.environ[_DEBUG] = value.lower()  # processes started from here on are told as well
        else:
            rest.append(argument)
    return rest


def _fail(error: BaseException) -> NoReturn:
    """Say what is wrong, a line for each mistake, and end with status 1."""
    if shows_trace():
        traceback.print_exception(error)
    for line in failure_lines(error):
        print(f"error: {line}", file=sys.stderr)
    sys.exit(1)


def failure_lines(error: BaseException) -> list[str]:
    """Return what a user is told of an exception: a line for each mistake."""
    where = ""
    # A mistake inside a constructor arrives wrapped by Hydra; what the constructor said counts.
    while isinstance(error, InstantiationException) and error.__cause__ is not None:
        where = where or (re.findall(r"full_key: (\S+)", str(error)) or [""])[-1]
        error = error.__cause__
    return [
        printable(line if line.startswith(where) else f"{where}: {line}") for line in _lines(error)
    ]


def _lines(error: BaseException) -> list[str]:
    if isinstance(error, BeatgridError):
        return [str(line) for line in error.args]
    if isinstance(error, OverrideParseException):
        return [
            f"{error.override}: cannot be read; a value with other than letters, digits and "
            "./:-_+ needs quotes inside quotes, such as \"KEY='a, b'\""
        ]
    if isinstance(error, HydraException | OmegaConfBaseException):
        # A paragraph: what was asked for, and why it cannot be.
        parts = [line.strip() for line in str(error).splitlines() if line.strip()]
        details = ("object_type", "full_key", "reference_type")
        kept = "; ".join(part for part in parts if not part.startswith(details))
        return [f"{kept} (--help lists the configuration)"]
    text = " ".join(str(error).split())
    if type(error) is ValueError and text:  # of a value object, which says which value
        return [text]
    return [f"{type(error).__name__}: {text} (debug=true shows where)"]
