"""Table, CSV and JSON of an audit: bounded, harmless, complete."""

import csv
import io
import json
from pathlib import Path

from rich.console import Console

from beatgrid.audit.clock import Cluster
from beatgrid.audit.report import (
    COLUMNS,
    clock_line,
    counts,
    print_worst,
    worst_first,
    write_csv,
    write_json,
)
from beatgrid.audit.run import unreadable, with_clocks
from beatgrid.audit.track import AuditedLabel
from beatgrid.audit.verdict import Verdict
from beatgrid.grid import Grid


def row(name, kind="offset", score=0.6, offset_ms=20.0, correction=None, tag=None, also=()):
    return AuditedLabel(
        label=Path(f"{name}.labels.json"),
        audio=Path(f"{name}.mp3"),
        verdict=Verdict(kind, score, "because", also, correction),
        bpm=128.0,
        mp3_tag=tag,
        numbers={"offset_ms": offset_ms, "drift_ms": 1.0, "better_bpm": 128.001},
    )


ROWS = [
    row("quiet", "ok", 0.1, 0.5),
    row("=cmd()", score=0.7),
    row("worst\x1b[31m", "level", 0.99),
    unreadable(Path("bad.labels.json"), "bad.labels.json: bpm is -1"),
]


def test_the_worst_come_first_and_what_cannot_be_read_before_them():
    assert [r.label.name.split(".")[0] for r in worst_first(ROWS)] == [
        *("bad", "worst\x1b[31m", "=cmd()", "quiet"),
    ]
    assert counts(ROWS) == {"unreadable": 1, "level": 1, "offset": 1, "ok": 1}


def test_the_csv_is_safe_in_a_spreadsheet_and_has_a_cell_for_each_column(tmp_path):
    write_csv(tmp_path / "audit.csv", worst_first(ROWS))
    with (tmp_path / "audit.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == list(COLUMNS)
    assert [line["verdict"] for line in lines] == ["unreadable", "level", "offset", "ok"]
    assert lines[2]["label"] == "'=cmd().labels.json"
    assert "\x1b" not in lines[1]["label"]
    assert (lines[2]["offset_ms"], lines[0]["offset_ms"]) == ("20", "")


def test_the_json_holds_all_labels_and_clocks(tmp_path):
    cluster = Cluster(25.1, (1, 2), 1e-4)
    write_json(tmp_path / "audit.json", ROWS, [cluster], {"model": "flux"})
    content = json.loads((tmp_path / "audit.json").read_text())
    assert content["model"] == "flux"
    assert content["clocks"][0]["labels"] == ["=cmd().labels.json", "worst\x1b[31m.labels.json"]
    assert [label["verdict"] for label in content["labels"]] == [r.verdict.kind for r in ROWS]


def test_the_table_is_bounded_in_rows_and_columns():
    console = Console(file=io.StringIO(), width=80)
    long = [row(f"{i} A very long name of a song by an artist (extended mix)") for i in range(30)]
    print_worst(worst_first([*long, row("fine", "ok", 0.2)]), 20, console)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 25
    assert "10 more" in lines[-1]
    assert not any("fine" in line for line in lines)


def test_a_data_set_without_suspects_prints_no_table():
    console = Console(file=io.StringIO(), width=80)
    print_worst([row("fine", "ok", 0.2)], 20, console)
    assert console.file.getvalue() == ""


def test_labels_of_one_clock_get_its_name_and_its_median():
    offsets = [24.2, 25.0, 25.2, 25.4]
    clocked = [
        row(str(i), offset_ms=o, tag="none", correction=Grid(128.0, 1.0 + o / 1000))
        for i, o in enumerate(offsets)
    ]
    rows, (cluster,) = with_clocks([*clocked, *(row(f"r{i}", "ok", 0.1, 0.0) for i in range(30))])
    assert [r.verdict.kind for r in rows[:5]] == [*(["clock"] * 4), "ok"]
    assert all(abs(r.verdict.correction.offset_s - 1.0251) < 1e-9 for r in rows[:4])
    assert clock_line(cluster, rows) == (
        "4 labels are 25.1 ms early: another decoder's clock (4 of 4 MP3 without a tag)"
    )


def test_a_graver_fault_keeps_its_name_beside_a_clock():
    twice = [row(str(i), "level", offset_ms=25.0 + i / 10, also=("offset", "bars")) for i in (0, 1)]
    rows, (cluster,) = with_clocks([*twice, row("a", offset_ms=25.4), row("b", "level")])
    assert cluster.labels == (0, 1, 2)
    assert [r.verdict.kind for r in rows] == ["level", "level", "clock", "level"]
    assert [r.verdict.also for r in rows] == [*[("clock", "bars")] * 2, (), ()]


def test_an_offset_that_is_not_firm_makes_no_clock():
    _, clusters = with_clocks([row(str(i), "level", offset_ms=25.0) for i in range(10)])
    assert clusters == []
