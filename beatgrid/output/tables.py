"""Tables for the terminal: narrow enough, one line for each track."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from beatgrid.evaluation import ReliabilityBin, TrackScore
from beatgrid.output.result import displayable

MIN_NAME_CELLS = 12
_ELLIPSIS = "…"

Justify = Literal["left", "right"]

SUMMARY_LABELS = {
    "n_tracks": "tracks",
    "level_ok": "right level",
    "grid_ok_10": "Grid-OK 10 ms",
    "grid_ok_21": "Grid-OK 21.5 ms",
    "grid_ok_10_multi": "Grid-OK 10 ms, x2 forgiven",
    "grid_ok_21_multi": "Grid-OK 21.5 ms, x2 forgiven",
    "drift_ok_multi": "drift <= 21.5 ms, x2 forgiven",
    "offbeat": "off-beat",
    "bias_ms": "phase bias (median)",
    "phase_median_ms": "phase error, median",
    "phase_p95_ms": "phase error, 95th percentile",
    "f_measure": "beat F-measure",
    "cmlt": "CMLt",
    "amlt": "AMLt",
    "acc1": "tempo Acc1 (4 %)",
    "acc2": "tempo Acc2 (4 %)",
    "downbeat_accuracy": "downbeat accuracy",
    "confidence_auroc": "AUROC of confidence",
}
"""The summary's keys in words."""


