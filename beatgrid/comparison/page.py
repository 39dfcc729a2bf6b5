"""A comparison as one HTML page that needs nothing else: no script, no request, light and dark."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

from beatgrid.comparison import plots
from beatgrid.comparison.report import Report
from beatgrid.comparison.tables import TextTable, tables
from beatgrid.files import printable, write_text

_STYLE = Path(__file__).with_name("page.css")
# Nothing but the page's own style: a track's name can be no more than text.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_page(path: Path, report: Report) -> None:
    """Write the page, atomically."""
    write_text(path, page(report))


def page(report: Report) -> str:
    """Return the page."""
    body = "\n".join(_body(report))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>Comparison</title>\n<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n"
        f"</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    labels = "with" if report.labelled else "without"
    yield "<h1>Comparison</h1>"
    yield (
        f"<p>{report.n_tracks} tracks, {report.hours:.1f} hours of audio, {labels} labels. "
        f"{len(report.systems)} systems, each on the same decoded audio.</p>"
    )
    if report.n_tracks:
        for title, plot, needs_labels in plots.PLOTS:
            if report.labelled or not needs_labels:
                yield f'<section><h2>{_e(title)}</h2><div class="wide">{plot(report)}</div>'
                if title == "Tempo level":
                    yield _legend()
                yield "</section>"
        for table in tables(report):
            yield f"<section><h2>{_e(table.title)}</h2>{_table(table)}</section>"
        yield f"<details><summary>Every track</summary>{_tracks(report)}</details>"
    yield from _list("Left out", [f"{name}: {why}" for name, why in report.left_out.items()])
    yield from _list("Failed", report.failures)


def _table(table: TextTable) -> str:
    head = "".join(f"<th>{_e(column)}</th>" for column in table.columns)
    rows = "".join(
        f"<tr><th>{_e(row[0])}</th>{''.join(f'<td>{_e(cell)}</td>' for cell in row[1:])}</tr>"
        for row in table.rows
    )
    caption = f"<p>{_e(table.caption)}</p>" if table.caption else ""
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"</div>{caption}"
    )


def _tracks(report: Report) -> str:
    names = [system.name for system in report.systems]
    labelled = ["true"] if report.labelled else []
    head = "".join(f"<th>{_e(name)}</th>" for name in ["track", *labelled, *names])
    rows = []
    for track in report.tracks:
        cells = [f"<td>{track['bpm']:.2f}</td>"] if report.labelled else []
        for name in names:
            found = track["systems"][name]
            text = "-" if found["bpm"] is None else f"{found['bpm']:.2f}"
            style = _verdict(found)
            cells.append(f'<td class="{style}">{text}</td>' if style else f"<td>{text}</td>")
        rows.append(f"<tr><th>{_e(track['track'])}</th>{''.join(cells)}</tr>")
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        + (
            "<p>Tempi in BPM: right within 21.5 ms at every beat, right in tempo alone, wrong.</p>"
            if report.labelled
            else ""
        )
    )


def _verdict(found: dict[str, object]) -> str:
    if "level" not in found:
        return ""
    if found.get("grid_ok_21"):
        return "right"
    return "tempo" if found["level"] == "ok" else "wrong"


def _legend() -> str:
    words = (
        ("good", "right"),
        ("double", "twice the tempo"),
        ("half", "half of it"),
        ("ratio", "3/2, 2/3, 4/3, 3/4"),
        ("other", "other"),
        ("none", "nothing found"),
    )
    keys = "".join(f'<span class="key {style}"></span>{_e(word)} ' for style, word in words)
    return f'<p class="legend">{keys}</p>'


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        items = "".join(f"<li>{_e(line)}</li>" for line in lines)
        yield f"<section><h2>{_e(title)}</h2><ul>{items}</ul></section>"


def _e(text: object) -> str:
    return html.escape(printable(str(text)))
