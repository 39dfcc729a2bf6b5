"""Run folders: made once, found again, their data kept as it was.

A run folder holds ``.hydra/config.yaml`` and ``overrides.yaml`` (what the run is, written at its
start and never again), ``splits.json`` (which tracks it learns from), ``train.log`` and
``checkpoints/``.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from beatgrid.errors import BeatgridError
from beatgrid.files import temporary_folder, write_json, write_text
from beatgrid.output.logs import PrintableFormatter

logger = logging.getLogger(__name__)

RUNS = Path("outputs/train")
CONFIG = Path(".hydra/config.yaml")
OVERRIDES = Path(".hydra/overrides.yaml")
SPLITS = "splits.json"
LAST, PREVIOUS, INTERRUPTED = "last.ckpt", "previous.ckpt", "interrupted.ckpt"


def begin_run(output_dir: str | Path | None, config: str, overrides: str) -> Path:
    """Make the folder of a new run, its configuration in it.

    Args:
        output_dir: The folder; None for ``outputs/train/<date>`` (``slurm-<job>`` within
            Slurm), numbered where that is taken.
        config: The run's whole configuration, YAML.
        overrides: What of it was asked for, YAML.

    Raises:
        BeatgridError: ``output_dir`` holds a run, or it cannot be written to.
    """
    try:
        if output_dir is None:
            folder = _new_folder(RUNS / _name())
        else:
            folder = Path(output_dir)
            folder.mkdir(parents=True, exist_ok=True)
        _record(folder, {CONFIG.name: config, OVERRIDES.name: overrides})
    except OSError as error:
        raise BeatgridError(
            f"output_dir={output_dir or RUNS}: cannot hold a run ({error.strerror}); name another"
        ) from error
    return folder


def _record(folder: Path, texts: Mapping[str, str]) -> None:
    """Put what a run is into its folder, all at once, unless there is a run in it.

    Raises:
        BeatgridError: There is one, perhaps begun in this moment.
        OSError: It cannot be written.
    """
    try:
        with temporary_folder(folder) as fresh:
            for name, text in texts.items():
                write_text(fresh / name, text)
            os.rename(fresh, folder / CONFIG.parent)
    except OSError as error:
        # A folder takes the place of an empty one only; which of these it says is the system's.
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise BeatgridError(
                f"output_dir={folder}: holds a run already; resume={folder} goes on with it, "
                "or name another folder"
            ) from error
        raise


def _new_folder(path: Path) -> Path:
    """Make ``path``, or ``path-2`` and so on: a folder that nobody else has made."""
    for number in range(1, 1000):
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise FileExistsError(17, "too many runs in this second")


def requeued_run(output_dir: str | Path | None) -> Path | None:
    """Return the run that this Slurm job began before it was requeued: its command comes again."""
    if int(os.environ.get("SLURM_RESTART_COUNT", 0)) == 0:
        return None
    folder = Path(output_dir) if output_dir else RUNS / _name()
    return folder if (folder / CONFIG).is_file() else None


def _name() -> str:
    """Name a new run: by date, or within Slurm by job, which is the same in all its processes."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive"):
        return f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    return f"slurm-{job}"


@contextlib.contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Append all that is logged in the body to a file."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(PrintableFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def discarded_unless_begun(folder: Path) -> Iterator[None]:
    """Remove the folder where the body ends before training: what is left would be no run."""
    try:
        yield
    except BaseException:
        if not (folder / SPLITS).exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise


def find_run(resume: str | Path | None) -> tuple[Path, Path | None]:
    """Find the run folder that ``resume`` names, and the checkpoint if it names one.

    Args:
        resume: A run folder, or a checkpoint in one; None for the run that was begun last.

    Raises:
        BeatgridError: It names nothing, or what it names belongs to no run.
    """
    if resume is None:
        found = list(RUNS.glob(f"*/{CONFIG}"))
        if not found:
            raise BeatgridError(f"resume=true: no run in {RUNS}; begin one without resume")
        return max(found, key=lambda path: path.stat().st_mtime).parents[1], None
    path = Path(resume)
    if not path.exists():
        raise BeatgridError(f"resume={path}: no such run folder or checkpoint")
    folder = path if path.is_dir() else path.absolute().parents[1]
    if not (folder / CONFIG).is_file():
        remedy = "" if path.is_dir() else f"; init_from={path} begins a new run with its weights"
        raise BeatgridError(f"resume={path}: no run, {folder / CONFIG} is missing{remedy}")
    if path.is_dir():
        return folder, None
    return folder, path


def keep_splits(folder: Path, splits: Mapping[str, Sequence[str]]) -> None:
    """Write ``splits.json``; a run that has one must find the same tracks again.

    Args:
        folder: Of the run.
        splits: The names of the tracks in ``train``, ``val`` and ``test``.

    Raises:
        BeatgridError: It was begun with others: it might learn from what it is judged by.
    """
    path = folder / SPLITS
    if not path.exists():
        write_json(path, splits)
        return
    begun = json.loads(path.read_text())
    changes = []
    for name, now in splits.items():
        before, after = set(begun.get(name, [])), set(now)
        for verb, tracks in (("lacks", before - after), ("has in addition", after - before)):
            if tracks:
                changes.append(f"{name} {verb} {_some(sorted(tracks))}")
    if changes:
        raise BeatgridError(
            f"resume={folder}: the data are split otherwise than in its {SPLITS}: "
            f"{', '.join(changes)}; restore them, or begin a new run (init_from=...)"
        )


def _some(names: Sequence[str], at_most: int = 5) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return " ".join(names[:at_most]) + more


def best_checkpoint(runs_dir: Path) -> Path:
    """Return ``best.ckpt`` of the newest run.

    Raises:
        BeatgridError: No run has one.
    """
    found = list(runs_dir.glob("*/checkpoints/best.ckpt"))
    if not found:
        raise BeatgridError(
            f"{runs_dir}: no run with checkpoints/best.ckpt in it; "
            "train first (python train.py), or give ckpt=FILE"
        )
    return max(found, key=lambda path: path.stat().st_mtime)
