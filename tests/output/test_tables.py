"""Tables for the terminal: complete, narrow enough, free of escape codes."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from beatgrid.evaluation import bootstrap, evaluate_track, reliability, summarise
from beatgrid.grid import Grid
from beatgrid.output.tables import (
    SUMMARY_LABELS,
    print_groups,
    print_reliability,
    print_results,
    print_summary,
    print_tracks,
    shorten_middle,
)

TRUE = Grid(174.3, 0.1)
LONG = "Artist - Some Very Long Song Name (Extended Original Mix) [2010] (01).mp3"
WIDE = "日本語のとても長い名前のファイルです、本当にとてもとてもとても長いですよ.flac"
TRACKS = [
    (name, evaluate_track(TRUE, grid, 300.0, confidence=confidence))
    for name, grid, confidence in [
        ("a.mp3", Grid(174.3, 0.103), 0.9),
        (LONG, Grid(174.301, 0.1), 0.8),
        (WIDE, Grid(87.15, 0.1), 0.7),
        ("[bold]not markup", Grid(174.3, 0.1 + 30 / 174.3), 0.6),
        ("none.wav", None, 0.0),
        ("wrong.wav", Grid(101.25, 0.1), 0.3),
    ]
]


def printed(function, *args, width=80, **kwargs) -> list[str]:
    """Lines as a pipe receives them."""
    console = Console(file=io.StringIO(), width=width)
    function(*args, console=console, **kwargs)
    text = console.file.getvalue()
    assert "\x1b" not in text
    lines = text.rstrip("\n").split("\n")
    assert max(cell_len(line) for line in lines) <= width
    return lines


def test_groups_come_largest_first_with_their_rates():
    scores = [score for _, score in TRACKS]
    groups = {
        "rock": summarise(scores[:1]),
        "house (a very long name of a genre) ": summarise(scores),
    }
    lines = printed(print_groups, groups, "genre")
    assert lines[0].split()[:3] == ["genre", "tracks", "level"]
    assert lines[2].startswith("house")
    assert lines[2].split(" 6 ")[1].split()[:2] == ["50.0", "%"]  # level right on 3 of 6
    assert lines[3].split()[:4] == ["rock", "1", "100.0", "%"]


def test_tracks_take_one_line_each_within_80_columns():
    lines = printed(print_tracks, TRACKS)
    assert len(lines) == 2 + len(TRACKS) + 1
    assert lines[2].split() == ["a.mp3", "174.300", "174.300", "ok", "+3.0", "0.0", "3.0", "ok"]
    assert lines[3].startswith("Artist")
    assert "(01).mp3  174.300  174.301" in lines[3]
    assert lines[4].rstrip().endswith("x2")
    assert "[bold]not" in lines[5]
    assert lines[5].rstrip().endswith("off-beat")
    assert lines[6].split()[-1] == "none"
    assert "101.250  other" in lines[7]


def test_a_wide_terminal_shows_names_in_full():
    lines = printed(print_tracks, TRACKS, width=160)
    assert any(LONG in line for line in lines)
    assert any(WIDE in line for line in lines)


def test_names_that_repeat_show_their_folders():
    tracks = [(name, TRACKS[0][1]) for name in ("m/x/a.mp3", "m/y/a.mp3", "m/y/b.mp3")]
    lines = printed(print_tracks, tracks)
    assert lines[2].startswith("x/a.mp3")
    assert lines[3].startswith("y/a.mp3")
    assert lines[4].startswith("b.mp3")


def test_results_with_and_without_a_grid():
    found = {
        "file": "x/a.mp3",
        "bpm": 174.3,
        "bpm_display": "174.3",
        "offset_s": 0.1004,
        "downbeat_offset_s": None,
        "confidence": 0.934,
        "constant_tempo": True,
    }
    none = {"file": "x/b.mp3", "bpm": None, "confidence": 0.0}
    lines = printed(print_results, [found, none])
    assert lines[2].split() == ["a.mp3", "174.3", "0.100", "-", "0.93", "steady"]
    assert lines[3].split() == ["b.mp3", "-", "-", "-", "0.00", "no", "grid"]
    assert len(printed(print_results, [])) == 2


def test_summary_names_every_key_and_its_interval():
    scores = [score for _, score in TRACKS]
    summary = summarise(scores)
    assert set(SUMMARY_LABELS) == set(summary)
    lines = printed(print_summary, summary)
    assert len(lines) == 2 + len(summary)
    assert lines[3].split() == ["right", "level", "50.0", "%"]
    assert any(line.split() == ["downbeat", "accuracy", "-"] for line in lines)
    interval = bootstrap(scores, "level_ok", n=50)
    lines = printed(print_summary, summary, {"level_ok": interval})
    assert f"{100 * interval[0]:.1f} % .. {100 * interval[1]:.1f} %" in lines[3]


def test_reliability_table():
    lines = printed(print_reliability, reliability([score for _, score in TRACKS], n_bins=2))
    assert lines[2].split() == ["0.00", "..", "0.50", "2", "0.15", "0.00"]
    assert lines[3].split() == ["0.50", "..", "1.00", "4", "0.75", "0.50"]


@pytest.mark.parametrize("cells", range(1, 40))
@pytest.mark.parametrize("name", [LONG, WIDE])
def test_shortened_names_fit_and_keep_both_ends(name, cells):
    short = shorten_middle(name, cells)
    assert cell_len(short) <= cells
    if cells >= 20:
        assert cell_len(short) >= cells - 3
        assert short[:3] == name[:3]
        assert short[-4:] == name[-4:]


def test_control_characters_do_not_reach_the_terminal():
    assert shorten_middle("a\nb\x1b[31m.mp3", 40) == "a�b�[31m.mp3"