def shorten_middle(name: str, cells: int) -> str:
    """Cut a name in its middle to fit a number of terminal cells.

    The end holds what tells files apart (mix, number, suffix), the beginning the artist. Control
    characters are replaced; wide characters (日) count as two cells.
    """
    name = "".join(c if c.isprintable() else "�" for c in displayable(name))
    if cell_len(name) <= cells:
        return name
    room = cells - cell_len(_ELLIPSIS)
    if room <= 0:
        return _ELLIPSIS[:cells]
    head = set_cell_size(name, room - room // 2).rstrip()
    tail = set_cell_size(name[::-1], room // 2)[::-1].lstrip()
    return f"{head}{_ELLIPSIS}{tail}"


def print_results(
    results: Sequence[Mapping[str, Any]], console: Console | None = None, caption: str | None = None
) -> None:
    """Print the grids found: one line for each result of ``grid_result``, or what it says of one.

    Args:
        results: With ``file``, ``bpm``, ``bpm_display``, ``offset_s``, ``downbeat_offset_s``,
            ``confidence``, ``constant_tempo`` and, where there is no grid, ``reason``.
        console: Where to; by default the standard output.
        caption: Stands below.
    """
    rows = []
    names = _short_names([result["file"] for result in results])
    for name, result in zip(names, results, strict=True):
        rows.append((name, result_cells(result)))
    headers = ["BPM", "beat s", "bar s", "conf.", "tempo"]
    justify: list[Justify] = ["right", "right", "right", "right", "left"]
    print_table(rows, headers, justify, console, caption=caption)


def result_cells(result: Mapping[str, Any]) -> list[str]:
    """Return tempo, first beat, first bar, confidence and kind of tempo, as in the table."""
    if result["bpm"] is None:
        why = ": ".join(filter(None, ["no grid", result.get("reason")]))
        return ["-", "-", "-", f"{result['confidence']:.2f}", why]
    downbeat_s = result["downbeat_offset_s"]
    return [
        result["bpm_display"],
        f"{result['offset_s']:.3f}",
        "-" if downbeat_s is None else f"{downbeat_s:.3f}",
        f"{result['confidence']:.2f}",
        "steady" if result["constant_tempo"] else "varies",
    ]


def print_tracks(tracks: Sequence[tuple[str, TrackScore]], console: Console | None = None) -> None:
    """Print true against found tempo and the errors, one line for each (name, score)."""
    rows = []
    names = _short_names([name for name, _ in tracks])
    for name, (_, s) in zip(names, tracks, strict=True):
        rows.append(
            (
                name,
                [
                    f"{s.bpm_true:.3f}",
                    "-" if s.bpm_found is None else f"{s.bpm_found:.3f}",
                    s.level,
                    _milliseconds(s.phase_ms, signed=True),
                    _milliseconds(s.drift_ms),
                    _milliseconds(s.max_error_ms),
                    _verdict(s),
                ],
            )
        )
    headers = ["true", "found", "level", "phase", "drift", "worst", "grid"]
    justify: list[Justify] = ["right", "right", "left", "right", "right", "right", "left"]
    print_table(rows, headers, justify, console, caption="phase, drift and worst beat in ms")


def print_summary(
    summary: Mapping[str, float | None],
    intervals: Mapping[str, tuple[float, float] | None] | None = None,
    console: Console | None = None,
) -> None:
    """Print the sums over tracks in words, in percent and milliseconds.

    Args:
        summary: From ``beatgrid.evaluation.summarise``.
        intervals: Bootstrap interval of some of its keys.
        console: Where to; by default the standard output.
    """
    intervals = intervals or {}
    rows = []
    for key, value in summary.items():
        row = [_summary_value(key, value)]
        if intervals:
            ends = intervals.get(key)
            row.append("" if ends is None else " .. ".join(_summary_value(key, e) for e in ends))
        rows.append((SUMMARY_LABELS.get(key, key), row))
    headers = ["", "95 % interval"] if intervals else [""]
    print_table(rows, headers, ["right"] * len(headers), console, first="all tracks")


def print_groups(
    summaries: Mapping[str, Mapping[str, float | None]],
    title: str,
    console: Console | None = None,
) -> None:
    """Print the main sums of each group of tracks, the largest group first.

    Args:
        summaries: From ``beatgrid.evaluation.summarise``, by the group's name.
        title: What the groups differ in.
        console: Where to; by default the standard output.
    """
    keys = ("n_tracks", "level_ok", "grid_ok_10", "grid_ok_21", "grid_ok_21_multi", "offbeat")
    ordered = sorted(summaries.items(), key=lambda item: -(item[1]["n_tracks"] or 0))
    rows = [
        (name, [_summary_value(key, summary[key]) for key in keys]) for name, summary in ordered
    ]
    headers = ["tracks", "level", "@10", "@21.5", "@21.5 x2", "off-beat"]
    print_table(rows, headers, ["right"] * len(headers), console, first=title)


def print_reliability(
    bins: Sequence[ReliabilityBin],
    console: Console | None = None,
    *,
    items: str = "tracks",
    what: str = "confidence",
) -> None:
    """Print confidence against the share of right grids, bin by bin.

    Args:
        bins: To print.
        console: Where to; by default the terminal.
        items: What is counted.
        what: Name of the probability.
    """
    rows = [
        (
            f"{b.low:.2f} .. {b.high:.2f}",
            [
                str(b.n_tracks),
                "-" if b.confidence is None else f"{b.confidence:.2f}",
                "-" if b.accuracy is None else f"{b.accuracy:.2f}",
            ],
        )
        for b in bins
    ]
    headers = [items, "says", "is right"]
    print_table(rows, headers, ["right"] * 3, console, first=what)


def _milliseconds(value: float | None, signed: bool = False) -> str:
    if value is None:
        return "-"
    # Past a second the digits behind the point only take room.
    decimals = 1 if abs(value) < 1000 else 0
    return f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"


def _verdict(score: TrackScore) -> str:
    if score.grid_ok_10:
        return "ok"
    if score.grid_ok_21:
        return "ok 21"
    if score.grid_ok_21_multi:
        return "x2"
    if score.offbeat:
        return "off-beat"
    return "none" if score.level == "none" else "wrong"


def _summary_value(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    if key == "n_tracks":
        return str(value)
    if key == "bias_ms":
        return f"{value:+.1f} ms"
    if key.endswith("_ms"):
        return f"{value:.1f} ms"
    return f"{value:.3f}" if key == "confidence_auroc" else f"{100 * value:.1f} %"


def _short_names(paths: Sequence[str]) -> list[str]:
    """Return file names without folders; repeated ones below the deepest folder common to all."""
    names = [os.path.basename(path) for path in paths]
    count = Counter(names)
    if len(count) == len(names):
        return names
    absolute = [os.path.abspath(path) for path in paths]
    root = os.path.commonpath([os.path.dirname(path) for path in absolute])
    return [
        name if count[name] == 1 else os.path.relpath(path, root)
        for name, path in zip(names, absolute, strict=True)
    ]


def print_table(
    rows: Sequence[tuple[str, Sequence[str]]],
    headers: Sequence[str],
    justify: Sequence[Justify],
    console: Console | None,
    first: str = "file",
    caption: str | None = None,
) -> None:
    """Print a table whose first column takes what room the others leave.

    rich itself shortens at the end and wraps; both would hide what tells files apart.
    """
    console = console or Console()
    others = [
        max(cell_len(header), *(cell_len(row[i]) for _, row in rows), 0)
        for i, header in enumerate(headers)
    ]
    gap = 2  # one cell of padding and one of the box between two columns
    room = max(console.width - sum(others) - gap * len(others), MIN_NAME_CELLS)
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        caption=caption,
        caption_justify="left",
    )
    table.add_column(first, no_wrap=True, overflow="crop")
    for header, side, width in zip(headers, justify, others, strict=True):
        table.add_column(header, justify=side, no_wrap=True, overflow="crop", min_width=width)
    for name, row in rows:
        # Text, not str: brackets in a name are no markup.
        table.add_row(Text(shorten_middle(name, room)), *(Text(cell) for cell in row))
    console.print(table)
