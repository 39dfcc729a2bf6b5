import pytest

from beatgrid.data.split import HEAD_BYTES, hold_out, recordings, split_tracks
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


def sides(tracks):
    return {side: names(t for t in tracks if t.label.split == side) for side in ("val", "test")}


@pytest.mark.parametrize(
    ("n", "n_val", "n_test"), [(5, 1, 1), (10, 2, 2), (30, 5, 4), (100, 15, 15), (400, 40, 40)]
)
def test_a_share_is_held_out_and_halved(n, n_val, n_test, folder):
    for i in range(n):
        folder(f"t{i:03}", audio=f"t{i:03}.wav")
    tracks = folder.discover()
    held = sides(hold_out(tracks, 0.3, seed=0))
    assert (len(held["val"]), len(held["test"])) == (n_val, n_test)
    assert not set(held["val"]) & set(held["test"])
    assert sides(hold_out(tracks, 0.3, seed=0)) == held
    assert n < 10 or sides(hold_out(tracks, 0.3, seed=1)) != held


def test_versions_of_a_recording_are_held_out_together(folder):
    for i in range(12):
        folder(f"t{i:02}", audio=f"t{i:02}.wav", group=f"g{i // 2}")
    held = sides(hold_out(folder.discover(), 0.3, seed=3))
    for side in held.values():
        assert len(side) == 4 or len(side) == 2
        assert {int(name[1:]) // 2 for name in side} == {int(name[1:]) // 2 for name in side[::2]}


def test_what_labels_say_of_held_out_tracks_is_kept(folder):
    for i, split in enumerate(["val", "test", "train", None, None, None]):
        folder(f"t{i}", audio=f"t{i}.wav", **({} if split is None else {"split": split}))
    assert sides(hold_out(folder.discover(), 0.3, 0)) == {"val": ["t0"], "test": ["t1"]}


def test_one_side_that_labels_name_gives_half_to_the_other(folder):
    for i in range(12):
        folder(f"t{i:02}", audio=f"t{i:02}.wav", split="test" if i < 6 else "train")
    held = sides(hold_out(folder.discover(), 0.3, 0))
    assert (len(held["val"]), len(held["test"])) == (3, 3)
    assert set(held["val"]) | set(held["test"]) == {f"t{i:02}" for i in range(6)}


def test_a_single_named_track_stays_where_it_is(folder):
    for i in range(8):
        folder(f"t{i}", audio=f"t{i}.wav", **({"split": "val"} if i == 3 else {}))
    held = sides(hold_out(folder.discover(), 0.3, 0))
    assert "t3" in held["val"]
    assert len(held["test"]) == 2


def test_too_few_recordings_are_refused(folder):
    for i in range(4):
        folder(f"t{i}", audio=f"t{i}.wav")
    with pytest.raises(BeatgridError, match="4 labelled recordings: 5 are needed"):
        hold_out(folder.discover(), 0.3, 0)
