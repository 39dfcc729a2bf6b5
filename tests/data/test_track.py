import logging

import numpy as np
import pytest

from beatgrid.audio.cache import FeatureCache
from beatgrid.audio.features import FeatureSpec
from beatgrid.data.discovery import discover
from beatgrid.data.labels import write_label
from beatgrid.data.track import open_track, open_tracks, score_alternatives, score_track
from beatgrid.errors import LabelError
from beatgrid.grid import Activation, Grid
from beatgrid.search import Alternative, GridEstimate
from tests.data.memory import track_of

SPEC = FeatureSpec(n_mels=16)


@pytest.fixture
def clicks(click_folder, tmp_path):
    """The first click track (12 s), described by a label that a test writes."""

    def found(grid=None, duration_s=None):
        path = tmp_path / "labels" / "click_a.labels.json"
        write_label(path, grid or Grid(120.0, 0.31), duration_s, None)
        (track,) = discover(click_folder.path / "audio", path.parent)
        return track

    return found


@pytest.fixture
def cache(click_folder):
    return FeatureCache(click_folder.path / "cache", SPEC)


def test_features_come_with_opening(clicks, cache):
    track = clicks()
    with pytest.raises(RuntimeError, match="open_track"):
        track.load_features()
    opened = open_track(track, cache)
    assert opened.load_features().shape == (opened.n_frames, 16)
    assert opened.n_frames == 1 + 12 * 44100 // 512
    assert (opened.duration_s, opened.audio_duration_s) == (12.0, 12.0)
    assert open_track(opened, cache) is opened
    assert (opened.name, opened.grid) == ("click_a", Grid(120.0, 0.31))


def test_the_labels_duration_ends_the_grid_and_a_great_difference_is_doubted(clicks, cache, caplog):
    opened = open_track(clicks(duration_s=5.0), cache)
    assert (opened.duration_s, opened.audio_duration_s) == (5.0, 12.0)
    assert "duration 5.0 s, but click_a.wav has 12.0 s" in caplog.text
    with pytest.raises(LabelError, match="in milliseconds"):
        open_track(clicks(duration_s=12000.0), cache)


def test_an_offset_beyond_the_audio_is_doubted(clicks, cache, caplog):
    with caplog.at_level(logging.WARNING):
        open_track(clicks(Grid(120.0, 12.5)), cache)
    (message,) = caplog.messages
    assert "click_a.labels.json: downbeatOffset is 12.5 s, beyond the end at 12 s" in message


def test_a_track_without_a_beat_is_refused(clicks, cache):
    with pytest.raises(LabelError, match=r"no beat lies in the 0\.2 s of click_a\.wav"):
        open_track(clicks(Grid(10.0, 5.0), duration_s=0.2), cache)


def test_unusable_tracks_are_reported_and_left_out(clicks, cache):
    good, bad = clicks(), clicks(duration_s=12000.0)
    failed = []
    opened = list(open_tracks([bad, good], cache, failed.append))
    assert [track.label for track in opened] == [good.label]
    assert "milliseconds" in str(failed[0])

    def stop(error):
        raise error

    with pytest.raises(LabelError):
        list(open_tracks([bad, good], cache, stop))


def test_bars_are_judged_only_where_label_and_activation_know_them():
    activation = Activation(np.full(1000, 0.1), 100.0, downbeat=np.full(1000, 0.1))
    blind = Activation(np.full(1000, 0.1), 100.0)
    found = GridEstimate(grid=Grid(120.0, 0.25), confidence=0.7)
    features = np.zeros((1000, 4))

    def score(downbeat, activation):
        track = track_of(features, Grid(120.0, 0.25), 10.0, downbeat=downbeat)
        return score_track(track, activation, found)

    assert score("reliable", activation).downbeat_ok is True
    assert score("likely", activation).downbeat_ok is None
    assert score("reliable", blind).downbeat_ok is None
    assert score("reliable", blind).confidence == 0.7


def test_alternatives_are_judged_by_every_beat():
    rivals = [(240.0, 0.0), (60.0, 0.25), (120.0, 0.255), (120.0, 0.0)]
    found = GridEstimate(
        grid=Grid(60.0, 0.25),
        alternatives=tuple(Alternative(bpm, at_s, 1.0, bpm / 60, 0.1) for bpm, at_s in rivals),
    )
    track = track_of(np.zeros((1000, 4)), Grid(120.0, 0.25), 10.0)
    judged = list(score_alternatives(track, found))
    assert [alternative.bpm for alternative, _ in judged] == [240.0, 60.0, 120.0, 120.0]
    assert [right for _, right in judged] == [False, False, True, False]
