import logging
import os
import sys

import pytest

from beatgrid.data.discovery import AudioFolder, discover
from beatgrid.data.labels import Label
from beatgrid.errors import BeatgridError, LabelError
from beatgrid.grid import Grid


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
    with pytest.raises(BeatgridError, match=r"data\.label_dir=.*no such folder"):
        discover(tmp_path, tmp_path / ("x" * 300))


def test_a_folder_that_cannot_be_read_is_one_line(folder, monkeypatch):
    folder("a", audio="a.wav")
    scandir = os.scandir

    def forbidden(path):
        if os.path.basename(path) == "audio":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(BeatgridError, match=r"data\.audio_dir=.*cannot be read \(Permission"):
        folder.discover()


def test_a_label_that_links_to_itself_is_named(folder):
    folder("a", audio="a.wav")
    loop = folder.root / "labels" / "loop.labels.json"
    loop.symlink_to(loop)
    with pytest.raises(LabelError, match=r"loop\.labels\.json: cannot read the label"):
        folder.discover()


def test_a_path_longer_than_any_file_has_is_no_audio(folder):
    folder("a", audio="a.wav", fileName="/".join(["y" * 250] * 20))
    assert [t.audio_path.name for t in folder.discover()] == ["a.wav"]


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


def test_own_name_does_not_lead_out_of_the_audio_folder_either(folder):
    (folder.root / "secret.wav").write_bytes(b"x")
    folder("a")
    (folder.root / "audio").mkdir(exist_ok=True)
    (folder.root / "audio" / "a.wav").symlink_to(folder.root / "secret.wav")
    with pytest.raises(LabelError, match=r"a\.labels\.json: its audio .*secret\.wav, outside"):
        folder.discover()


def test_audio_stays_inside_its_folder(tmp_path):
    audio_dir = tmp_path / "audio"
    (audio_dir / "sub").mkdir(parents=True)
    (tmp_path / "outside.wav").touch()
    (audio_dir / "x.wav").touch()
    (audio_dir / "link.wav").symlink_to(tmp_path / "outside.wav")
    (audio_dir / "inside.wav").symlink_to("x.wav")
    (audio_dir / "up").symlink_to(tmp_path)
    (audio_dir / "loop.wav").symlink_to(audio_dir / "loop.wav")
    (tmp_path / "linked").symlink_to(audio_dir)  # the folder itself may be a link

    def named(name, folder=audio_dir):
        label = Label(tmp_path / "x.labels.json", Grid(120, 0), file_name=name)
        return AudioFolder(folder).named(label)

    assert named("sub/../x.wav") == audio_dir / "sub/../x.wav"
    assert named("inside.wav") == audio_dir / "inside.wav"
    assert named("x.wav", tmp_path / "linked") == tmp_path / "linked" / "x.wav"
    for name in ("nowhere.wav", "sub", "sub/nowhere.wav", None):
        assert named(name) is None
    for name in ("link.wav", "up/outside.wav"):
        with pytest.raises(LabelError, match=r"leads to .*outside.wav, outside"):
            named(name)
    if sys.version_info < (3, 13):  # later versions leave it to whoever opens the file
        with pytest.raises(LabelError, match=r"loop\.wav is a link to itself"):
            named("loop.wav")


def test_case_and_composition_of_accents_do_not_matter(folder):
    folder("a", audio="e\u0301.WAV", fileName="\u00e9.wav")
    folder("b", audio="B.Flac", fileName="b.flac")
    folder("c", audio="C.wav", fileName="c.wav", content=b"other")
    (folder.root / "audio" / "c.wav").write_bytes(b"exact")
    assert [t.audio_path.name for t in folder.discover()] == ["e\u0301.WAV", "B.Flac", "c.wav"]


def test_labels_in_capitals_count_and_those_of_file_managers_do_not(folder):
    folder("T0", audio="T0.wav")
    labels = folder.root / "labels"
    (labels / "T0.labels.json").rename(labels / "T0.LABELS.JSON")
    (labels / "._T0.labels.json").write_bytes(b"\0\5\26\7")
    assert names(folder.discover()) == ["T0"]


def warnings_of(caplog, folder):
    """Every line that discovering a folder logs."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        folder.discover()
    assert all("\n" not in message for message in caplog.messages)
    return caplog.messages


def test_a_doubt_of_many_labels_is_said_once(folder, caplog):
    for i in range(30):
        folder(f"t{i:02}", audio=f"t{i:02}.wav", Suspect="octave")
    (message,) = warnings_of(caplog, folder)
    assert message.startswith(str(folder.root / "labels" / "t00.labels.json"))
    assert 'the key "Suspect" is ignored, did you mean "suspect"?' in message
    assert "(so do 29 other labels: t01.labels.json, " in message
    assert "and 19 more" in message


def test_the_number_of_doubts_said_is_bounded(folder, caplog):
    for i in range(60):
        folder(f"t{i:02}", audio=f"t{i:02}.wav", duration=10, downbeatOffset=100 + i)
    messages = warnings_of(caplog, folder)
    assert len(messages) == 51
    assert messages[-1] == "10 further doubts about labels"


def test_labels_that_contradict_each_other_on_one_file_are_named(folder, caplog):
    folder("a", audio="a.wav", downbeatOffset=0.1)
    folder("b", fileName="a.wav", downbeatOffset=2.1)
    folder("c", fileName="A.WAV", downbeatOffset=0.6)
    same, other = warnings_of(caplog, folder)
    assert "b.labels.json: describes the same file as a.labels.json (bpm 120" in same
    assert "c.labels.json: describes the same file as a.labels.json and contradicts it" in other
    assert "downbeatOffset 0.6; there bpm 120, downbeatOffset 0.1" in other


def test_audio_under_another_name_than_the_labels_is_said(folder, caplog):
    folder("a", audio="a.wav", fileName="gone.mp3")
    folder("song", fileName="tune.mp3")
    (folder.root / "audio" / "tune.wav").write_bytes(b"x")
    taken, skipped = warnings_of(caplog, folder)
    assert "a.labels.json: no such fileName, the audio of the label's own name is taken" in taken
    assert "song.labels.json (its fileName is 'tune.mp3'; did you mean 'tune.wav'?)" in skipped


def test_labels_in_sub_folders_are_counted_not_read(folder, caplog):
    folder("a", audio="a.wav")
    deep = folder.root / "labels" / "sub" / "deep"
    deep.mkdir(parents=True)
    for name in ("b", "c"):
        (deep / f"{name}.labels.json").write_text("{}")
    (message,) = warnings_of(caplog, folder)
    assert "2 labels in sub-folders are not read" in message
    assert str(deep / "b.labels.json") in message
    (folder.root / "labels" / "a.labels.json").unlink()
    with pytest.raises(BeatgridError, match=r"did you mean .*sub/deep\?"):
        folder.discover()


def test_names_in_messages_are_harmless(folder, caplog):
    folder("\x1b[31mred\n", audio="\x1b[31mred\n.wav", Suspect="octave")
    folder("\x07lost")
    key, lost = warnings_of(caplog, folder)
    assert r"\x1b[31mred\n.labels.json: the key" in key
    assert r"\x07lost.labels.json" in lost
    assert "\x1b" not in key + lost
    folder("\x1bbad", audio="bad.wav", bpm=0)
    with pytest.raises(LabelError, match=r"\\x1bbad\.labels\.json: bpm is 0"):
        folder.discover()
