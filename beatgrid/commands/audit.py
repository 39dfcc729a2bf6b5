"""Hold labels against their music: ``python audit.py data.audio_dir=... data.label_dir=...``."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

import beatgrid
from beatgrid.activation.source import ActivationSource
from beatgrid.audit import copies, report
from beatgrid.audit.run import audit_tracks, unreadable, with_clocks, write_corrections
from beatgrid.audit.suspects import Suspects
from beatgrid.audit.track import AuditedLabel, auditor
from beatgrid.commands.cli import entry, output_folder, progress, shows_trace
from beatgrid.commands.labelled import NO_GROUP, TRACK_PATHS, labelled_tracks
from beatgrid.commands.workers import workers_that_pay
from beatgrid.errors import LabelError
from beatgrid.files import printable
from beatgrid.predictor import load

# In the folder ``out``.
_SUSPECTS, _LABELS = "suspects", "labels"


@entry("audit", paths=(*TRACK_PATHS, "ckpt", "out"), renamed=NO_GROUP)
def main(cfg: DictConfig) -> None:
    """Audit every label, print the worst, write tables, suspects and corrected copies."""
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    source = _source(plain)  # a mistake in the configuration ends here
    out = output_folder(cfg.out)
    if cfg.fix and cfg.data.audio_dir is not None:
        copies.check_elsewhere(out / _LABELS, Path(cfg.data.label_dir))
    rows: list[AuditedLabel] = []

    def refused(path: Path, error: LabelError) -> None:
        rows.append(unreadable(path, str(error)))
        _say(rows[-1])

    tracks = labelled_tracks(cfg, source.features, failed=refused)
    num_workers = cfg.num_workers
    if num_workers == "auto":
        num_workers = workers_that_pay(len(tracks))
    make = functools.partial(
        auditor,
        functools.partial(_source, plain) if num_workers else lambda: source,
        Path(cfg.data.cache_dir),
    )
    memory_limit = None if cfg.memory_limit_gb is None else round(cfg.memory_limit_gb * 1e9)
    with Suspects(out / _SUSPECTS) as suspects:

        def done(row: AuditedLabel, result: dict[str, Any] | None, trace: str) -> None:
            if result is not None and row.audio is not None:
                suspects.write(row.audio, result)
            if row.verdict.kind == "unreadable":
                _say(row, trace)

        rows += audit_tracks(
            progress(tracks, "auditing"),
            make,
            num_workers,
            done,
            limit_s=cfg.time_limit_s,
            memory_limit_bytes=memory_limit,
        )
    rows, clusters = with_clocks(report.worst_first(rows))
    report.write_csv(out / report.CSV, rows)
    about = {"version": beatgrid.__version__, "model": source.model_id, "settings": plain}
    report.write_json(out / report.JSON, rows, clusters, about)
    report.print_worst(rows, cfg.rows)
    for cluster in clusters:
        print(report.clock_line(cluster, rows))
    counts = ", ".join(f"{n} {kind}" for kind, n in report.counts(rows).items())
    print(f"{len(rows)} labels: {counts}; {printable(out / report.CSV)}")
    if suspects.n_written:
        print(f"hear them: beatgrid review {printable(out / _SUSPECTS)}")
    if cfg.fix:
        written = write_corrections(rows, out / _LABELS)
        print(f"{len(written)} corrected copies in {printable(out / _LABELS)}")
    if report.counts(rows).get("unreadable"):
        sys.exit(1)


def _source(plain: dict[str, Any]) -> ActivationSource:
    keys = ("activation", "backend", "device", "num_threads")
    return load(plain["ckpt"], **{key: plain[key] for key in keys}).source


def _say(row: AuditedLabel, trace: str = "") -> None:
    print(f"error: {printable(row.verdict.reason)}", file=sys.stderr)
    if trace and shows_trace():
        print(trace.rstrip(), file=sys.stderr)
