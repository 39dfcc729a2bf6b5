"""The generator: labels exact to the millisecond, the same seed the same samples."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
from scipy import signal

from beatgrid.data.labels import load_label
from beatgrid.grid import Grid
from beatgrid.rendering import generator as synth
from beatgrid.rendering.generator import drummer
from beatgrid.rendering.generator.arrangement import Song
from beatgrid.rendering.generator.genres import ACOUSTIC_MUSIC, BANDS, ELECTRONIC, TEMPLATES
from beatgrid.rendering.generator.grooves import GROOVES
from beatgrid.rendering.generator.instruments import INSTRUMENTS
from beatgrid.rendering.generator.kits import DRUMS, KITS
from beatgrid.rendering.generator.patterns import BASSES, COMPS, bars
from beatgrid.rendering.generator.render import draw_bpm
from beatgrid.rendering.generator.score import swung

RATE = 44100
STRAIGHT = Song(
    sections=(), beats_per_bar=4, scale=(0, 2, 4, 5, 7, 9, 11), tonic=48, seventh=False,
    swing=0.5, swing_beats=0.5,
)  # fmt: skip


def rise_times_s(samples, times_s, lowest_hz, window_s=0.03):
    """Time near each of ``times_s`` at which the high-passed energy has its steepest relative rise.

    Energy in 1 ms windows centred on each sample; the rise is where it grows most in log terms.
    """
    sos = signal.butter(2, lowest_hz, "highpass", fs=RATE, output="sos")
    power = signal.sosfilt(sos, samples.astype(float)) ** 2
    width = 44
    sums = np.concatenate([[0.0], np.cumsum(power)])
    found = []
    for time_s in times_s:
        i = np.arange(round((time_s - window_s) * RATE), round((time_s + window_s) * RATE))
        i = i[(i >= width) & (i + width < len(samples))]
        if len(i) == 0:
            continue
        after, before = sums[i + width] - sums[i], sums[i] - sums[i - width]
        found.append(i[np.argmax(np.log((after + 1e-7) / (before + 1e-7)))] / RATE)
    return np.array(found)


def test_clicks_are_rounded_one_by_one():
    bpm, offset_s, duration_s = 137.31, 0.4321, 200.0
    samples = synth.click_track(bpm, offset_s, duration_s, RATE, click_s=0.005)
    times_s = Grid(bpm, offset_s).beat_times(duration_s)
    starts = np.flatnonzero((samples[1:] != 0) & (samples[:-1] == 0)) + 1
    assert len(starts) == len(times_s)
    # The first beat lies before the offset: beats run backwards too.
    assert times_s[0] < 0.4321 - 60 / bpm + 1e-9 or times_s[0] == pytest.approx(0.4321)
    np.testing.assert_allclose(starts / RATE, times_s, atol=0.5 / RATE + 1e-9)


def test_click_accent_marks_the_downbeats():
    samples = synth.click_track(120, 0.25, 4.0, RATE, beats_per_bar=3, accent=2.0)
    at_beats = samples[np.round(Grid(120, 0.25, 3).beat_times(4.0) * RATE).astype(int)]
    expected = np.where(Grid(120, 0.25, 3).bar_positions(4.0) == 1, 0.8, 0.4)
    np.testing.assert_allclose(at_beats, expected, rtol=1e-6)


def test_house_kicks_lie_on_the_labelled_beats():
    errors_s = []
    for seed in range(4):
        track = synth.render("house", seed, 12.0, bpm=123.457)
        times_s = track.grid.beat_times(track.duration_s)[1:-1]
        found_s = rise_times_s(track.samples, times_s, 2000.0)
        errors_s.append(np.median(found_s - times_s))
    assert abs(np.median(errors_s)) < 1e-3


# Every third one with each change, all of them with the slow tests.
THIRDS = [
    genre if i % 3 == 0 else pytest.param(genre, marks=pytest.mark.slow)
    for i, genre in enumerate(TEMPLATES)
]


@pytest.mark.parametrize("genre", THIRDS)
def test_every_genre_renders(genre):
    track = synth.render(genre, 3, 2.0)
    low, high = TEMPLATES[genre].bpm
    assert track.samples.dtype == np.float32
    assert track.samples.shape == (2 * RATE,)
    assert np.isfinite(track.samples).all()
    assert 0.05 < np.max(np.abs(track.samples)) <= 1.0
    assert low - 0.5 <= track.grid.bpm <= high + 0.5
    assert track.grid.beats_per_bar == TEMPLATES[genre].beats_per_bar
    assert track.duration_s == 2.0


def test_same_seed_same_samples_in_another_process():
    songs = [("jcore", 5, 6.0), ("boom_bap", 4, 8.0)]
    code = (
        "import hashlib; from beatgrid.rendering.generator import render\n"
        f"for song in {songs}: print(hashlib.sha256(render(*song).samples.tobytes()).hexdigest())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    here = [synth.render(*song).samples.tobytes() for song in songs]
    assert result.stdout.split() == [hashlib.sha256(samples).hexdigest() for samples in here]
    assert synth.render("jcore", 6, 6.0).samples.tobytes() != here[0]


def test_half_of_the_tempi_are_fractional():
    rng = np.random.default_rng(0)
    tempi = [draw_bpm(TEMPLATES["rock"], rng) for _ in range(200)]
    assert 70 < sum(bpm == round(bpm) for bpm in tempi) < 130
    assert all(bpm == round(bpm, 3) for bpm in tempi)


def test_excerpts_begin_at_any_phase():
    grids = [synth.render("house", seed, 0.3).grid for seed in range(24)]
    phase = np.array([g.first_beat_s / g.period_s for g in grids])
    assert np.histogram(phase, 4, (0, 1))[0].min() >= 2


def test_dataset_is_a_labelled_folder(tmp_path):
    written = list(
        synth.write_dataset(tmp_path, 3, seed=1, duration_s=2.0, genres=("house", "waltz"))
    )
    assert [path.name for path, _ in written] == [
        "house_000.flac",
        "waltz_001.flac",
        "house_002.flac",
    ]
    for path, track in written:
        label = load_label(tmp_path / "labels" / f"{path.stem}.labels.json")
        assert label.grid == track.grid
        assert label.file_name == path.name
        assert label.duration_s == track.duration_s
        assert label.downbeat == "reliable"
        assert label.genre == track.genre
        samples, rate = sf.read(path, dtype="float32")
        assert rate == RATE
        np.testing.assert_allclose(samples, track.samples, atol=1 / 2**15)
    again = list(synth.write_dataset(tmp_path, 1, seed=1, duration_s=2.0, genres=("house",)))
    assert again[0][1].grid == written[0][1].grid


@pytest.mark.parametrize("genre", TEMPLATES)
def test_templates_name_things_that_exist_and_fit_their_metre(genre):
    template = TEMPLATES[genre]
    steps_allowed = {2: {6, 12, 16}, 3: {9, 12}, 4: {12, 16, 24, 32}}[template.beats_per_bar]
    figures = []
    for part in template.parts:
        assert set(part.voices) <= set(INSTRUMENTS)
        assert bool(part.figures) == (part.role in ("bass", "comp"))
        figures += [{"bass": BASSES, "comp": COMPS}[part.role][name] for name in part.figures]
    assert set(template.kits) <= set(KITS)
    for groove in template.grooves:
        assert set(GROOVES[groove]) <= set(DRUMS)
        figures += GROOVES[groove].values()
    assert {len(bar) for figure in figures for bar in bars(figure)} <= steps_allowed


def test_first_genres_of_a_set_mix_the_families():
    names = set(synth.GENRES[:9])
    assert names & set(ELECTRONIC)
    assert names & set(BANDS)
    assert names & set(ACOUSTIC_MUSIC)


def test_half_and_double_time_keep_the_beat():
    # One stroke on each quarter: at half time every other beat, at double time every eighth.
    for rate, expected in ((0.5, [0.0, 2.0]), (1.0, [0, 1, 2, 3]), (2.0, np.arange(8) / 2)):
        for bar in range(2):
            strokes = drummer._groove_strokes(["x...x...x...x..."], bar, 4, rate, STRAIGHT)
            np.testing.assert_allclose([beat for beat, _ in strokes], expected)


def test_swing_moves_off_beats_only():
    song = replace(STRAIGHT, swing=0.62, swing_beats=0.5)
    assert [swung(b, song, 4) for b in (0.0, 0.25, 0.5, 0.75)] == pytest.approx(
        [0.0, 0.31, 0.5, 0.81]
    )
    assert swung(1 / 3, song, 3) == 1 / 3  # triplets are what swing imitates


def test_unknown_genre_names_the_choices():
    with pytest.raises(ValueError, match=r"unknown genre 'hause'.*house"):
        synth.render("hause", 0)


@pytest.mark.parametrize("arguments", [{"duration_s": 0.0}, {"bpm": -1.0}])
def test_lengths_and_tempi_must_be_positive(arguments):
    with pytest.raises(ValueError, match="must be positive"):
        synth.render("house", 0, **arguments)
