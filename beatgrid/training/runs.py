"""Run folders ``outputs/train/<date>/``: the newest checkpoint among them."""

from __future__ import annotations

from pathlib import Path

from beatgrid.errors import BeatgridError


def newest(runs_dir: Path, name: str) -> Path | None:
    """The latest written ``checkpoints/<name>`` of the runs in ``runs_dir``, or None."""
    found = list(runs_dir.glob(f"*/checkpoints/{name}"))
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def best_checkpoint(runs_dir: Path) -> Path:
    """``best.ckpt`` of the newest run.

    Raises:
        BeatgridError: No run has one.
    """
    return _newest(runs_dir, "best.ckpt", "train first (python train.py), or give ckpt=FILE")


def last_checkpoint(runs_dir: Path) -> Path:
    """``last.ckpt`` of the newest run.

    Raises:
        BeatgridError: No run has one.
    """
    return _newest(runs_dir, "last.ckpt", "there is no run to resume; leave resume=true out")


def _newest(runs_dir: Path, name: str, remedy: str) -> Path:
    path = newest(runs_dir, name)
    if path is None:
        raise BeatgridError(f"{runs_dir}: no run with checkpoints/{name} in it; {remedy}")
    return path
