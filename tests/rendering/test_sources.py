"""The sources of rendered music: how they count, arrange and master, and where their onsets lie.

No renderer is needed: MMA, FluidSynth and LMMS are replaced or left out.
"""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest

from beatgrid.grid import Grid
from beatgrid.rendering import onsets
from beatgrid.rendering.generator import click_track
from beatgrid.rendering.piece import SAMPLE_RATE
from beatgrid.rendering.sources import (
    fluid,
    grooves,
    hybrid,
    lmms,
    mastering,
    midi,
    mma,
    song,
)

RNG = np.random.default_rng


def midi_file(track: bytes, ticks_per_quarter: int = 96) -> bytes:
    track += b"\x00\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, ticks_per_quarter)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


# ------------------------------------------------------------------------------- MIDI and tempo


def test_midi_is_read_in_quarters_whatever_its_tempo(tmp_path):
    tempo = b"\x00\xff\x51\x03\x07\xa1\x20"  # 120 BPM, to be ignored
    notes = b"\x00\x99\x24\x64" + b"\x60\x24\x00"  # running status, velocity 0 ends the note
    late = b"\x81\x20\x90\x3c\x50"  # 160 ticks in two bytes
    path = tmp_path / "a.mid"
    path.write_bytes(midi_file(tempo + notes + late))
    events = midi.read_events(path)
    assert [(e.quarters, e.channel, e.status, e.data) for e in events] == [
        (0.0, 9, 0x90, 36),
        (1.0, 9, 0x80, 36),
        (256 / 96, 0, 0x90, 60),
    ]
    assert midi.only_drums(events) == events[:2]
    assert midi.without_drums(events) == events[2:]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"RIFF0000", "not a MIDI file"),
        (b"MThd" + struct.pack(">IHHH", 6, 0, 0, 0xE728), "SMPTE"),
    ],
)
def test_other_files_are_refused(tmp_path, data, message):
    (tmp_path / "a.mid").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        midi.read_events(tmp_path / "a.mid")


class FakeSynth:
    """Stands for libfluidsynth: remembers at which sample each note begins."""

    def __init__(self):
        self.at = 0
        self.starts = []

    def fluid_synth_write_float(self, synth, length, left, left_at, *_):
        assert left_at == self.at
        self.at += length

    def fluid_synth_noteon(self, synth, channel, pitch, velocity):
        self.starts.append(self.at)

    def fluid_synth_noteoff(self, *_):
        pass


def test_events_are_played_at_a_fractional_tempo_from_any_start():
    events = sorted(e for k in range(400) for e in midi.note(k, 0.5, 0, 60, 100))
    synth = FakeSynth()
    samples = fluid._play(synth, None, events, 97.317, 200.0, -3.25)
    lead = round(3.25 * SAMPLE_RATE)
    assert len(samples) == 200 * SAMPLE_RATE
    assert synth.at == lead + len(samples)
    heard_s = (np.array(synth.starts) - lead) / SAMPLE_RATE
    expected_s = -3.25 + np.arange(len(heard_s)) * 60 / 97.317
    np.testing.assert_allclose(heard_s, expected_s, atol=0.6 / SAMPLE_RATE)
    assert heard_s[-1] > 199


# ---------------------------------------------------------------------------------- MMA's styles


@pytest.mark.parametrize(
    ("style", "family", "quarters_per_beat", "beats_per_bar"),
    [
        ("stdlib/ballad", "ballad", 1, 4),
        ("stdlib/polka", "two-beat", 2, 2),
        ("casio/march1", "two-beat", 2, 2),
        ("stdlib/ragtime", "two-beat", 2, 2),
        ("stdlib/68swing", "6/8", 3, 2),
        ("stdlib/blues68", "6/8", 3, 2),
        ("stdlib/ballad128", "12/8", 1, 4),
        ("stdlib/waltz", "waltz", 1, 3),
        ("casio/jazzwaltz", "waltz", 1, 3),
        ("stdlib/broadwaywaltz", "waltz", 1, 3),
        ("stdlib/slowjazz", "slow jazz", 1, 4),
        ("yamaha/jazzswing", "jazz", 1, 4),
        ("casio/latinhouse", "dance", 1, 4),
        ("zoom/dnb", "drum and bass", 1, 4),
        ("casio/rock1", "pop and rock", 1, 4),
    ],
)
def test_styles_are_counted_by_custom(style, family, quarters_per_beat, beats_per_bar):
    custom = grooves.custom_of(style)
    assert (custom.family, custom.quarters_per_beat, custom.beats_per_bar) == (
        family,
        quarters_per_beat,
        beats_per_bar,
    )
    low, high = custom.bpm
    assert 50 < low < high < 230


