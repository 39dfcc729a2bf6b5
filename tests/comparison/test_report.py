"""What a comparison says of systems whose answers are known, and that names stay text."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from beatgrid.comparison.estimates import Estimate
from beatgrid.comparison.page import page
from beatgrid.comparison.report import UNBIASED, Report
from beatgrid.comparison.scores import Reference
from beatgrid.comparison.summary import _interval, make_report
from beatgrid.comparison.text import markdown, print_report
from beatgrid.evaluation import bootstrap, evaluate_track
from beatgrid.grid import Grid
from tests.comparison.peers import beats_estimate, fake_contender

EVIL = '<script>alert(1)</script> & "it\'s" a|b *c*.mp3'
GRIDS = {
    EVIL: Grid(80.0, 0.2),
    "b": Grid(100.0, 0.1),
    "c": Grid(120.0, 0.3),
    "d": Grid(190.0, 0.1),
}
REFERENCES = {name: Reference(grid, 120.0) for name, grid in GRIDS.items()}


def own(name: str, grid: Grid) -> Estimate:
    return Estimate(
        name, f"{name}.ogg", name, "fake", 120.0, grid.bpm, grid.offset_s, None,
        tuple(grid.beat_times(120.0)), wall_s=0.8, cpu_s=0.5, peak_mb=200.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Report:
    """Here beatgrid is right on three of four; aubio 30 ms late, once double, once crashed."""
    folder: Path = tmp_path_factory.mktemp("report")
    contenders = [fake_contender(folder, name) for name in ("beatgrid", "aubio", "tempocnn")]
    wrong = Grid(160.0, 0.2)
    shifted = {name: Grid(g.bpm, g.offset_s + 0.03) for name, g in GRIDS.items()}
    aubio = {name: beats_estimate(name, g) for name, g in shifted.items()}
    aubio["c"] = beats_estimate("c", Grid(240.0, 0.33))
    aubio["d"] = Estimate("d", "d.ogg", "d", "fake", 120.0, error="crashed")
    estimates = {
        "beatgrid": {n: own(n, wrong if n == EVIL else g) for n, g in GRIDS.items()},
        "aubio": aubio,
        "tempocnn": {
            n: Estimate(n, n, n, "fake", 120.0, bpm=g.bpm, cpu_s=3.0) for n, g in GRIDS.items()
        },
    }
    left_out = {"madmom": "not installed in <b>peers</b>"}
    return make_report(contenders, estimates, REFERENCES, left_out, [f"aubio: {EVIL}: crashed"])


def test_rates_are_of_all_tracks_as_answered_and_without_bias(report):
    own, aubio, tempo = report.systems
    assert own.summary["level_ok"].value == 0.75
    assert own.summary["grid_ok_21"].value == 0.75
    assert aubio.summary["level_ok"].value == 0.5
    assert aubio.summary["grid_ok_21"].value == 0.0
    assert aubio.summary["bias_ms"].value == pytest.approx(30.0, abs=1e-6)
    assert aubio.summary["grid_ok_21" + UNBIASED].value == 0.5
    assert (aubio.n_failed, aubio.n_none) == (1, 0)
    assert aubio.levels["2"] == aubio.levels["none"] == 1
    assert set(tempo.summary) == {"level_ok", "acc1", "acc2"}
    low, high = own.summary["level_ok"].interval
    assert 0 <= low < 0.75 < high <= 1


def test_intervals_are_those_of_the_evaluation():
    scores = [
        evaluate_track(
            Grid(120.0, 0.1), Grid(120.0 * (1 + (i % 3 == 0)), 0.1 + 0.004 * (i % 7)), 60.0
        )
        for i in range(60)
    ]
    for key in ("level_ok", "grid_ok_10", "bias_ms", "f_measure"):
        expected = bootstrap(scores, key)
        assert _interval(scores, key) == pytest.approx(expected, abs=0.02 * abs(expected[1]) + 0.02)
    assert _interval([], "level_ok") is None


def test_costs_are_for_a_minute_of_audio(report):
    own, aubio, tempo = report.systems
    assert own.cost.cpu_s == pytest.approx(0.25)
    assert aubio.cost.wall_s == pytest.approx(1.0)  # of the tracks that it got through
    assert (tempo.cost.wall_s, tempo.cost.peak_mb) == (None, None)


def test_pairs_name_the_tracks_that_only_the_peer_has_right(report):
    pairs = {(pair.peer, pair.by): pair for pair in report.pairs}
    level = pairs["aubio", "level_ok"]
    assert level.peer_wins == (EVIL,)
    p = level.pairing
    assert (p.n_both, p.n_first_only, p.n_second_only, p.n_neither) == (1, 2, 1, 0)
    assert pairs["aubio", "grid_ok_21"].pairing.n_first_only == 3
    assert pairs["aubio", "grid_ok_21" + UNBIASED].pairing.n_first_only == 2
    assert ("tempocnn", "grid_ok_21") not in pairs


def test_slow_usual_and_fast_music_stand_apart(report):
    own = report.systems[0]
    assert [own.by_tempo[name]["n_tracks"] for name in own.by_tempo] == [1, 2, 1]
    assert [own.by_tempo[name]["level_ok"].value for name in own.by_tempo] == [0.0, 1.0, 1.0]


def test_only_tracks_that_all_have_tried_are_compared(tmp_path):
    contenders = [fake_contender(tmp_path, name) for name in ("beatgrid", "aubio", "librosa")]
    estimates = {
        "beatgrid": {n: own(n, g) for n, g in GRIDS.items()},
        "aubio": {n: beats_estimate(n, GRIDS[n]) for n in ("b", "c")},
        "librosa": {},
    }
    found = make_report(contenders, estimates, REFERENCES, {}, [])
    assert found.n_tracks == 2
    assert [system.name for system in found.systems] == ["beatgrid", "aubio"]


def test_plain_values_are_json(report):
    assert json.loads(json.dumps(report.plain(), allow_nan=False))["n_tracks"] == 4


def printed(report: Report) -> str:
    file = io.StringIO()
    print_report(report, Console(file=file, width=80))
    return file.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_terminal_has_80_columns(report):
    text = printed(report)
    assert max(map(len, text.splitlines())) <= 80
    assert "tempocnn 100 (100..100) - - 1.50" in words(text)
    assert "below 90 BPM (1)" in text


def test_without_labels_there_is_agreement(report, tmp_path):
    contenders = [fake_contender(tmp_path, name) for name in ("beatgrid", "aubio", "tempocnn")]
    double = Grid(160.0, 0.2)
    estimates = {
        "beatgrid": {n: own(n, double if n == EVIL else g) for n, g in GRIDS.items()},
        "aubio": {n: beats_estimate(n, g) for n, g in GRIDS.items()},
        "tempocnn": {n: Estimate(n, n, n, "fake", 120.0, bpm=g.bpm) for n, g in GRIDS.items()},
    }
    found = make_report(contenders, estimates, None, {}, [])
    assert (found.labelled, found.pairs, found.systems[0].summary) == (False, [], {})
    assert [alone.track for alone in found.alone] == [EVIL]
    text = printed(found)
    assert "aubio 75 75 0.50" in words(text)
    assert "2 of 2" in text
    assert "alert" in text
    assert Reader(page(found)).tags["script"] == 0


class Reader(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: dict[str, int] = dict.fromkeys(("script", "b", "img", "link", "svg"), 0)
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_names_are_text_on_the_page(report):
    read = Reader(page(report))
    assert (read.tags["script"], read.tags["b"]) == (0, 0)
    assert EVIL in read.text
    assert "not installed in <b>peers</b>" in read.text
    assert not any(name.startswith("on") for name, _ in read.attributes)


def test_the_page_asks_for_nothing(report):
    read = Reader(page(report))
    assert read.tags["img"] == read.tags["link"] == 0
    assert not [value for name, value in read.attributes if name in ("src", "href")]
    assert read.tags["svg"] == 6


def test_names_are_text_in_markdown(report):
    text = markdown(report)
    assert "<script>" not in text
    assert "\\<script\\>" in text
    rows = [line for line in text.splitlines() if line.startswith("| aubio |")]
    assert rows


def test_nothing_compared_is_said(tmp_path):
    found = make_report([fake_contender(tmp_path)], {"aubio": {}}, {}, {}, [])
    assert "no track" in printed(found)
    assert "0 tracks" in markdown(found)
    assert "0 tracks" in page(found)
