"""A comparison as tables of text: what the terminal, Markdown and the page show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from beatgrid.comparison.agreement import Alone
from beatgrid.comparison.report import UNBIASED, Report, Value
from beatgrid.comparison.scores import TEMPO_RANGES
from beatgrid.files import printable

DETAILS: Mapping[str, str] = {
    "level_ok": "right level",
    "grid_ok_10": "Grid-OK 10 ms",
    "grid_ok_21": "Grid-OK 21.5 ms",
    "grid_ok_21_multi": "Grid-OK 21.5 ms, x2 forgiven",
    "grid_ok_10" + UNBIASED: "Grid-OK 10 ms, own bias removed",
    "grid_ok_21" + UNBIASED: "Grid-OK 21.5 ms, own bias removed",
    "grid_ok_21_multi" + UNBIASED: "Grid-OK 21.5 ms, x2 forgiven, own bias removed",
    "drift_ok_multi": "drift <= 21.5 ms, x2 forgiven",
    "offbeat": "off-beat",
    "bias_ms": "phase bias, ms",
    "phase_median_ms": "phase error, median, ms",
    "phase_p95_ms": "phase error, 95th percentile, ms",
    "f_measure": "beat F-measure",
    "cmlt": "CMLt",
    "amlt": "AMLt",
    "acc1": "tempo Acc1 (4 %)",
    "acc2": "tempo Acc2 (4 %)",
    "downbeat_accuracy": "downbeat accuracy",
}
"""Statistics in words, in the order of tables."""

_HEADLINE = ("level_ok", "grid_ok_21", "grid_ok_21" + UNBIASED)


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes:
        title: What it is about.
        columns: Header; the first is of the names.
        rows: Cells, as many as columns.
        caption: What else must be known to read it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


def headline(report: Report) -> TextTable:
    """Return the table that fits a terminal: the main rates, or agreement, and what it costs."""
    if report.labelled:
        columns = ["", "level", "@21.5 ms", "no bias", "cpu s"]
        rows = [
            [s.name, *(percent(s.summary.get(key)) for key in _HEADLINE), number(s.cost.cpu_s, 2)]
            for s in report.systems
        ]
        caption = (
            f"{report.n_tracks} tracks, % with 95 % intervals: right tempo level; Grid-OK within "
            "21.5 ms at every beat, as answered and with the system's own median phase removed. "
            "cpu s: for a minute of audio on one core"
        )
        return TextTable("Against the labels", columns, rows, caption)
    own = {a.second: a for a in report.agreements if a.first == report.systems[0].name}
    rows = []
    for s in report.systems:
        agreement = own.get(s.name)
        shares = (agreement.same_tempo, agreement.same_beats) if agreement else (None, None)
        rows.append([s.name, *map(share, shares), number(s.cost.cpu_s, 2)])
    caption = (
        f"{report.n_tracks} tracks: % on which a system has {report.systems[0].name}'s tempo "
        "within 2 %, and its beats within a quarter of a period"
    )
    return TextTable("Agreement", ["", "same tempo", "same beats", "cpu s"], rows, caption)


def pairs(report: Report, by: str) -> TextTable:
    """Return who wins which tracks, by one statistic."""
    rows = []
    for pair in report.pairs:
        if pair.by != by:
            continue
        p = pair.pairing
        counts = map(str, (p.n_both, p.n_first_only, p.n_second_only, p.n_neither))
        interval = "" if p.interval is None else _span(*_scaled(p.interval, 100), "+.0f")
        rows.append([pair.peer, *counts, f"{100 * p.difference:+.0f} {interval}", _p(p.p_value)])
    return TextTable(
        f"beatgrid and each peer on the same tracks: {DETAILS[by]}",
        ["", "both", "only bg", "only peer", "neither", "difference %", "p"],
        rows,
        "bg: beatgrid. Difference with a paired 95 % interval; p: McNemar's exact test",
    )


def by_tempo(report: Report, key: str) -> TextTable:
    """Return one rate by range of the true tempo."""
    counts = [
        next((s.by_tempo[name]["n_tracks"] for s in report.systems if s.by_tempo), 0)
        for name, _, _ in TEMPO_RANGES
    ]
    columns = [f"{name} ({n})" for (name, _, _), n in zip(TEMPO_RANGES, counts, strict=True)]
    rows = []
    for s in report.systems:
        values = [s.by_tempo[name].get(key) for name, _, _ in TEMPO_RANGES if s.by_tempo]
        rows.append([s.name, *(percent(v if isinstance(v, Value) else None) for v in values)])
    return TextTable(f"{DETAILS[key]}, by the true tempo", ["", *columns], rows)


def alone(report: Report, n: int | None = None) -> TextTable:
    """Return the tracks on which others agree against beatgrid, the most agreeing first."""
    true = {track["track"]: track.get("bpm") for track in report.tracks}
    rows = [
        [
            printable(a.track),
            number(a.bpm, 2),
            f"{a.others_bpm:.2f}",
            *([number(true[a.track], 2)] if report.labelled else []),
            _differs(a),
            f"{len(a.others)} of {a.n_asked}",
        ]
        for a in report.alone[:n]
    ]
    n_more = len(report.alone) - len(rows)
    label = ["label"] if report.labelled else []
    return TextTable(
        "Where beatgrid stands alone" + ("" if report.labelled else ", to be checked by ear"),
        ["", "beatgrid", "others", *label, "differs", "agree"],
        rows,
        f"{n_more} more in comparison.md" if n_more else "",
    )


def tables(report: Report) -> Iterator[TextTable]:
    """Yield every table of the comparison."""
    if not report.n_tracks:
        return
    yield headline(report)
    if report.labelled:
        yield details(report)
        for by in dict.fromkeys(pair.by for pair in report.pairs):
            yield pairs(report, by)
        for key in ("level_ok", "grid_ok_21"):
            yield by_tempo(report, key)
        yield levels(report)
    yield costs(report)
    yield _agreement_matrix(report)
    if report.alone:
        yield alone(report)
    yield _systems(report)


def details(report: Report) -> TextTable:
    """Return every statistic of every system, with intervals where there are."""
    rows = [
        [words, *(cell(key, s.summary.get(key)) for s in report.systems)]
        for key, words in DETAILS.items()
    ]
    caption = (
        "Rates in %, of all tracks; 95 % bootstrap intervals over tracks. F-measure, CMLt, AMLt "
        "are of a system's own beats, all else of the grid through them."
    )
    return TextTable("All statistics", ["", *(s.name for s in report.systems)], rows, caption)


def levels(report: Report) -> TextTable:
    """Return how many tracks each system has at each level."""
    names = list(next(iter(report.systems)).levels)
    rows = [[s.name, *(str(s.levels.get(name, 0)) for name in names)] for s in report.systems]
    return TextTable("Tracks at each level: estimated over true tempo", ["", *names], rows)


def costs(report: Report) -> TextTable:
    """Return what each system takes."""
    rows = [
        [
            s.name,
            number(s.cost.wall_s, 2),
            number(s.cost.cpu_s, 2),
            number(s.cost.peak_mb, 0),
            number(s.cost.size_mb, 0),
            str(s.n_failed),
            str(s.n_none),
        ]
        for s in report.systems
    ]
    return TextTable(
        "Cost",
        ["", "wall s", "cpu s", "peak MB", "disk MB", "failed", "nothing found"],
        rows,
        "Seconds for a minute of audio on one core, median over tracks, from a WAV file on, "
        "without start-up; peak memory of the process on any track; packages on disk",
    )


def _agreement_matrix(report: Report) -> TextTable:
    names = [s.name for s in report.systems]
    same = {frozenset((a.first, a.second)): a.same_tempo for a in report.agreements}
    rows = [[one, *(share(same.get(frozenset((one, other)))) for other in names)] for one in names]
    return TextTable(
        "Same tempo", ["", *names], rows, "% of the tracks, within 2 %; no labels needed"
    )


def _systems(report: Report) -> TextTable:
    rows = [[s.name, s.version, s.kind, s.about, s.licence] for s in report.systems]
    return TextTable("Systems", ["", "version", "answers", "method", "licence"], rows)


def percent(value: Value | None) -> str:
    """Return a rate in percent, with its interval: ``88 (80..95)``."""
    if value is None or value.value is None:
        return "-"
    text = f"{100 * value.value:.0f}"
    return (
        text if value.interval is None else f"{text} {_span(*_scaled(value.interval, 100), '.0f')}"
    )


def cell(key: str, value: Value | None) -> str:
    """Return a statistic with its interval, in percent or milliseconds."""
    if value is None or value.value is None:
        return "-"
    scale, form = (
        (1, "+.1f" if key == "bias_ms" else ".1f") if key.endswith("_ms") else (100, ".1f")
    )
    text = f"{scale * value.value:{form}}"
    if value.interval is None:
        return text
    return f"{text} {_span(*_scaled(value.interval, scale), form)}"


def number(value: float | None, decimals: int) -> str:
    """Return a number; a dash where it is not known."""
    return "-" if value is None else f"{value:.{decimals}f}"


def share(value: float | None) -> str:
    """Return a share in percent; a dash where it is not known."""
    return "-" if value is None else f"{100 * value:.0f}"


def _differs(a: Alone) -> str:
    if a.about == "beat":
        return "between beats"
    return "no tempo" if a.bpm is None else f"tempo x {a.ratio}"


def _scaled(interval: tuple[float, float], scale: float) -> tuple[float, float]:
    return scale * interval[0], scale * interval[1]


def _span(low: float, high: float, form: str) -> str:
    return f"({low:{form}}..{high:{form}})"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"