@pytest.mark.parametrize(
    "style", ["stdlib/jazz-54", "stdlib/68march", "stdlib/metronome68", "zoom/intro", "stdlib/none"]
)
def test_odd_and_ambiguous_styles_are_left_out(style):
    assert grooves.custom_of(style) is None
    assert grooves.parse_style(style, "DefGroove Main\n") is None


def test_bodies_and_fills_are_told_from_introductions_and_endings():
    names = "Rock RockSus House rock1FA rock1E RockFill RockIntro8 RockEnd KFillAB KEndingA DANCE"
    text = "\n".join(f"  DefGroove {name}   words" for name in names.split())
    style = grooves.parse_style("pflib/rock1", text)
    assert style.grooves == ("Rock", "RockSus", "House", "DANCE")
    assert style.fills == ("rock1FA", "RockFill", "KFillAB")
    assert style.address("Rock") == "pflib/rock1:Rock"


def style_of(name, *names, fills=()):
    return grooves.Style(name, grooves.custom_of(name), names or ("Main",), fills)


def test_songs_name_every_bar_and_address_grooves_by_file():
    style = style_of("stdlib/68swing", "A", "B", fills=("Fill",))
    composed = song.compose(30, style.custom, RNG(5))
    source = song.mma_source(composed, style, 5, RNG(5))
    assert "Time 6\n" in source
    assert "RndSeed 5\n" in source
    numbers = [int(n) for n in re.findall(r"^(\d+) ", source, re.M)]
    assert numbers == list(range(1, len(composed.bars) + 1))
    assert len(numbers) >= 30
    assert set(re.findall(r"Groove (.*)", source)) <= {
        f"stdlib/68swing:{groove}" for groove in ("A", "B", "Fill")
    }
    for line in source.splitlines():
        if line[0].isdigit() and "/" in line:  # two chords fall on the first and the fourth
            assert line.split()[2:4] == ["/", "/"]
            assert line.split()[5:] == ["/", "/"]


def test_melodies_keep_to_the_beat_and_its_subdivision():
    custom = grooves.custom_of("stdlib/8beat")
    composed = song.compose(200, custom, RNG(1))
    events = song.melody(composed, custom, 16, singing=False, bpm=120.0, rng=RNG(2))
    starts = np.array([e.quarters for e in events if e.is_note_on])
    assert len(starts) > 100
    off = np.abs(starts * 2 - np.round(starts * 2)) / 2  # from the nearest eighth
    assert np.median(off) * 0.5 < 0.006  # seconds at 120 BPM
    assert all(e.channel == 16 and 0 <= e.data < 128 for e in events)


def test_slow_families_get_more_than_their_share(monkeypatch):
    library = (style_of("stdlib/ballad"), *(style_of(f"casio/rock{i}") for i in range(9)))
    monkeypatch.setattr(mma, "styles", lambda held_out, drums=False: library)
    rng = RNG(0)
    slow = sum(mma.choose_style(rng, False).custom.family in mma.SLOW for _ in range(300))
    assert 90 < slow < 150


def test_drums_decide_how_a_piece_is_counted(monkeypatch):
    drummer = style_of("zoom/dnb")
    monkeypatch.setattr(mma, "styles", lambda held_out, drums=False: (drummer,))
    rng = RNG(0)
    drawn = [mma.choose_drums(style_of("casio/rock1"), rng, False) for _ in range(200)]
    assert {custom.family for custom, drums in drawn if drums is drummer} == {"drum and bass"}
    assert {custom.family for custom, drums in drawn if drums is not drummer} == {"pop and rock"}
    assert 0.1 < np.mean([drums is None for _, drums in drawn]) < 0.4
    drawn = [mma.choose_drums(style_of("stdlib/waltz"), rng, False) for _ in range(100)]
    assert all(custom.beats_per_bar == 3 for custom, _ in drawn)


