"""Find beatgrids: ``python predict.py audio=<file | folder | glob | [list]> [ckpt=...]``."""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from beatgrid.audio.find import find_audio
from beatgrid.commands.cli import entry, exit_if_failed, load_predictor, output_folder, progress
from beatgrid.library import Job, finder
from beatgrid.output.result import result_paths
from beatgrid.output.tables import print_results
from beatgrid.processes import Failure, results


@entry("predict", paths=("audio", "ckpt", "out"))
def main(cfg: DictConfig) -> None:
    """Predict each file, write its JSON and PNG, and print a table at the end."""
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    predictor = load_predictor(cfg)  # a mistake in the configuration ends here
    make = functools.partial(
        finder,
        functools.partial(load_predictor, cfg) if cfg.num_workers else lambda: predictor,
        {key: plain[key] for key in ("activation", "grid")},
        cfg.picture,
        cfg.num_threads,
    )
    audio_paths = find_audio(plain["audio"])
    out_paths = result_paths(audio_paths, str(output_folder(cfg.out)))
    jobs = [Job(*paths) for paths in zip(audio_paths, out_paths, strict=True)]
    found = {}
    with contextlib.closing(results(make, jobs, cfg.num_workers)) as done:
        for job, result in progress(done, "finding grids", len(jobs)):
            if isinstance(result, Failure):
                result = f"{job.audio}: {result.reason}"
            if isinstance(result, str):
                print(f"error: {result}", file=sys.stderr)
            else:
                found[job] = result
    if found:
        print_results([found[job] for job in jobs if job in found])
        print(f"{len(found)} {'file' if len(found) == 1 else 'files'} in {cfg.out}")
    exit_if_failed(len(jobs) - len(found), len(jobs))
