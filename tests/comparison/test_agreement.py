"""Agreement of systems whose grids are known, and the tracks on which beatgrid stands alone."""

from __future__ import annotations

from beatgrid.comparison.agreement import agreements, where_alone
from beatgrid.comparison.scores import Answer
from beatgrid.grid import Grid

DURATIONS_S = {"a": 100.0, "b": 100.0}


def answers(**by_system: tuple[Grid | None, Grid | None]) -> dict[str, dict[str, Answer]]:
    return {
        name.replace("_", "-"): dict(zip(DURATIONS_S, map(Answer, grids), strict=True))
        for name, grids in by_system.items()
    }


G, DOUBLE, OFF = Grid(100.0, 0.1), Grid(200.0, 0.1), Grid(100.0, 0.4)


def test_agreement_counts_tracks_that_both_answer():
    found = agreements(
        answers(beatgrid=(G, G), madmom=(G, None), aubio=(OFF, DOUBLE), tempocnn=(G, DOUBLE)),
        DURATIONS_S,
    )
    by_pair = {(a.first, a.second): (a.n_tracks, a.same_tempo, a.same_beats) for a in found}
    assert by_pair["beatgrid", "madmom"] == (1, 1.0, 1.0)
    assert by_pair["beatgrid", "aubio"] == (2, 0.5, 0.0)
    assert by_pair["beatgrid", "tempocnn"] == (2, 0.5, None)
    assert by_pair["aubio", "tempocnn"] == (2, 1.0, None)


def test_others_that_agree_on_a_tempo_leave_beatgrid_alone():
    (found,) = where_alone(
        answers(beatgrid=(DOUBLE, G), madmom=(G, G), aubio=(G, G), librosa=(DOUBLE, G)),
        DURATIONS_S,
    )
    assert (found.track, found.about, found.ratio) == ("a", "tempo", "2")
    assert (found.bpm, found.others_bpm) == (200.0, 100.0)
    assert (found.others, found.n_asked) == (("madmom", "aubio"), 3)


def test_beats_between_its_beats_leave_beatgrid_alone():
    (found,) = where_alone(
        answers(beatgrid=(G, G), madmom=(OFF, G), aubio=(OFF, G), librosa=(G, G)), DURATIONS_S
    )
    assert (found.about, found.ratio, found.others) == ("beat", "ok", ("madmom", "aubio"))


def test_peers_that_differ_among_themselves_are_no_majority():
    third = Grid(150.0, 0.0)
    assert not where_alone(
        answers(beatgrid=(DOUBLE, G), madmom=(G, G), aubio=(third, G)), DURATIONS_S
    )


def test_variants_of_one_method_count_once():
    assert not where_alone(
        answers(beatgrid=(DOUBLE, G), essentia_degara=(G, G), essentia_percival=(G, G)),
        DURATIONS_S,
    )


def test_no_grid_where_others_agree_is_alone_too():
    (found,) = where_alone(answers(beatgrid=(None, G), madmom=(G, G), aubio=(G, G)), DURATIONS_S)
    assert (found.bpm, found.about, found.ratio) == (None, "tempo", "none")
