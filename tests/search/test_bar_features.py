"""Features of the beats of a bar, and what they decide, on tracks whose bars are known."""

from dataclasses import replace

import numpy as np
import pytest

from beatgrid.calibration.synthetic import pulses
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridSearch
from beatgrid.search.bar_features import BAR_FEATURES, bar_features, capped
from beatgrid.search.downbeat import bars_of
from beatgrid.search.evidence import evidence_from
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.line import Line
from beatgrid.search.odds import softmax
from beatgrid.search.ranker import LinearModel, packaged

FRAME_RATE = 100.0
GRID = Grid(120.0, 0.5)
DURATION_S = 80.0
LINE = Line.through(GRID.offset_s, GRID.period_s, 0.0, DURATION_S)
FIRST = round((GRID.offset_s - LINE.time_s) / LINE.period_s) % 4
BOUNDARIES = [name for name in BAR_FEATURES if name.startswith(("change", "shape"))]


def track(downbeats_at=0, n_bands=32, music_from_s=0.0):
    """A chord for each bar of the grid; the network takes another beat of the bar for the first."""
    n_frames = round(DURATION_S * FRAME_RATE)
    times_s = np.arange(n_frames) / FRAME_RATE
    beats_s = GRID.beat_times(DURATION_S)
    position = GRID.bar_positions(DURATION_S) - 1
    bar = np.floor((times_s + 1e-9 - GRID.offset_s) / (4 * GRID.period_s)).astype(int) + 1
    chords_db = np.random.default_rng(1).uniform(-40, 0, (bar.max() + 1, n_bands))
    spectrum_db = np.where(times_s[:, None] + 1e-9 < music_from_s, -70.0, chords_db[bar])
    low = pulses(beats_s, np.where(position == 0, 1.0, 0.25), n_frames, FRAME_RATE)
    return Activation(
        0.01 + 0.9 * pulses(beats_s, np.ones(len(beats_s)), n_frames, FRAME_RATE),
        FRAME_RATE,
        DURATION_S,
        downbeat=0.01 + 0.9 * pulses(beats_s, position == downbeats_at, n_frames, FRAME_RATE),
        onset=np.stack((low, *np.full((3, n_frames), 0.5)), axis=1),
        spectrum_db=spectrum_db,
    )


def extractor_of(activation):
    odds = {"miss_probability": 0.1, "max_log_odds": 5.0}
    evidence = evidence_from(activation, smoothing_s=0.01, search_window=None, **odds)
    return FeatureExtractor(evidence, activation, **odds)


def column(features, name):
    return np.array([of_beat[name] for of_beat in features])


def features_along(extractor, line):
    return bar_features(extractor, line.times_s, line.first)


def one_hot(phase):
    return np.eye(4)[phase % 4] - 0.25


@pytest.mark.parametrize("n_bands", [32, 8, 2])
def test_every_boundary_is_where_the_chords_change(n_bands):
    features = features_along(extractor_of(track(n_bands=n_bands)), LINE)
    # One band has a level and no shape.
    names = [name for name in BOUNDARIES if n_bands > 8 or name.startswith("change")]
    for name in names:
        assert column(features, name) == pytest.approx(one_hot(FIRST), abs=1e-6), name


