"""Grids for other programs: ``beatgrid export grids/ format=[rekordbox,midi] out=...``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from beatgrid.commands.cli import entry, exit_if_failed, output_folder, progress
from beatgrid.export.exporter import Exporter, chosen_formats
from beatgrid.export.options import ExportOptions
from beatgrid.export.results import FoundResult, find_results
from beatgrid.files import printable
from beatgrid.library import accept_audio
from beatgrid.output.index import NAME, ResultIndex


@entry("export", paths=("results", "out", "export.merge"), positional="results")
def main(cfg: DictConfig) -> None:
    """Export the results that are there, and say how many files that made."""
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    formats = chosen_formats(plain["format"])
    options = ExportOptions(**plain["export"])
    results = find_results(plain["results"])
    # Without ``out`` exports lie beside their results: each named folder is one of exports.
    folders: dict[Path, list[FoundResult]] = {}
    for result in results:
        folder = result.folder if cfg.out is None else output_folder(cfg.out)
        folders.setdefault(folder, []).append(result)
    failed = 0
    with ExitStack() as stack:
        retagged = _retagged({result.folder for result in results}, stack)
        exporters = {
            folder: stack.enter_context(
                Exporter(folder, formats, options, _print("warning"), _print("error"), retagged)
            )
            for folder in folders
        }
        for folder, exporter in exporters.items():
            for result in progress(folders[folder], "exporting"):
                exporter.add_result(result.path, result.place, result.audio)
            exporter.finish((result.path, result.audio) for result in folders[folder])
            failed += exporter.failed
            counts = ", ".join(f"{n} {name}" for name, n in exporter.written.items() if n)
            print(f"{counts or 'nothing'} in {printable(folder)}")
    exit_if_failed(failed, len(results) * len(formats))


def _retagged(folders: Iterable[Path], stack: ExitStack) -> Callable[[Path], None]:
    """Return what tells the indexes of folders with results that an audio file has new tags."""
    indexes = [
        stack.enter_context(ResultIndex(folder)) for folder in folders if (folder / NAME).exists()
    ]

    def accept(audio: Path) -> None:
        for index in indexes:
            accept_audio(index, audio)

    return accept


def _print(kind: str) -> Callable[[str], None]:
    def show(line: str) -> None:
        print(f"{kind}: {line}", file=sys.stderr)

    return show
