"""Find beatgrids: ``python predict.py audio=<file | folder | glob | @list | [several]>``."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from omegaconf import DictConfig, OmegaConf

from beatgrid.activation.shared import shared
from beatgrid.audio.find import find_audio
from beatgrid.cluster.ray_jobs import ray_results
from beatgrid.cluster.shard import Shard
from beatgrid.cluster.shards import ShardIndex, merge, shard_run
from beatgrid.commands.arguments import quoted
from beatgrid.commands.cli import entry, load_predictor, output_folder, shows_trace
from beatgrid.commands.progress import LibraryProgress
from beatgrid.commands.workers import workers_that_pay
from beatgrid.errors import BeatgridError, MissingPackageError
from beatgrid.export.exporter import Exporter, chosen_formats
from beatgrid.export.formats import Format
from beatgrid.export.ledger import exported
from beatgrid.export.options import ExportOptions
from beatgrid.files import printable
from beatgrid.library import ASIDE, Engine, Library, Outcome, accept_audio, finder, method_hash
from beatgrid.output.index import ResultIndex, is_gone
from beatgrid.output.summary import FAILED, write_summary
from beatgrid.predictor import Predictor
from beatgrid.processes import results

if TYPE_CHECKING:
    from beatgrid.activation.network import NetworkSource


@entry(
    "predict",
    paths=("audio", "ckpt", "out", "export.merge"),
    short={"export": "export.formats"},
)
def main(cfg: DictConfig) -> None:
    """Predict each file, write its JSON, PNG and exports, and print a table at the end."""
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    predictor = load_predictor(cfg)  # a mistake in the configuration ends here
    names = plain["export"].pop("formats")
    names = [names] if isinstance(names, str) else names
    formats = chosen_formats([*names, "tag"] if cfg.tag else names)
    options = ExportOptions(**plain["export"])
    shard = None if cfg.shard is None else Shard.parse(cfg.shard)
    if shard is not None and formats:
        raise BeatgridError(
            f"shard={shard}: exports are made of all results, when every shard is done and merged:"
            f" beatgrid export {quoted(cfg.out)} format=..."
        )
    audio_files = find_audio(plain["audio"])
    if exports := exported(Path(cfg.out), (file.path for file in audio_files)):
        audio_files = [file for file in audio_files if file.path not in exports]
    if shard is not None:
        audio_files = shard.of(audio_files)
    picture = _draws_pictures(cfg.picture)
    num_workers = _num_workers(cfg, len(audio_files))
    settings = {key: plain[key] for key in ("activation", "grid", "hint")}
    method = method_hash(predictor.source.weights_hash, settings)
    folder = output_folder(cfg.out)
    progress = LibraryProgress(len(audio_files), show_trace=shows_trace())
    memory_limit = None if cfg.memory_limit_gb is None else round(cfg.memory_limit_gb * 1e9)
    with (
        _own_files(folder, shard, len(audio_files)) as beside,
        _index(folder, shard) as index,
        _exports(index, formats, options, progress) as exporter,
        _terminated_as_interrupted(),
        _summed_up(index, progress, cfg.out, beside),
        progress,
        _loader(cfg, predictor, num_workers) as load,
    ):

        def report(outcome: Outcome) -> None:
            progress.report(outcome)
            record = outcome.record
            if exporter is not None and record.status != "failed":
                exporter.add_result(folder / record.place, record.place, Path(record.audio))

        library = Library(
            folder,
            index,
            method,
            picture,
            report,
            aside=os.path.relpath(beside / ASIDE, folder),
            is_alone=shard is None,
        )
        library.run(
            audio_files,
            functools.partial(finder, load, settings, method, picture),
            num_workers,
            limit_s=cfg.time_limit_s,
            memory_limit_bytes=memory_limit,
            engine=_engine(cfg.workers, index),
        )
        if exporter is not None:
            exporter.finish(_results(index))
    n_unexported = 0 if exporter is None else exporter.failed
    if n_unexported:
        print(f"error: {n_unexported} exports failed, see above", file=sys.stderr)
    if progress.failed:
        print(
            f"error: {len(progress.failed)} of {len(audio_files)} files failed; try them again "
            f"with audio=@{printable(beside / FAILED)}",
            file=sys.stderr,
        )
    if progress.failed or n_unexported:
        sys.exit(1)


def _num_workers(cfg: DictConfig, n_files: int) -> int | None:
    """Return how many processes share the files; None: as many as the cluster has cores.

    Raises:
        BeatgridError: A cluster is to do all in this process, or to share a network.
    """
    if cfg.workers == "ray":
        if cfg.batch_size != 1:
            raise BeatgridError(
                f"batch_size={cfg.batch_size}: the machines of workers=ray share no network; "
                "leave it 1"
            )
        if cfg.num_workers == 0:
            raise BeatgridError("num_workers=0: workers=ray needs one at least, or auto")
        return None if cfg.num_workers == "auto" else cfg.num_workers
    return workers_that_pay(n_files) if cfg.num_workers == "auto" else cfg.num_workers


@contextlib.contextmanager
def _loader(
    cfg: DictConfig, predictor: Predictor, num_workers: int | None
) -> Iterator[Callable[[], Predictor]]:
    """Yield what gives each process its predictor: its own, or one that shares the network here."""
    if num_workers == 0:
        yield lambda: predictor
    elif cfg.batch_size == 1:
        yield functools.partial(load_predictor, cfg)
    else:
        with shared(cast("NetworkSource", predictor.source)) as connect:
            yield functools.partial(load_predictor, cfg, connect)


def _engine(workers: str, index: ResultIndex) -> Engine:
    """Return what does the jobs of a library."""
    if workers == "processes":
        return results
    # Of the machines it is asked whether they see the index, which lies among the results.
    return functools.partial(ray_results, shared=index.path)


@contextlib.contextmanager
def _own_files(folder: Path, shard: Shard | None, n_files: int) -> Iterator[Path]:
    """Yield where the run keeps what is its own: among the results, or in its share's folder."""
    if shard is None:
        yield folder
        return
    with shard_run(folder, shard, n_files) as own:
        yield own