def test_the_same_level_in_another_shape_is_no_other_shape():
    """Louder bars change the level of all bands alike, and no shape."""
    activation = track()
    louder = np.where((np.arange(len(activation)) // 200) % 2 == 0, -30.0, -10.0)
    activation = replace(activation, spectrum_db=np.repeat(louder[:, None], 32, axis=1))
    features = features_along(extractor_of(activation), LINE)
    assert column(features, "shape_4_mid") == pytest.approx(0.0, abs=1e-6)
    # Levels change every two seconds from 0 on, half a second before a downbeat.
    assert column(features, "change_4_mid") == pytest.approx(one_hot(FIRST - 1), abs=1e-6)


def test_the_network_s_downbeats_and_phrases():
    features = features_along(extractor_of(track(downbeats_at=2)), LINE)
    downbeat = column(features, "downbeat")
    assert np.argmax(downbeat) == (FIRST + 2) % 4
    assert np.ptp(downbeat) == pytest.approx(12.0)  # the cap
    assert downbeat.sum() == pytest.approx(0.0, abs=1e-9)
    # One beat in four stands out alike in every phrase: mean 0, deviation 1.
    expected = one_hot(FIRST + 2) * 4 / np.sqrt(3)
    for bars in (2, 4, 8):
        assert column(features, f"downbeat_phrase_{bars}") == pytest.approx(expected, abs=0.1)


def test_onsets_are_those_of_the_beats_that_follow():
    extractor = extractor_of(track())
    features = features_along(extractor, LINE)
    on_beat = column(features, "low_0")
    assert np.argmax(on_beat) == FIRST
    # A quarter of the strength on the other beats: half of its square root.
    strength = float(extractor.sample(extractor.onset, np.array([GRID.offset_s]))[0, 0])
    others = np.delete(on_beat, FIRST)
    assert on_beat[FIRST] - others == pytest.approx(np.sqrt(strength) / 2, rel=0.02)
    for beats in range(4):
        assert column(features, f"low_{beats}") == pytest.approx(np.roll(on_beat, -beats))
        assert column(features, f"mid_{beats}") == pytest.approx(0.0, abs=0.01)


def test_music_begins_with_the_first_sounding_beat():
    features = features_along(extractor_of(track(music_from_s=10.0)), LINE)
    k = round((10.0 - LINE.time_s) / LINE.period_s)
    assert column(features, "first") == pytest.approx(one_hot(k))


def test_features_do_not_depend_on_how_beats_are_numbered():
    extractor = extractor_of(track(downbeats_at=2))
    later = replace(
        LINE, time_s=LINE.time_s + LINE.period_s, first=LINE.first - 1, last=LINE.last - 1
    )
    features, renumbered = features_along(extractor, LINE), features_along(extractor, later)
    for name in BAR_FEATURES:
        rolled = np.roll(column(features, name), -1)
        assert column(renumbered, name) == pytest.approx(rolled, abs=1e-9), name


def test_a_track_of_few_beats_has_no_phrases():
    activation = track()
    line = Line.through(GRID.offset_s, GRID.period_s, 0.0, 6.0)
    features = features_along(extractor_of(activation), line)
    for bars in (2, 4, 8):
        assert column(features, f"downbeat_phrase_{bars}") == pytest.approx(0.0)
    assert all(np.isfinite(list(of_beat.values())).all() for of_beat in features)


def test_scores_far_apart_are_capped_and_others_kept():
    assert capped(np.array([0.0, 24.0, 6.0])) == pytest.approx([0.0, 12.0, 3.0])
    assert capped(np.array([0.0, 2.0])) == pytest.approx([0.0, 2.0])
    assert capped(np.zeros(4)) == pytest.approx(0.0)


def test_a_model_outvotes_the_network_where_chords_tell():
    extractor = extractor_of(track(downbeats_at=2))
    plain = bars_of(extractor, LINE, (4, 3))
    assert plain.phase == (FIRST + 2) % 4
    model = LinearModel(("shape_4_mid",), np.array([3.0]))
    bars = bars_of(extractor, LINE, (4, 3), model)
    assert (bars.beats_per_bar, bars.phase) == (4, FIRST)
    # Of the lengths compared four is chosen as before, of its beats the model's softmax tells.
    assert bars.length_probability == plain.length_probability
    expected = softmax(3.0 * one_hot(FIRST)).max() * plain.length_probability
    assert bars.probability == pytest.approx(expected)


@pytest.mark.parametrize("missing", ["spectrum_db", "model"])
def test_without_spectrum_or_model_the_network_decides(missing):
    activation = track(downbeats_at=2)
    model = LinearModel(("shape_4_mid",), np.array([3.0]))
    if missing == "spectrum_db":
        activation = replace(activation, spectrum_db=None)
        assert features_along(extractor_of(activation), LINE) is None
    else:
        model = None
    extractor = extractor_of(activation)
    assert bars_of(extractor, LINE, (4, 3), model) == bars_of(extractor, LINE, (4, 3))


def test_bars_of_another_length_are_left_to_the_network():
    activation = track()
    beats_s = GRID.beat_times(DURATION_S)
    in_three = pulses(beats_s, np.arange(len(beats_s)) % 3 == 1, len(activation), FRAME_RATE)
    extractor = extractor_of(replace(activation, downbeat=0.01 + 0.9 * in_three))
    model = LinearModel(("shape_4_mid",), np.array([30.0]))
    bars = bars_of(extractor, LINE, (4, 3), model)
    assert bars.beats_per_bar == 3
    assert bars == bars_of(extractor, LINE, (4, 3))


def test_a_search_takes_the_model_from_its_ranker():
    activation, search = track(downbeats_at=2), GridSearch()
    ranker = packaged("generic")
    before = search(activation, ranker)
    assert before.grid.first_downbeat_s == pytest.approx(1.5, abs=0.005)
    fitted = replace(ranker, bars=LinearModel(("shape_4_mid",), np.array([9.0])))
    found = search(activation, fitted.to_dict())
    assert found.grid.first_downbeat_s == pytest.approx(0.5, abs=0.005)
    assert found.downbeat_confidence > 0.99
    assert (found.bpm_raw, found.confidence) == (before.bpm_raw, before.confidence)


def test_bars_on_both_sides_of_an_edit_are_the_model_s():
    """A third of a beat is cut out at 40 s; chords tell the bars, the network is half a bar off."""
    activation = track(downbeats_at=2)
    cut = slice(4000, 4017)
    parts = ("beat", "downbeat", "onset", "spectrum_db")
    edited = replace(
        activation,
        duration_s=DURATION_S - 0.17,
        **{part: np.delete(getattr(activation, part), cut, axis=0) for part in parts},
    )
    ranker = packaged("generic")
    model = LinearModel(("shape_4_mid",), np.array([9.0]))
    downbeats_s = GRID.downbeat_times(DURATION_S)
    after = downbeats_s > 40.1
    true_s = np.concatenate((downbeats_s[~after], downbeats_s[after] - 0.17))
    for fitted, beats_late in ((replace(ranker, bars=model), 0), (ranker, 2)):
        beats = GridSearch()(edited, fitted).beats
        # The bar of the edit itself apart.
        found_s = beats.times_s[beats.bar_position == 1]
        found_s = found_s[abs(found_s - 40.0) > 4]
        distance_s = found_s[:, None] - beats_late * GRID.period_s - true_s
        assert np.abs(distance_s).min(axis=1).max() < 0.02
        assert len(found_s) >= 34
