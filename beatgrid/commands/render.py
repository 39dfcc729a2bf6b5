"""Render labelled music from seeds straight to features.

```
beatgrid render out_dir=data/rendered hours.own=24 num_workers=2
```

Stop it at any time and start it again: complete pieces are not rendered twice.
"""

from __future__ import annotations

import sys

from omegaconf import DictConfig

from beatgrid.audio.features import FeatureSpec
from beatgrid.commands.cli import entry, exit_if_failed
from beatgrid.errors import BeatgridError
from beatgrid.files import check_writable
from beatgrid.rendering.batch import render_missing
from beatgrid.rendering.sources import SOURCES, source_module
from beatgrid.rendering.store import jobs_for, prepare_folder


@entry("render", paths=("out_dir",))
def main(cfg: DictConfig) -> None:
    """Render what is missing, with a progress line per source."""
    spec = FeatureSpec(**cfg.features)
    if unknown := set(cfg.hours) - set(SOURCES):
        raise BeatgridError(f"hours.{min(unknown)}: no such source; known are {', '.join(SOURCES)}")
    if not any(hours > 0 for hours in cfg.hours.values()):
        raise BeatgridError("nothing to render: say how much, for instance hours.own=1")
    failed = total = 0
    for source in SOURCES:
        hours = cfg.hours.get(source, 0)
        if hours <= 0:
            continue
        if missing := source_module(source).missing_tools():
            print(
                f"{source}: skipped, {', '.join(missing)} missing; "
                "experiments/corpus/install.sh installs it",
                file=sys.stderr,
            )
            continue
        jobs = jobs_for(
            cfg.out_dir,
            source,
            hours,
            spec,
            cfg.keep_audio,
            cfg.held_out,
            cfg.first_seed,
            cfg.genres,
        )
        check_writable(cfg.out_dir, "out_dir")
        prepare_folder(jobs[0])
        failed += render_missing(jobs, cfg.num_workers)
        total += len(jobs)
    exit_if_failed(failed, total)
