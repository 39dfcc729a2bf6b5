"""Find beatgrids: ``python predict.py audio=<file | folder | glob | @list | [several]>``."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
from collections.abc import Iterator
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from beatgrid.audio.find import find_audio
from beatgrid.commands.cli import entry, load_predictor, output_folder, shows_trace
from beatgrid.commands.progress import LibraryProgress
from beatgrid.commands.workers import workers_that_pay
from beatgrid.errors import BeatgridError
from beatgrid.files import content_hash, printable
from beatgrid.library import Library, finder, method_hash
from beatgrid.output.index import ResultIndex
from beatgrid.output.summary import FAILED, write_summary
from beatgrid.predictor import find_checkpoint


@entry("predict", paths=("audio", "ckpt", "out"))
def main(cfg: DictConfig) -> None:
    """Predict each file, write its JSON and PNG, and print a table at the end."""
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    predictor = load_predictor(cfg)  # a mistake in the configuration ends here
    audio_files = find_audio(plain["audio"])
    num_workers = cfg.num_workers
    if num_workers == "auto":
        num_workers = workers_that_pay(len(audio_files))
    settings = {key: plain[key] for key in ("activation", "grid", "hint")}
    is_network = cfg.activation == "network"
    method = method_hash(
        content_hash(find_checkpoint(cfg.ckpt)) if is_network else cfg.activation, settings
    )
    make = functools.partial(
        finder,
        functools.partial(load_predictor, cfg) if num_workers else lambda: predictor,
        settings,
        method,
        cfg.picture,
        cfg.num_threads,
    )
    folder = output_folder(cfg.out)
    progress = LibraryProgress(len(audio_files), show_trace=shows_trace())
    memory_limit = None if cfg.memory_limit_gb is None else round(cfg.memory_limit_gb * 1e9)
    with (
        ResultIndex(folder) as index,
        _terminated_as_interrupted(),
        _summed_up(index, progress, cfg.out),
        progress,
    ):
        library = Library(folder, index, method, cfg.picture, progress.report)
        library.run(
            audio_files,
            make,
            num_workers,
            limit_s=cfg.time_limit_s,
            memory_limit_bytes=memory_limit,
        )
    if progress.failed:
        print(
            f"error: {len(progress.failed)} of {len(audio_files)} files failed; try them again "
            f"with audio=@{printable(folder / FAILED)}",
            file=sys.stderr,
        )
        sys.exit(1)


@contextlib.contextmanager
def _summed_up(index: ResultIndex, progress: LibraryProgress, out: str) -> Iterator[None]:
    """Leave summary and table at the end of a run, whatever ends it."""
    try:
        yield
    except BaseException:  # what ended the run is to be told, not what follows from it
        with contextlib.suppress(OSError, BeatgridError):
            write_summary(index, progress.failed)
        _print_found(progress, out)
        raise
    _print_found(progress, out)
    try:
        write_summary(index, progress.failed)
    except OSError as error:
        raise BeatgridError(
            f"out={out}: the summary cannot be written ({error.strerror or error}); "
            "the results are complete: make room and start again"
        ) from error


def _print_found(progress: LibraryProgress, out: str) -> None:
    progress.print_table()
    if progress.n_found:
        noun = "file" if progress.n_found == 1 else "files"
        print(f"{progress.n_found} {noun} in {printable(out)}")


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """End the run on a batch system's SIGTERM as Ctrl-C does, with status 143."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
