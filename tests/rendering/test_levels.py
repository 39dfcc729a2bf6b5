"""Genres that teach the metrical level: their custom, what misleads in them, exact grids."""

from dataclasses import replace

import numpy as np
import pytest

from beatgrid.rendering.generator import GENRES, LEVEL_GENRES, drummer, players, render
from beatgrid.rendering.generator.arrangement import DRUM_GROUPS, Section, Song
from beatgrid.rendering.generator.genres import COMPOUND, HALF_TIME, SLOW, TEMPLATES
from beatgrid.rendering.generator.grooves import GROOVES
from beatgrid.rendering.generator.grooves_slow import HALF_TIME_GROOVES, SLOW_GROOVES
from beatgrid.rendering.generator.patterns import bars
from beatgrid.rendering.generator.template import rap
from beatgrid.rendering.onsets import residual_ms
from beatgrid.rendering.sources import own, slow, slow_hydrogen

NO_BACKBEAT = {"rockers", "bolero", "bolero_bongo", "kizomba"}
SECTION = Section(
    kind="verse", first_bar=0, n_bars=8, drums=frozenset(DRUM_GROUPS),
    parts=frozenset(), groove="neo_soul", rate=1.0, chords=(1,), gap_beats=0, level_db=0.0,
)  # fmt: skip
SONG = Song(
    sections=(SECTION,), beats_per_bar=4, scale=(0, 2, 4, 5, 7, 9, 11), tonic=48, seventh=False,
    swing=0.5, swing_beats=0.5,
)  # fmt: skip


def accents(groove, drums):
    """Beats of a bar of four on which one of the drums has a full accent."""
    return {
        4 * i / len(bar)
        for drum in drums
        for bar in bars(groove.get(drum, ""))
        for i, stroke in enumerate(bar)
        if stroke == "X"
    }


def test_tempi_are_the_custom():
    for family, low, high in ((SLOW, 50, 96), (HALF_TIME, 126, 180), (COMPOUND, 45, 150)):
        for name, genre in family.items():
            assert low <= genre.bpm[0] < genre.bpm[1] <= high, name


@pytest.mark.parametrize("name", sorted(SLOW_GROOVES.keys() - NO_BACKBEAT))
def test_the_backbeat_of_slow_music_is_on_2_and_4(name):
    expected = {1.0, 3.0}
    if name.startswith(("one_drop", "steppers")):
        expected = {2.0}
    found = accents(SLOW_GROOVES[name], ("snare", "clap", "rim"))
    assert expected <= found <= expected | {3.5, 3.75}


@pytest.mark.parametrize("name", HALF_TIME_GROOVES)
def test_the_backbeat_of_half_time_is_on_3(name):
    expected = {1.0, 3.0} if name.startswith("liquid") else {2.0}
    found = accents(HALF_TIME_GROOVES[name], ("snare", "clap", "rim"))
    assert expected <= found <= expected | {3.5, 3.75}


def test_harmony_tells_slow_from_half_time():
    def longest_chord_s(genre):
        return 60 * genre.beats_per_bar * max(genre.chord_bars) / np.mean(genre.bpm)

    slow_bars = [max(genre.chord_bars) for genre in SLOW.values()]
    fast_bars = [min(genre.chord_bars) for genre in HALF_TIME.values()]
    assert np.median(slow_bars) == 1
    assert np.median(fast_bars) == 2
    assert max(longest_chord_s(genre) for genre in HALF_TIME.values()) < 8


def test_compound_grooves_divide_the_beat_by_three():
    for name, genre in COMPOUND.items():
        if name == "slow_waltz":
            assert not genre.compound
            continue
        assert genre.compound
        for groove in genre.grooves:
            for pattern in GROOVES[groove].values():
                assert all(len(bar) % (3 * genre.beats_per_bar) == 0 for bar in bars(pattern))


@pytest.mark.parametrize(
    "genre",
    [
        *("boom_bap", "ballad_6_8"),
        *(pytest.param(g, marks=pytest.mark.slow) for g in ("trap_soul", "metal_triplets")),
        pytest.param("liquid_dnb", marks=pytest.mark.slow),
    ],
)
def test_onsets_lie_on_the_grid(genre):
    late_ms = [residual_ms(t.samples, t.grid) for t in (render(genre, s, 15.0) for s in range(3))]
    clear = [late for late, clarity in late_ms if clarity > 1.5]
    assert len(clear) >= 2
    assert 0 < np.median(clear) < 4.5  # sounds rise in 2 ms, as in the other genres


def test_general_genres_keep_their_seeds():
    assert len(GENRES) == 61
    assert GENRES[:3] == ("house", "hip_hop", "polka")
    assert not set(GENRES) & set(LEVEL_GENRES)
    assert set(GENRES) | set(LEVEL_GENRES) == set(TEMPLATES)


def test_slow_music_comes_twice_in_the_cycle():
    assert all(LEVEL_GENRES.count(name) == 2 for name in SLOW)
    assert all(LEVEL_GENRES.count(name) == 1 for name in (*COMPOUND, *HALF_TIME))


def test_pieces_follow_the_cycle_and_carry_their_recipe(monkeypatch):
    monkeypatch.setattr(own, "draw_duration_s", lambda *_: 5.0)
    seed = 2 * len(slow.GENRES) + 3
    piece = slow.render_piece(seed)
    assert piece.genre == slow.GENRES[3]
    low, high = TEMPLATES[piece.genre].bpm
    assert low - 0.5 <= piece.grid.bpm <= high + 0.5
    assert piece.downbeat == "reliable"
    assert piece.license is None
    assert {"kit", "voices", "grooves", "swing"} <= set(piece.recipe)
    np.testing.assert_array_equal(piece.samples, slow.render_piece(seed, held_out=True).samples)
    assert "piano_ballad" not in slow_hydrogen.GENRES


def test_a_late_snare_moves_the_backbeat_and_nothing_else():
    on_time = drummer.drum_hits(SONG, np.random.default_rng(3))
    late = drummer.drum_hits(replace(SONG, late_snare=0.03), np.random.default_rng(3))
    fills_aside = [
        (a, b) for a, b in zip(on_time, late, strict=True) if a.beat != b.beat or a.drum != "snare"
    ]
    moved = [(a, b) for a, b in fills_aside if a.beat != b.beat]
    assert moved
    assert {a.drum for a, _ in moved} == {"snare"}
    assert [b.beat - a.beat for a, b in moved] == pytest.approx([0.03] * len(moved))


def test_fills_of_compound_metre_have_no_sixteenths():
    song = replace(
        SONG, compound=True, swing=0.66, swing_beats=1.0,
        sections=(replace(SECTION, groove="slow_12_8"),),
    )  # fmt: skip
    for seed in range(8):
        beats = np.array([hit.beat for hit in drummer.drum_hits(song, np.random.default_rng(seed))])
        np.testing.assert_allclose(6 * beats, np.round(6 * beats), atol=1e-9)


def test_a_rapper_speaks_in_sixteenths_and_breathes():
    song = replace(SONG, sections=(replace(SECTION, parts=frozenset({0})),))
    rates, pauses = [], []
    for seed in range(12):
        notes = players.part_notes(song, rap((2.6, 3.6)), 0, np.random.default_rng(seed))
        starts = np.array([note.beat for note in notes])
        rates.append(len(notes) / 32)
        pauses.append(np.max(np.diff(starts)))
        assert all(note.beats > 0 for note in notes)
    assert 1.5 < np.median(rates) < 3.6
    assert min(pauses) >= 0.5
