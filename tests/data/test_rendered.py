import json

import numpy as np
import pytest

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.labels import write_label
from beatgrid.data.rendered import RenderedSource
from beatgrid.errors import BeatgridError
from beatgrid.grid import Grid

SPEC = FeatureSpec(n_mels=8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "features").mkdir()
    (tmp_path / "spec.json").write_text(json.dumps(SPEC.to_dict()))
    for i, name in enumerate(["b", "a"]):
        np.save(tmp_path / "features" / f"{name}.npy", np.full((862, 8), -i, dtype=np.float16))
        path = tmp_path / "labels" / f"{name}.labels.json"
        write_label(path, Grid(120.0 + i, 0.1), 10.0, None, source="own")
    return tmp_path


def test_tracks_come_with_features_and_grid(folder):
    tracks = list(RenderedSource(folder, weight=0.5).tracks(SPEC))
    assert [t.name for t in tracks] == ["a", "b"]
    assert tracks[0].grid == Grid(121.0, 0.1)
    assert tracks[0].load_features().shape == (862, 8)
    assert (tracks[0].n_frames, tracks[0].duration_s) == (862, 10.0)
    assert (tracks[0].weight, tracks[0].label.source, tracks[0].audio_path) == (0.5, "own", None)


def test_amount_can_be_limited(folder):
    assert len(list(RenderedSource(folder, max_hours=0.001).tracks(SPEC))) == 1


def test_other_features_are_refused(folder):
    with pytest.raises(BeatgridError, match="render it again"):
        list(RenderedSource(folder).tracks(FeatureSpec(n_mels=16)))


def test_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(BeatgridError, match="no folder of rendered features"):
        list(RenderedSource(tmp_path).tracks(SPEC))


def test_a_label_without_its_features_is_named(folder):
    (folder / "features" / "a.npy").unlink()
    with pytest.raises(BeatgridError, match=r"a\.npy: no features of .*a\.labels\.json"):
        list(RenderedSource(folder).tracks(SPEC))


def test_features_with_a_damaged_header_are_named(folder):
    path = folder / "features" / "a.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:8] + whole[58:])  # numpy's parser of the header gives up on it
    with pytest.raises(BeatgridError, match=r"a\.npy: no features .*TokenError.* render it again$"):
        list(RenderedSource(folder).tracks(SPEC))
