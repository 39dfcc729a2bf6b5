"""The corpus source of sampled drums, on a kit made here: no package of Debian's is needed."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from beatgrid.rendering.generator import render
from beatgrid.rendering.generator.kits import DRUMS
from beatgrid.rendering.piece import SAMPLE_RATE
from beatgrid.rendering.sources import hydrogen

RNG = np.random.default_rng
LEADING_S = 0.005


def stroke_after_silence(hz: float, rate: int, rise_s: float = 0.0, seed: int = 0):
    """A decaying tone that begins after 5 ms of hiss 60 dB below it, float64 (samples, 2)."""
    n_lead, n = round(LEADING_S * rate), round(0.2 * rate)
    t = np.arange(n) / rate
    tone = np.cos(2 * np.pi * hz * t) * np.exp(-t / 0.05)
    if rise_s > 0:
        tone = np.cos(2 * np.pi * hz * t) * np.minimum(t / rise_s, 1)
    mono = np.concatenate([np.zeros(n_lead), tone])
    return np.stack([0.4 * mono + 4e-4 * RNG(seed).normal(size=len(mono))] * 2, axis=1)


def instrument(name, *files, layered=True):
    if not layered:  # kits from before Hydrogen 0.9.3
        return f"<instrument><name>{name}</name><filename>{files[0]}</filename></instrument>"
    layers = "".join(
        f"<layer><filename>{file}</filename><min>{i / len(files)}</min>"
        f"<max>{(i + 1) / len(files)}</max><gain>1</gain><pitch>0</pitch></layer>"
        for i, file in enumerate(files)
    )
    return f"<instrument><name>{name}</name>{layers}</instrument>"


@pytest.fixture
def kit_folder(tmp_path):
    """A kit with kick, snare in three layers, hat, and instruments that are no use."""
    folder = tmp_path / "Kit"
    folder.mkdir()
    for seed, (name, hz, rate) in enumerate(
        [
            ("kick.wav", 60, 44100),
            ("soft.wav", 200, 48000),
            ("middle.wav", 210, 48000),
            ("hard.wav", 220, 48000),
            ("hat.wav", 5000, 22050),
        ]
    ):
        soundfile.write(folder / name, stroke_after_silence(hz, rate, seed=seed), rate)
    soundfile.write(folder / "slow.wav", stroke_after_silence(300, 44100, rise_s=0.03), 44100)
    soundfile.write(folder / "nothing.wav", np.zeros(4410), 44100)
    body = "".join(
        [
            instrument("Kick (Custom 22)", "kick.wav", layered=False),
            instrument("Snare 1", "soft.wav", "middle.wav", "hard.wav"),
            instrument("Closed HH", "hat.wav"),
            instrument("Crash", "slow.wav"),
            instrument("Ride", "nothing.wav"),
            instrument("Cowbell", "not-in-the-kit.wav"),
            instrument("Whistle", "hat.wav"),
            instrument("Clap", "emptySample.flac"),
            "<instrument><name></name></instrument>",
        ]
    )
    (folder / "drumkit.xml").write_text(
        '<drumkit_info xmlns="http://www.hydrogen-music.org/drumkit"><name>Kit</name>'
        f"<instrumentList>{body}</instrumentList></drumkit_info>"
    )
    return folder


class Others:
    """Stands for the synthesised kit: one click for every drum."""

    def __init__(self):
        self.asked = []

    def hit(self, drum, count):
        self.asked.append(drum)
        return np.ones(1, np.float32)


def onset_s(samples):
    """Where a stroke of these tests begins: its first sample is its loudest."""
    return float(np.argmax(np.abs(samples) > 0.5)) / SAMPLE_RATE


# ----------------------------------------------------------------------------------- reading kits


@pytest.mark.parametrize(
    ("name", "drum"),
    [
        ("Kick Lite 1", "kick"),
        ("BassDrum", "kick"),
        ("c3 - bass drum 1", "kick"),
        ("Snare Rimshot (Pearl Free Floating Maple 14x3.5)", "snare"),
        ("Pearl Side Stick", "rim"),
        ("Hand Clap", "clap"),
        ("Closed HH", "hat"),
        ("Hat Closed Bs", "hat"),
        ('Hi-Hat Open (Paiste Alpha Metal edge 14")', "open"),
        ("Side OHH", "open"),
        ("Hat Op Dirty", "open"),
        ("Hi Hat Opened", "open"),
        ("Tom Mid", "tom_high"),
        ("b3 - low tom", "tom_low"),
        ("Floor Tom", "tom_low"),
        ('Ride Bow (Custom, Zagrebin 22")', "ride"),
        ("Cymbal", "crash"),
        ("Maraca", "shaker"),
        ("Bongo Hi", "conga"),
        ("Cowbell", "cowbell"),
        ("Pedal HH", None),
        ("Hat Semi-Open", None),
        ("Snare Roll", None),
        ("Sample: beats_05-10.flac", None),
        ("FX", None),
        ("17", None),
        ("", None),
    ],
)
def test_instruments_are_known_by_name(name, drum):
    assert hydrogen.drum_of(name) == drum


def test_names_stand_for_drums_that_the_generator_plays():
    assert {drum for drum, _ in hydrogen.NAMES} - {None} <= set(DRUMS)


@pytest.mark.parametrize("namespace", [True, False])
def test_kits_are_read_with_and_without_namespace(kit_folder, namespace):
    description = kit_folder / "drumkit.xml"
    if not namespace:
        text = description.read_text()
        description.write_text(text.replace(' xmlns="http://www.hydrogen-music.org/drumkit"', ""))
    kit = hydrogen.read_kit(kit_folder)
    assert set(kit) == {"kick", "snare", "hat", "crash", "ride"}
    (snare,) = kit["snare"]
    assert [layer.path.name for layer in snare] == ["soft.wav", "middle.wav", "hard.wav"]
    assert [round(layer.loudest, 3) for layer in snare] == [0.333, 0.667, 1.0]


def test_every_kit_says_what_it_is_and_whose():
    assert {info.kind for info in hydrogen.KITS.values()} == {
        "acoustic",
        "electronic",
        "percussion",
    }
    assert all(info.licence for info in hydrogen.KITS.values())
    shared = {hydrogen.KITS[name].held_out for name in ("GMRockKit", "The Black Pearl 1.0")}
    assert len(shared) == 1  # they share samples


# ---------------------------------------------------------------------------------------- onsets


@pytest.mark.parametrize("speed", [1.0, 0.9, 1.1])
@pytest.mark.parametrize("drum", ["kick", "snare", "hat"])
def test_leading_silence_is_measured_and_removed(kit_folder, drum, speed):
    others = Others()
    drums = hydrogen.SampledDrums(hydrogen.read_kit(kit_folder), others, 1, 4, speed)
    for count in range(4):
        stroke = drums.hit(drum, count)
        assert stroke.dtype == np.float32
        assert np.max(np.abs(stroke)) == pytest.approx(1)
        assert onset_s(stroke) < 0.0005
        assert len(stroke) == pytest.approx(0.2 / speed * SAMPLE_RATE, rel=0.01)
    assert others.asked == []


def test_soft_attacks_keep_their_beginning():
    rise_s = 0.01  # reaches 30 % after 3 ms
    stroke = hydrogen.cut_to_onset(
        stroke_after_silence(2000, SAMPLE_RATE, rise_s)[:, 0].astype(np.float32)
    )
    envelope_at_2_ms = np.max(np.abs(stroke[: round(0.002 * SAMPLE_RATE)]))
    assert 0.1 < envelope_at_2_ms < 0.35


@pytest.mark.parametrize("silence", [np.zeros(0), np.zeros(1000), np.full(1000, np.nan)])
def test_silence_is_no_stroke(silence):
    assert hydrogen.cut_to_onset(silence.astype(np.float32)) is None


# ------------------------------------------------------------------------------------------ kits


@pytest.mark.parametrize("drum", ["clap", "conga", "cowbell", "crash", "ride"])
def test_drums_a_kit_lacks_are_left_to_the_generator(kit_folder, drum):
    others = Others()  # crash rises slowly, ride is silent, cowbell's file is missing
    drums = hydrogen.SampledDrums(hydrogen.read_kit(kit_folder), others, 1)
    np.testing.assert_array_equal(drums.hit(drum, 3), [1.0])
    assert others.asked == [drum]


def test_the_louder_layers_take_turns(kit_folder):
    kit = hydrogen.read_kit(kit_folder)
    drums = hydrogen.SampledDrums(kit, Others(), 1, n_variants=4)
    strokes = [drums.hit("snare", count) for count in range(4)]
    assert strokes[0] is strokes[2]
    assert strokes[1] is strokes[3]
    assert not np.array_equal(strokes[0][:2000], strokes[1][:2000])
    machine = hydrogen.SampledDrums(kit, Others(), 1, n_variants=1)
    assert machine.hit("snare", 0) is machine.hit("snare", 1)
    np.testing.assert_array_equal(machine.hit("snare", 0), strokes[0])  # the loudest


def test_layered_drums_sound_at_once(kit_folder):
    drums = hydrogen.SampledDrums(hydrogen.read_kit(kit_folder), Others(), 1, layered=True)
    plain = hydrogen.SampledDrums(hydrogen.read_kit(kit_folder), Others(), 1)
    both, alone = drums.hit("kick", 0), plain.hit("kick", 0)
    ratio = both[1000] / alone[1000]
    assert both[0] > ratio * alone[0] + 0.1  # the click of the other kit, at the first sample
    np.testing.assert_allclose(both[1:], ratio * alone[1:], atol=1e-6)
    np.testing.assert_array_equal(drums.hit("hat", 0), plain.hit("hat", 0))


# ---------------------------------------------------------------------------------------- pieces


class Clicks:
    def hit(self, drum, count):
        return np.ones(1, np.float32) if drum == "kick" else np.zeros(1, np.float32)


def test_supplied_sounds_lie_on_the_true_beats_to_the_sample(monkeypatch):
    """The kicks of trance in the drummer's own track, before any mixing."""
    kept = {}

    def keep(tracks, *_):
        kept["drums"] = tracks[0].samples.copy()
        return np.zeros(len(tracks[0].samples), np.float32)

    monkeypatch.setitem(render.__globals__, "mix", keep)
    monkeypatch.setitem(render.__globals__, "add_risers", lambda *_: None)
    track = render("trance", 4, 40.0, bpm=137.123, drum_sounds=lambda kit: Clicks())
    at = np.flatnonzero(kept["drums"])
    beats = (at / track.sample_rate - track.grid.offset_s) * track.grid.bpm / 60
    sixteenth_s = 15.0 / track.grid.bpm
    from_grid = np.abs(beats * 4 - np.round(beats * 4)) * sixteenth_s
    assert len(at) > 20
    assert np.max(from_grid) <= 0.5001 / track.sample_rate
    assert np.mean(np.abs(beats - np.round(beats)) < 0.01) > 0.8


