"""Render labelled music from seeds straight to features.

```
beatgrid render out_dir=data/rendered hours.own=24 num_workers=2
```

Stop it at any time and start it again: complete pieces are not rendered twice.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from omegaconf import DictConfig

from beatgrid.audio.features import FeatureSpec
from beatgrid.commands.cli import entry, exit_if_failed
from beatgrid.errors import BeatgridError
from beatgrid.files import check_writable, printable
from beatgrid.processes import Failure, results
from beatgrid.rendering.progress import Progress
from beatgrid.rendering.sources import SOURCES, source_module
from beatgrid.rendering.store import Job, jobs_for, prepare_folder, render_job

# Renderers keep sounds in memory; a fresh process now and then bounds what they leak.
_PIECES_PER_PROCESS = 100


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
        failed += _render_all(source, jobs, cfg)
        total += len(jobs)
    exit_if_failed(failed, total)


def _render_all(source: str, jobs: list[Job], cfg: DictConfig) -> int:
    """Render the pieces that have no label yet; return how many failed."""
    missing = [job for job in jobs if not job.is_done]
    failed = 0
    with Progress(source, jobs, missing) as progress:
        done = results(_renderer, missing, cfg.num_workers, jobs_per_process=_PIECES_PER_PROCESS)
        with contextlib.closing(done):
            for job, error in done:
                if error is not None:
                    failed += 1
                    if isinstance(error, Failure):
                        error = f"{job.name}: {error.reason}"
                    print(f"error: {printable(error)}", file=sys.stderr)
                    check_writable(cfg.out_dir, "out_dir")  # no other piece could be written
                progress.advance(job)
    return failed


def _renderer() -> Callable[[Job], str | None]:
    return render_job
