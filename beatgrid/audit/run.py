"""The audit of a data set: every label on its own, then all of them together."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from beatgrid.audio.time_limit import TIME_LIMIT_S, time_limit_s
from beatgrid.audit.clock import Cluster, find_clusters
from beatgrid.audit.copies import write_corrected
from beatgrid.audit.track import AuditedLabel
from beatgrid.audit.verdict import Verdict
from beatgrid.data.labels import SUFFIX
from beatgrid.data.track import Track
from beatgrid.errors import BeatgridError
from beatgrid.processes import Failure, results

Audit = Callable[[Track], "tuple[AuditedLabel, dict[str, Any] | None] | Failure"]


def audit_tracks(
    tracks: Iterable[Track],
    make: Callable[[], Audit],
    num_workers: int,
    report: Callable[[AuditedLabel, dict[str, Any] | None, str], None],
    *,
    limit_s: float | None = TIME_LIMIT_S,
    memory_limit_bytes: int | None = None,
) -> list[AuditedLabel]:
    """Audit labels one by one; what goes wrong with one of them is its verdict.

    Args:
        tracks: As discovered.
        make: Makes the function that audits one, once in each process: ``track.auditor``.
        num_workers: Processes; 0 does all in this one.
        report: Called with each audited label, the result of a suspect, and the traceback of an
            unexpected exception.
        limit_s: Seconds that a short file may take; more for larger ones.
        memory_limit_bytes: What a process may take.

    Returns:
        The audited labels, in any order.
    """

    def limit(track: Track) -> float:
        if limit_s is None:
            return math.inf
        return limit_s if track.audio_path is None else time_limit_s(track.audio_path, limit_s)

    done = results(
        make,
        tracks,
        num_workers,
        time_limit_s=limit,
        memory_limit_bytes=memory_limit_bytes,
    )
    rows: list[AuditedLabel] = []
    with contextlib.closing(done):
        for track, outcome in done:
            if isinstance(outcome, Failure):
                row = unreadable(track.label.path, outcome.reason, track.audio_path)
                result, trace = None, outcome.trace
            else:
                (row, result), trace = outcome, ""
            rows.append(row)
            report(row, result, trace)
    return rows


def unreadable(label: Path, reason: str, audio: Path | None = None) -> AuditedLabel:
    """Return the audit of a label that cannot be held against its audio."""
    return AuditedLabel(label, audio, Verdict("unreadable", 1.0, reason))


def with_clocks(rows: Sequence[AuditedLabel]) -> tuple[list[AuditedLabel], list[Cluster]]:
    """Return the labels with those of a foreign clock named so, and the clocks.

    A decoder's delay is the same for all: the cluster's median corrects its labels more exactly
    than each one's own offset would.
    """
    offsets = [row.number("offset_ms") if _is_off(row) else None for row in rows]
    clusters = find_clusters(offsets)
    found = list(rows)
    for cluster in clusters:
        for i in cluster.labels:
            found[i] = dataclasses.replace(rows[i], verdict=_of_clock(rows[i], cluster))
    return found, clusters


def _is_off(row: AuditedLabel) -> bool:
    """Tell whether a label has an offset, be it beside a graver fault."""
    return "offset" in (row.verdict.kind, *row.verdict.also)


def _of_clock(row: AuditedLabel, cluster: Cluster) -> Verdict:
    verdict = row.verdict
    if verdict.kind != "offset":
        also = tuple("clock" if kind == "offset" else kind for kind in verdict.also)
        return dataclasses.replace(verdict, also=also)
    correction = verdict.correction
    if correction is not None:
        own_s = (row.number("offset_ms") or 0.0) / 1000
        shift_s = cluster.offset_ms / 1000 - own_s
        correction = dataclasses.replace(correction, offset_s=correction.offset_s + shift_s)
    return dataclasses.replace(
        verdict,
        kind="clock",
        reason=f"{verdict.reason}; so are {len(cluster.labels) - 1} other labels "
        f"({cluster.offset_ms:+.1f} ms), as of another decoder",
        correction=correction,
    )


def write_corrections(rows: Sequence[AuditedLabel], folder: Path) -> list[Path]:
    """Write corrected copies of the labels whose fault is beyond doubt.

    Args:
        rows: Audited labels.
        folder: Of the copies; it may not hold the labels.

    Returns:
        The copies.

    Raises:
        BeatgridError: A copy cannot be written.
    """
    copies: list[Path] = []
    for row in rows:
        if row.verdict.correction is None:
            continue
        target = folder / row.label.name
        if not target.name.lower().endswith(SUFFIX):
            continue
        try:
            verdict = row.verdict
            write_corrected(row.label, target, row.verdict.correction, verdict.kind, verdict.reason)
        except OSError as error:
            raise BeatgridError(
                f"{target}: cannot be written ({error.strerror or error}); make room"
            ) from error
        copies.append(target)
    return copies
