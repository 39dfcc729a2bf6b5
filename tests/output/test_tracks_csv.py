import csv

import pytest

from beatgrid.errors import BeatgridError
from beatgrid.evaluation.codec import from_text, to_text
from beatgrid.output.tracks_csv import (
    AlternativeRow,
    TrackRow,
    read_alternatives_csv,
    read_tracks_csv,
    write_alternatives_csv,
    write_tracks_csv,
)
from tests.evaluation.test_codec import SCORES
from tests.output.test_tables import TRACKS

ROWS = [TrackRow(name, score) for name, score in TRACKS]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tracks.csv"


def test_csv_holds_every_score_of_every_track(path):
    write_tracks_csv(path, ROWS)
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["file"] for line in lines] == [row.file for row in ROWS]
    assert lines[0]["phase_ms"] == "3"
    assert lines[0]["grid_ok_10"] == "1"
    assert lines[0]["downbeat_ok"] == ""
    assert lines[3]["offbeat"] == "1"
    assert lines[4]["bpm_found"] == ""
    assert float(lines[1]["bpm_found"]) == 174.301
    assert "group" not in lines[0]


def test_what_is_written_comes_back(path):
    rows = [TrackRow(f"{i}.mp3", score, f"group {i % 2}") for i, score in enumerate(SCORES)]
    write_tracks_csv(path, rows)
    found = list(read_tracks_csv(path))
    assert [(row.file, row.group) for row in found] == [(row.file, row.group) for row in rows]
    assert [row.score for row in found] == [from_text(to_text(row.score)) for row in rows]
    write_tracks_csv(path, ROWS)
    assert {row.group for row in read_tracks_csv(path)} == {None}


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-x.mp3", "@SUM(A1)"])
def test_no_name_becomes_a_formula(path, name):
    write_tracks_csv(path, [TrackRow(name, ROWS[0].score)])
    assert path.read_text().splitlines()[1].lstrip('"').startswith("'")
    assert [row.file for row in read_tracks_csv(path)] == [name]


def test_an_apostrophe_of_its_own_stays(path):
    write_tracks_csv(path, [TrackRow("'n' Sync.mp3", ROWS[0].score)])
    assert [row.file for row in read_tracks_csv(path)] == ["'n' Sync.mp3"]


def test_names_are_shown_harmless(path):
    write_tracks_csv(path, [TrackRow("b\udce9b.mp3", ROWS[0].score)])
    assert [row.file for row in read_tracks_csv(path)] == ["b\\udce9b.mp3"]


@pytest.mark.parametrize(
    ("old", "new"), [("bpm_true", "bpm_truth"), ("174.3,", "fast,"), ("file,", "name,")]
)
def test_a_file_of_another_form_is_refused_by_line(path, old, new):
    write_tracks_csv(path, ROWS)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BeatgridError, match=r"tracks\.csv:2: no scores of a track"):
        list(read_tracks_csv(path))


def test_alternatives_come_back(path):
    rows = [
        AlternativeRow("=a, b.mp3", 87.5, 175.0, 0.3, True),
        AlternativeRow("=a, b.mp3", 87.5, 58.3333, 1e-5, False),
    ]
    write_alternatives_csv(path, rows)
    assert list(read_alternatives_csv(path)) == rows