def test_supplied_sounds_change_no_song():
    asked = []

    def watching(kit):
        asked.append(kit)
        return kit

    own = render("funk", 3, 5.0)
    watched = render("funk", 3, 5.0, drum_sounds=watching)
    assert len(asked) == 1
    np.testing.assert_array_equal(own.samples, watched.samples)
    other = render("funk", 3, 5.0, drum_sounds=lambda kit: Clicks())
    assert other.grid == own.grid
    assert other.metadata == own.metadata
    assert not np.array_equal(other.samples, own.samples)


@pytest.fixture
def one_kit(kit_folder, monkeypatch):
    """The kit of these tests is the only one, and pieces are short."""
    monkeypatch.setattr(hydrogen, "FOLDER", kit_folder.parent)
    monkeypatch.setattr(hydrogen, "KITS", {"Kit": hydrogen.KitInfo("electronic", "CC0-1.0")})
    monkeypatch.setattr(hydrogen, "choose_kit", lambda *_: "Kit")
    monkeypatch.setattr(hydrogen, "draw_duration_s", lambda *_: 8.0)
    return kit_folder


def test_the_same_seed_gives_the_same_piece(one_kit):
    first, second = hydrogen.render_piece(2), hydrogen.render_piece(2)
    np.testing.assert_array_equal(first.samples, second.samples)
    assert first.recipe == second.recipe
    assert (first.genre, first.license, first.recipe["kit"]) == (
        hydrogen.GENRES[2],
        "CC0-1.0",
        "Kit",
    )
    assert len(first.samples) == 8 * SAMPLE_RATE
    assert 0.01 < np.max(np.abs(first.samples)) <= 1
    assert not np.array_equal(
        first.samples, hydrogen.render_piece(2 + len(hydrogen.GENRES)).samples
    )


