import json
import logging
from pathlib import Path

import pytest

from beatgrid.data.discovery import discover, split_tracks
from beatgrid.errors import BeatgridError, LabelError


@pytest.fixture
def folder(tmp_path: Path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "labels").mkdir()

    def add(name: str, audio: str | None = None, content: bytes | None = None, **label) -> None:
        if audio is not None:
            path = tmp_path / "audio" / audio
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if content is not None else name.encode() * 3)
        text = json.dumps({"bpm": 120, **label})
        (tmp_path / "labels" / f"{name}.labels.json").write_text(text)

    add.root = tmp_path
    add.discover = lambda: discover(tmp_path / "audio", tmp_path / "labels")
    return add


def names(tracks):
    return [track.name for track in tracks]


def test_pairs_by_file_name_then_by_own_name_in_the_order_of_names(folder):
    folder("b", audio="elsewhere.mp3", fileName="elsewhere.mp3")
    folder("a", audio="a.FLAC")
    folder("c", audio="c.webm", fileName="not there.wav")
    folder("d", audio="d")
    tracks = folder.discover()
    assert [(t.name, t.audio_path.name) for t in tracks] == [
        ("a", "a.FLAC"),
        ("b", "elsewhere.mp3"),
        ("c", "c.webm"),
        ("d", "d"),
    ]


@pytest.mark.parametrize("name", ["Song (Mix), Pt. 1 = [x] & 'y' #3", "é", "日本", "a.b.c"])
def test_any_name_pairs(folder, name):
    folder(name, audio=f"{name}.ogg")
    assert names(folder.discover()) == [name]


def test_label_without_audio_is_skipped_named_and_counted(folder, caplog):
    folder("a", audio="a.wav")
    folder("lost")
    with caplog.at_level(logging.WARNING):
        assert names(folder.discover()) == ["a"]
    assert "skipped 1 of 2 labels" in caplog.text
    assert "lost.labels.json" in caplog.text


def test_no_pair_at_all_is_an_error(folder):
    folder("a")
    with pytest.raises(BeatgridError, match="none of the 1 labels"):
        folder.discover()


def test_missing_and_empty_folders_are_errors(folder, tmp_path):
    with pytest.raises(BeatgridError, match=r"data\.label_dir=.*: no \*\.labels\.json"):
        folder.discover()
    with pytest.raises(BeatgridError, match=r"data\.audio_dir=.*no such folder"):
        discover(tmp_path / "nowhere", tmp_path)
    with pytest.raises(BeatgridError, match=r"data\.label_dir=.*no such folder"):
        discover(tmp_path, tmp_path / "nowhere")


def test_every_bad_label_is_named_at_once(folder):
    folder("good", audio="good.wav")
    folder("worse", audio="worse.wav", bpm=-3)
    folder("worst", audio="worst.wav", fileName="../../secret.wav")
    with pytest.raises(LabelError) as error:
        folder.discover()
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert "worse.labels.json" in lines[0]
    assert "../../secret.wav" in lines[1]


def test_link_out_of_the_audio_folder_is_refused(folder):
    secret = folder.root / "secret.wav"
    secret.write_bytes(b"x")
    folder("a", audio="b.wav", fileName="link.wav")
    (folder.root / "audio" / "link.wav").symlink_to(secret)
    with pytest.raises(LabelError, match=r"link\.wav"):
        folder.discover()


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
