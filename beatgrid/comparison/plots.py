"""Plots of a comparison as inline SVG; colours come from the page's style sheet."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence

from beatgrid.comparison import svg
from beatgrid.comparison.report import UNBIASED, Report, SystemReport, Value

_ROW = 26
_LABEL = 150
_PANEL = 170
_GAP = 44
_TOP = 34
_LEVEL_CLASSES = {
    **{"ok": "good", "2": "double", "1/2": "half"},
    **dict.fromkeys(("3/2", "2/3", "4/3", "3/4"), "ratio"),
    **{"other": "other", "none": "none"},
}
_PHASE_LIMIT_MS = 60.0


def rates(report: Report) -> str:
    """Return the main rates of each system with their intervals, in panels side by side."""
    panels = (
        ("level_ok", "right level"),
        ("grid_ok_21", "Grid-OK 21.5 ms"),
        ("grid_ok_21" + UNBIASED, "own bias removed"),
        ("f_measure", "beat F-measure"),
    )
    width = _LABEL + len(panels) * (_PANEL + _GAP)
    parts = list(_names(report.systems))
    for i, (key, title) in enumerate(panels):
        left = _LABEL + i * (_PANEL + _GAP)
        parts += _panel(left, len(report.systems), title, ("0", "50", "100 %"))
        for j, system in enumerate(report.systems):
            value = system.summary.get(key)
            if value is None or value.value is None:
                continue
            y = _middle(j)
            x = left + _PANEL * value.value
            if value.interval is not None:
                low, high = (left + _PANEL * end for end in value.interval)
                parts.append(svg.line(low, y, high, y, "whisker"))
            parts.append(svg.dot(x, y, 4.5, _own(system), f"{system.name}: {_in_words(value)}"))
    return svg.svg(width, _height(len(report.systems)), "Rates with 95 % intervals", parts)


def cost_and_level(report: Report) -> str:
    """Return processor time against the share of right levels."""
    shown = [
        (system, system.cost.cpu_s, level.value)
        for system in report.systems
        if system.cost.cpu_s
        and (level := system.summary.get("level_ok"))
        and level.value is not None
    ]
    if not shown:
        return ""
    width, height, left, bottom, right = 760, 340, 60, 46, 150
    low = math.floor(math.log10(min(cpu_s for _, cpu_s, _ in shown)))
    high = max(math.ceil(math.log10(max(cpu_s for _, cpu_s, _ in shown))), low + 1)
    worst = min(value for _, _, value in shown)
    base = max(math.floor(10 * worst - 0.5) / 10, 0.0)

    def x_of(cpu_s: float) -> float:
        return left + (width - left - right) * (math.log10(cpu_s) - low) / (high - low)

    def y_of(value: float) -> float:
        return height - bottom - (height - bottom - 16) * (value - base) / (1 - base)

    parts = []
    for decade in range(low, high + 1):
        x = x_of(10.0**decade)
        parts.append(svg.line(x, 16, x, height - bottom, "rule"))
        parts.append(svg.text(x, height - bottom + 18, f"{10.0**decade:g}", "middle"))
    for tenth in range(round(10 * base), 11):
        y = y_of(tenth / 10)
        parts.append(svg.line(left, y, width - right, y, "rule"))
        parts.append(svg.text(left - 8, y + 4, f"{10 * tenth} %", "end"))
    middle = (left + width - right) / 2
    parts.append(
        svg.text(middle, height - 8, "processor seconds for a minute of audio, one core", "middle")
    )
    # Labels of systems at nearly the same place go one below the other.
    taken: list[tuple[float, float]] = []
    for system, cpu_s, value in sorted(shown, key=lambda found: -found[2]):
        x, y = x_of(cpu_s), y_of(value)
        label_y = y + 4
        while any(abs(label_y - ty) < 14 and abs(x - tx) < 130 for tx, ty in taken):
            label_y += 14
        taken.append((x, label_y))
        title = f"{system.name}: {100 * value:.1f} %, {cpu_s:.2f} s"
        parts.append(svg.dot(x, y, 5.5, _own(system), title))
        parts.append(svg.text(x + 10, label_y, system.name))
    return svg.svg(width, height, "Right level against processor time", parts)


def phases(report: Report) -> str:
    """Return the signed phase of each track on the beat, one strip for each system.

    What is farther than the axis reaches stands at its end.
    """
    systems = [s for s in report.systems if s.kind != "tempo"]
    width = 780
    left, right = _LABEL, width - 40

    def x_of(phase_ms: float) -> float:
        clipped = max(-_PHASE_LIMIT_MS, min(_PHASE_LIMIT_MS, phase_ms))
        return left + (right - left) * (clipped + _PHASE_LIMIT_MS) / (2 * _PHASE_LIMIT_MS)

    parts = list(_names(systems))
    bottom = _height(len(systems)) - 20
    for tick in range(-60, 61, 20):
        parts.append(svg.line(x_of(tick), _TOP - 8, x_of(tick), bottom, "rule"))
        parts.append(svg.text(x_of(tick), _TOP - 14, f"{tick:+d} ms" if tick else "0", "middle"))
    for j, system in enumerate(systems):
        for i, row in enumerate(report.tracks):
            found = row["systems"][system.name]
            phase_ms = found.get("phase_ms")
            if found.get("level") != "ok" or found.get("offbeat") or phase_ms is None:
                continue
            y = _middle(j) + 3.5 * (i % 5 - 2)
            title = f"{row['track']}: {phase_ms:+.1f} ms"
            parts.append(svg.dot(x_of(phase_ms), y, 2.6, f"{_own(system)} faint", title))
        bias = system.summary.get("bias_ms")
        if bias is not None and bias.value is not None:
            x = x_of(bias.value)
            parts.append(svg.line(x, _middle(j) - 11, x, _middle(j) + 11, "median"))
    return svg.svg(width, bottom + 10, "Phase of each track that is on the beat", parts)


def levels(report: Report) -> str:
    """Return the shares of tracks at each level as stacked bars."""
    width = 760
    left, right = _LABEL, width - 20
    parts = list(_names(report.systems))
    for j, system in enumerate(report.systems):
        x = float(left)
        for level, count in system.levels.items():
            if not count:
                continue
            share = (right - left) * count / report.n_tracks
            title = f"{system.name}: {count} tracks at {level}"
            parts.append(svg.bar(x, _middle(j) - 8, share, 16, _LEVEL_CLASSES[level], title))
            if share > 22:
                parts.append(
                    svg.text(x + share / 2, _middle(j) + 4, str(count), "middle", "inside")
                )
            x += share
    return svg.svg(width, _height(len(report.systems)) - 16, "Levels of the tempi", parts)


def wins(report: Report, by: str) -> str:
    """Return the tracks that only beatgrid, or only a peer, has right."""
    shown = [pair for pair in report.pairs if pair.by == by]
    if not shown:
        return ""
    width = 760
    middle = (_LABEL + width - 20) / 2
    half = (width - 20 - _LABEL) / 2 - 34
    most = max(max(pair.pairing.n_first_only, pair.pairing.n_second_only) for pair in shown)
    parts = [
        svg.text(middle - 8, _TOP - 14, "only the peer", "end"),
        svg.text(middle + 8, _TOP - 14, "only beatgrid"),
    ]
    for j, pair in enumerate(shown):
        y = _middle(j)
        parts.append(svg.text(_LABEL - 12, y + 4, pair.peer, "end"))
        for count, sign, style in (
            (pair.pairing.n_first_only, 1, "own"),
            (pair.pairing.n_second_only, -1, "peer"),
        ):
            length = half * count / max(most, 1)
            x = middle if sign > 0 else middle - length
            parts.append(svg.bar(x, y - 8, length, 16, style, f"{pair.peer}: {count} tracks"))
            anchor = "start" if sign > 0 else "end"
            parts.append(svg.text(middle + sign * (length + 6), y + 4, str(count), anchor))
    parts.append(svg.line(middle, _TOP - 6, middle, _middle(len(shown) - 1) + 13, "axis"))
    return svg.svg(width, _height(len(shown)) - 16, "Tracks that only one of both has right", parts)


def agreement(report: Report) -> str:
    """Return which share of the tracks each two systems give the same tempo."""
    names = [system.name for system in report.systems]
    cell = 44
    left, top = _LABEL, 112
    parts: list[str] = []
    for i, name in enumerate(names):
        parts.append(svg.text(left - 12, top + cell * i + cell / 2 + 4, name, "end"))
        x = left + cell * i + cell / 2 + 4
        parts.append(
            f'<text x="{x:.1f}" y="{top - 8}" transform="rotate(-45 {x:.1f} {top - 8})">'
            f"{html.escape(name)}</text>"
        )
    for found in report.agreements:
        if found.same_tempo is None:
            continue
        for one, two in ((found.first, found.second), (found.second, found.first)):
            x, y = left + cell * names.index(two), top + cell * names.index(one)
            title = f"{one}, {two}: {100 * found.same_tempo:.0f} % of {found.n_tracks} tracks"
            parts.append(
                f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" rx="3" class="heat" '
                f'fill-opacity="{0.05 + 0.85 * found.same_tempo:.2f}">'
                f"<title>{html.escape(title)}</title></rect>"
            )
            text = f"{100 * found.same_tempo:.0f}"
            style = "inside" if found.same_tempo > 0.55 else ""
            parts.append(svg.text(x + cell / 2 - 1, y + cell / 2 + 4, text, "middle", style))
    size = left + cell * len(names)
    return svg.svg(size + 60, top + cell * len(names) + 4, "Same tempo, % of the tracks", parts)


def _names(systems: Sequence[SystemReport]) -> Iterable[str]:
    for i, system in enumerate(systems):
        yield svg.text(_LABEL - 12, _middle(i) + 4, system.name, "end")


def _panel(left: float, n_rows: int, title: str, ticks: Sequence[str]) -> list[str]:
    bottom = _middle(n_rows - 1) + 13
    parts = [svg.text(left, _TOP - 14, title, "start", "title")]
    for i, tick in enumerate(ticks):
        x = left + _PANEL * i / (len(ticks) - 1)
        parts.append(svg.line(x, _TOP - 6, x, bottom, "rule"))
        parts.append(svg.text(x, bottom + 15, tick, "middle"))
    return parts


def _middle(row: int) -> float:
    return _TOP + _ROW * (row + 0.5)


def _height(n_rows: int) -> float:
    return _TOP + _ROW * n_rows + 26


def _own(system: SystemReport) -> str:
    return "own" if system.name == "beatgrid" else "peer"


def _in_words(value: Value) -> str:
    assert value.value is not None
    text = f"{100 * value.value:.1f} %"
    if value.interval is None:
        return text
    low, high = value.interval
    return f"{text} ({100 * low:.1f} to {100 * high:.1f})"


PLOTS: Sequence[tuple[str, Callable[[Report], str], bool]] = (
    ("Rates", rates, True),
    ("Tempo level", levels, True),
    (
        "Who wins which tracks: Grid-OK 21.5 ms, own bias removed",
        lambda report: wins(report, "grid_ok_21" + UNBIASED),
        True,
    ),
    ("Phase: estimated less true beat, at mid-track", phases, True),
    ("What it costs", cost_and_level, True),
    ("Same tempo", agreement, False),
)
"""Title and plot, and whether it needs labels."""