def test_held_out_kits_are_never_trained_on():
    rng = RNG(0)
    chosen = {
        held_out: {
            hydrogen.choose_kit(genre, rng, held_out)
            for genre in hydrogen.GENRES
            for _ in range(40)
        }
        for held_out in (False, True)
    }
    assert not chosen[False] & chosen[True]
    assert chosen[False] | chosen[True] == set(hydrogen.KITS)
    assert 3 <= len(chosen[True]) <= 4


def test_kits_suit_the_genre():
    def share(genre, kind):
        rng = RNG(0)
        names = [hydrogen.choose_kit(genre, rng, False) for _ in range(200)]
        return np.mean([hydrogen.KITS[name].kind == kind for name in names])

    assert share("rock", "acoustic") > 0.8
    assert share("techno", "electronic") > 0.75
    assert share("folk", "percussion") > 0.4
    assert share("rock", "percussion") == 0
    assert not {"piano_solo", "chamber"} & set(hydrogen.GENRES)


def test_missing_kits_are_named(kit_folder, monkeypatch):
    monkeypatch.setattr(hydrogen, "FOLDER", kit_folder.parent)
    monkeypatch.setattr(hydrogen, "KITS", {name: None for name in ("Kit", "Gone")})
    assert hydrogen.missing_tools() == [str(kit_folder.parent / "Gone")]