@contextlib.contextmanager
def _index(folder: Path, shard: Shard | None) -> Iterator[ResultIndex]:
    """Open the index of the run, with all that earlier runs over shares of the files have done.

    Raises:
        BeatgridError: Such a run is going on, but this one is over all files.
    """
    if shard is not None:
        with ShardIndex(folder, shard) as index:
            yield index
        return
    with ResultIndex(folder) as whole:
        if running := merge(whole, forget=True).running:
            raise BeatgridError(
                f"out={folder}: shard {running[0]} is being run; wait until it is done, or see "
                f"what there is with beatgrid merge out={quoted(str(folder))}"
            )
        yield whole


@contextlib.contextmanager
def _exports(
    index: ResultIndex,
    formats: Sequence[Format],
    options: ExportOptions,
    progress: LibraryProgress,
) -> Iterator[Exporter | None]:
    """Open the exporter to the folder of results; None where no export is asked for."""
    if not formats:
        yield None
        return

    def warn(line: str) -> None:
        progress.say(f"warning: {line}")

    def fail(line: str) -> None:
        progress.say(f"error: {line}")

    retagged = functools.partial(accept_audio, index)
    with Exporter(index.folder, formats, options, warn, fail, retagged) as exporter:
        yield exporter


def _results(index: ResultIndex) -> Iterator[tuple[Path, Path]]:
    """Yield the results with a grid of all runs into a folder, and their audio."""
    for record in index.records():
        path = index.folder / record.place
        if record.status in ("done", "locked") and path.exists() and not is_gone(record.audio):
            yield path, Path(record.audio)


def _draws_pictures(picture: bool | str) -> bool:
    """Tell whether pictures are drawn: ``auto`` is where matplotlib is installed.

    Raises:
        MissingPackageError: They are asked for, and it is not.
    """
    if picture is False:
        return False
    if importlib.util.find_spec("matplotlib") is not None:
        return True
    if picture == "auto":
        return False
    raise MissingPackageError("picture=true", "matplotlib")


@contextlib.contextmanager
def _summed_up(
    index: ResultIndex, progress: LibraryProgress, out: str, beside: Path
) -> Iterator[None]:
    """Leave summary and table at the end of a run, whatever ends it."""
    try:
        yield
    except BaseException:  # what ended the run is to be told, not what follows from it
        with contextlib.suppress(OSError, BeatgridError):
            write_summary(index, progress.failed, beside)
        _print_found(progress, out)
        raise
    _print_found(progress, out)
    try:
        write_summary(index, progress.failed, beside)
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
