"""Hear grids and correct them in a browser: ``python review.py <folder of results or music>``."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from beatgrid.commands.cli import entry, load_predictor, output_folder
from beatgrid.errors import BeatgridError
from beatgrid.files import printable

_NEEDED = ("starlette", "uvicorn")
# What finding grids takes from the command line.
_OPTIONS = ("ckpt", "activation", "backend", "device")


@entry("review", paths=("folder", "out", "audio", "labels", "ckpt"))
def _review(cfg: DictConfig) -> None:
    """Serve the review page until Ctrl-C."""
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise BeatgridError('review: needs a web server; type pip install "beatgrid[review]"')
    from beatgrid.review.finding import Finding, predict_command
    from beatgrid.review.run import Run, is_results
    from beatgrid.review.server import open_browser, serve
    from beatgrid.review.tracks import labels_folder

    folder = Path(cfg.folder)
    if not folder.is_dir():
        raise BeatgridError(f"folder={folder}: no such folder; name one of results or of music")
    finding = None
    if is_results(folder):
        results, music = folder, None
    else:
        results, music = output_folder(cfg.out), folder
        options = {key: cfg[key] for key in _OPTIONS}
        finding = Finding(music, predict_command(music, results, options))
        if not finding.n_files:
            raise BeatgridError(
                f"folder={folder}: holds neither results nor audio; name another folder"
            )
    predictor = load_predictor(cfg)  # a mistake in the configuration ends here
    run = Run(results, music, None if cfg.audio is None else Path(cfg.audio))
    labels = labels_folder(results) if cfg.labels is None else Path(cfg.labels)

    def ready(url: str) -> None:
        print(f"{len(run.rows())} tracks of {printable(folder)}; Ctrl-C ends the review")
        print(url, flush=True)
        if cfg.open:
            open_browser(url)

    serve(run, labels, lambda: predictor, finding, cfg.port, ready)


def main(arguments: Sequence[str] | None = None, program: str | None = None) -> None:
    """Run the command; a folder may stand without ``folder=``."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _review([_named(argument) for argument in arguments], program)


def _named(argument: str) -> str:
    """Return an argument that is a folder as a value of its key."""
    is_folder = not argument.startswith("-") and (
        "=" not in argument or os.path.isdir(os.path.expanduser(argument))
    )
    return f"folder={argument}" if is_folder else argument
