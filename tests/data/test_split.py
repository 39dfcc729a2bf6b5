import pytest

from beatgrid.data.split import HEAD_BYTES, recordings, split_tracks
from beatgrid.errors import BeatgridError
from tests.data.test_discovery import names


def test_last_tracks_validate_after_a_seeded_shuffle(folder):
    for i in range(8):
        folder(f"t{i}", audio=f"t{i}.wav")
    tracks = folder.discover()
    splits = split_tracks(tracks, val_count=3)
    assert names(splits["train"]) == [f"t{i}" for i in range(5)]
    assert names(splits["val"]) == ["t5", "t6", "t7"]
    shuffled = split_tracks(tracks, val_count=3, seed=1)
    assert names(shuffled["val"]) != names(splits["val"])
    assert names(split_tracks(tracks, 3, seed=1)["val"]) == names(shuffled["val"])
    assert split_tracks(tracks, 0)["val"] == []


def test_one_track_is_left_to_train_on(folder, caplog):
    folder("a", audio="a.wav")
    folder("b", audio="b.wav")
    splits = split_tracks(folder.discover(), val_count=5)
    assert (names(splits["train"]), names(splits["val"])) == (["a"], ["b"])
    assert "only 2 tracks: 1 validate" in caplog.text


def test_split_key_decides_and_the_rest_trains(folder):
    folder("a", audio="a.wav", split="val")
    folder("b", audio="b.wav")
    folder("c", audio="c.wav", split="test")
    splits = split_tracks(folder.discover(), val_count=1)
    assert {side: names(tracks) for side, tracks in splits.items()} == {
        "train": ["b"],
        "val": ["a"],
        "test": ["c"],
    }


def test_versions_of_one_recording_stay_on_one_side(folder, caplog):
    folder("a", audio="a.wav")
    folder("b", audio="b.wav", group="tune")
    folder("c", audio="c.wav", group="tune")
    folder("d", audio="d.wav")
    splits = split_tracks(folder.discover(), val_count=2)
    assert (names(splits["train"]), names(splits["val"])) == (["a", "b", "c"], ["d"])
    assert "moved 1 tracks from val to train" in caplog.text


def test_equal_audio_under_two_names_is_one_recording(folder):
    folder("a", audio="a.wav", content=b"the same")
    folder("b", audio="b.wav", content=b"anything")
    folder("c", audio="c.wav", content=b"the same")
    splits = split_tracks(folder.discover(), val_count=1)
    assert names(splits["val"]) == []
    assert names(splits["train"]) == ["a", "b", "c"]


def test_group_and_equal_audio_link_in_a_chain(folder):
    folder("a", audio="a.wav", content=b"the same")
    folder("b", audio="b.wav", content=b"the same", group="tune")
    folder("c", audio="c.wav", content=b"another version", group="tune")
    folder("d", audio="d.wav")
    splits = split_tracks(folder.discover(), val_count=2)
    assert names(splits["train"]) == ["a", "b", "c"]


def test_training_copy_of_a_held_out_recording_is_left_out(folder, caplog):
    folder("a", audio="a.wav", group="tune", split="train")
    folder("b", audio="b.wav", group="tune", split="val")
    folder("c", audio="c.wav", split="train")
    splits = split_tracks(folder.discover(), val_count=0)
    assert (names(splits["train"]), names(splits["val"])) == (["c"], ["b"])
    assert "left 1 training tracks out" in caplog.text


def test_nothing_to_train_on_is_an_error(folder):
    folder("a", audio="a.wav", split="val")
    with pytest.raises(BeatgridError, match="no track is left to train on"):
        split_tracks(folder.discover(), val_count=0)


def test_negative_val_count_is_an_error(folder):
    folder("a", audio="a.wav")
    with pytest.raises(BeatgridError, match="val_count=-1"):
        split_tracks(folder.discover(), val_count=-1)


def test_files_that_only_begin_alike_are_two_recordings(folder):
    folder("a", audio="a.wav", content=b"x" * HEAD_BYTES + b"1")
    folder("b", audio="b.wav", content=b"x" * HEAD_BYTES + b"2")
    folder("c", audio="c.wav", content=b"x" * HEAD_BYTES + b"1")
    folder("d", audio="d.wav", content=b"y" * HEAD_BYTES + b"1")
    a, b, c, d = recordings(folder.discover())
    assert a == c
    assert len({a, b, d}) == 3


def test_a_file_gone_since_it_was_found_equals_no_other(folder):
    folder("a", audio="a.wav", content=b"same")
    folder("b", audio="b.wav", content=b"same")
    tracks = folder.discover()
    tracks[0].audio_path.unlink()
    assert len(set(recordings(tracks))) == 2