def test_arrangement_without_mma(monkeypatch):
    drums = midi.note(0, 0.5, midi.DRUM_CHANNEL, 36, 100)
    piano = [midi.message(0, 0, 0xC0, 0), *midi.note(0, 0.5, 0, 60, 100)]
    monkeypatch.setattr(mma, "run_mma", lambda source: sorted(drums + piano))
    style = style_of("stdlib/ballad")
    made = mma.arrange(style, style.custom, None, 70.0, 60.0, 1, RNG(1))
    assert made.drums == "none"
    assert not midi.only_drums(made.events)
    made = mma.arrange(style, style.custom, style, 70.0, 60.0, 1, RNG(1))
    assert made.drums == "stdlib/ballad"
    assert len(midi.only_drums(made.events)) == 2
    assert made.events == sorted(made.events)


# ---------------------------------------------------------------------------------------- LMMS


def test_projects_are_edited():
    tracks = "".join(f'<track type="0" muted="0" name="{i}"/>' for i in range(6))
    text = (
        '<multimedia-project><head bpm="140" masterpitch="0"/><song><trackcontainer>'
        f'{tracks}<track type="5" muted="0"/></trackcontainer></song></multimedia-project>'
    )
    edited, bpm = lmms.edit(text, speed=0.9, semitones=-2, n_muted=5, rng=RNG(0))
    assert bpm == 126.0
    assert 'bpm="126"' in edited
    assert 'masterpitch="-2"' in edited
    assert edited.count('muted="1"') == 3  # half of six stay
    with pytest.raises(ValueError, match="names no bpm"):
        lmms.edit("<multimedia-project><head/></multimedia-project>", 1.0, 0, 0, RNG(0))


def test_every_project_is_for_training_or_for_measuring():
    assert len({project.path for project in lmms.ALL}) == len(lmms.ALL)
    assert 3 <= sum(project.held_out for project in lmms.ALL) <= 5


# -------------------------------------------------------------------------- hybrids and masters


def test_electronic_drums_lie_on_the_grid():
    samples = hybrid.play_drums("house", "909", 124.5, -7.3, 30.0, RNG(3))
    late_ms, clarity = onsets.residual_ms(samples, Grid(124.5, -7.3))
    assert abs(late_ms) < 4
    assert clarity > 1.5


def test_the_measure_of_onsets_reads_a_shift():
    grid = Grid(117.0, 0.3)
    samples = click_track(grid.bpm, grid.offset_s, 15.0, SAMPLE_RATE)
    assert onsets.residual_ms(samples, grid)[0] == pytest.approx(0, abs=0.3)
    shifted = Grid(grid.bpm, grid.offset_s - 0.010)
    assert onsets.residual_ms(samples, shifted)[0] == pytest.approx(10, abs=0.3)


@pytest.mark.parametrize("seed", range(4))
def test_mastering_moves_no_onset(seed, monkeypatch):
    monkeypatch.setattr(mastering, "codec_round_trip", lambda samples, *_: samples)
    monkeypatch.setattr(mastering, "CODECS", (("none", "none", (1,)),))
    grid = Grid(117.0, 0.3)
    samples = click_track(grid.bpm, grid.offset_s, 10.0, SAMPLE_RATE)
    mastered, drawn = mastering.master(samples, RNG(seed))
    assert len(mastered) == len(samples)
    assert mastered.dtype == np.float32
    assert 0.01 < np.max(np.abs(mastered)) <= 1
    assert drawn["tone"] in {"full", "dull", "thin", "radio"}
    assert onsets.residual_ms(mastered, grid)[0] == pytest.approx(0, abs=1.0)


@pytest.mark.parametrize(("codec", "container", "rates"), mastering.CODECS)
def test_codecs_leave_a_piece_where_it_was(codec, container, rates):
    rng = RNG(0)
    samples = (0.3 * np.convolve(rng.normal(size=3 * SAMPLE_RATE), np.ones(8) / 8)).astype("f4")
    samples = np.clip(samples, -1, 1)[: 3 * SAMPLE_RATE]
    coded = mastering.codec_round_trip(samples, codec, container, rates[-1])
    assert len(coded) == len(samples)
    assert abs(mastering._delay(samples, coded)) <= 1
    inner = slice(SAMPLE_RATE // 2, -SAMPLE_RATE // 2)
    assert np.corrcoef(samples[inner], coded[inner])[0, 1] > 0.5


def test_delay_finds_both_directions():
    noise = RNG(0).normal(size=SAMPLE_RATE).astype("f4")
    assert mastering._delay(noise, np.roll(noise, 1105)) == 1105
    assert mastering._delay(noise, np.roll(noise, -37)) == -37
