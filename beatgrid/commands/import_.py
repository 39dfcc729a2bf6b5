"""Grids from the files of other programs: ``beatgrid import ~/StepMania/Songs out=labels``."""

from __future__ import annotations

import functools
import sys
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from beatgrid.commands.cli import entry, exit_if_failed, output_folder, progress
from beatgrid.errors import BeatgridError
from beatgrid.files import printable
from beatgrid.importers.find import chosen_formats, find_sources
from beatgrid.importers.importer import Importer
from beatgrid.importers.options import ImportOptions
from beatgrid.importers.outcome import CSV, FAILED, UNCHANGED, WRITTEN
from beatgrid.importers.report import print_outcomes


@entry(
    "import",
    paths=("from", "out", "import.audio_dir", "import.unpack"),
    positional="from",
)
def main(cfg: DictConfig) -> None:
    """Read every file, write a label for each audio file, and print what became of all."""
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    formats = chosen_formats(plain["format"])
    options = ImportOptions(**plain["import"])
    out = output_folder(cfg.out)
    importer = Importer(out, options, _fail)
    for source, format in find_sources(plain["from"], formats, importer.refuse):
        importer.read(source, format)
    if not importer.n_audio and not importer.outcomes:
        raise BeatgridError(
            f"from={plain['from']}: holds no file of a format that is read here; "
            "beatgrid import --help lists them"
        )
    importer.write(functools.partial(progress, description="importing"))
    print_outcomes(importer.outcomes)
    print(f"{printable(out / CSV)} has them all")
    counts = importer.counts()
    if counts[WRITTEN] or counts[UNCHANGED]:
        where = printable(importer.audio_dir or "")
        print(f"check them: beatgrid audit data.audio_dir={where} data.label_dir={printable(out)}")
    exit_if_failed(counts[FAILED], len(importer.outcomes))


def _fail(line: str) -> None:
    print(f"error: {printable(line)}", file=sys.stderr)
