import logging
import os
import time

import pytest

from beatgrid.audio.find import AUDIO_SUFFIXES, find_audio
from beatgrid.audio.path_list import write_paths
from beatgrid.errors import AudioError, BeatgridError


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["b.mp3", "a.FLAC", "sub/c.wav", "sub/[d] (x).ogg", "notes.txt", ".hidden.wav"]:
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "music"


def names(files):
    return [os.path.basename(file.path) for file in files]


def places(wanted):
    return [file.place for file in find_audio(wanted)]


def test_a_folder_means_its_audio_at_any_depth(library):
    assert names(find_audio("music")) == ["a.FLAC", "b.mp3", "[d] (x).ogg", "c.wav"]


def test_patterns_lists_and_plain_files(library):
    assert names(find_audio("music/*.mp3")) == ["b.mp3"]
    assert names(find_audio("music/**/*.wav")) == [".hidden.wav", "c.wav"]
    assert names(find_audio(["music/b.mp3", "music"])) == [
        "b.mp3",
        "a.FLAC",
        "[d] (x).ogg",
        "c.wav",
    ]
    assert names(find_audio(str(library / "*.FLAC"))) == ["a.FLAC"]


def test_a_name_that_looks_like_a_pattern_is_a_name_first(library):
    assert names(find_audio("music/sub/[d] (x).ogg")) == ["[d] (x).ogg"]


def test_any_named_file_is_tried_whatever_its_suffix(library):
    assert names(find_audio("music/notes.txt")) == ["notes.txt"]


@pytest.mark.parametrize("pattern", ["nowhere", "music/*.opus", "music/nowhere/*"])
def test_what_means_no_file_is_an_error(library, pattern):
    with pytest.raises(AudioError, match="no such file or folder"):
        find_audio(pattern)


@pytest.mark.parametrize("wanted", [[], "", [""]])
def test_nothing_is_an_error(library, wanted):
    with pytest.raises(BeatgridError, match="names no file"):
        find_audio(wanted)


def test_a_pattern_that_is_none_is_an_error(library):
    with pytest.raises(AudioError, match="not a pattern"):
        find_audio("music/**x")


@pytest.mark.parametrize("length", [300, 5000])
def test_a_name_too_long_for_any_file_is_an_error(library, length):
    with pytest.raises(AudioError, match="no such file or folder"):
        find_audio("x" * length)


def test_a_place_is_below_what_was_named_whatever_else_is(library):
    assert places("music") == ["a.FLAC", "b.mp3", "sub/[d] (x).ogg", "sub/c.wav"]
    assert places("music/sub/") == ["[d] (x).ogg", "c.wav"]
    assert places("music/sub/c.wav") == ["c.wav"]
    assert places("music/*/c.wav") == ["sub/c.wav"]
    assert places(["music/sub/c.wav", "music"])[0] == "c.wav"
    (library / "sub" / "c.wav").unlink()
    (library / "sub" / "[d] (x).ogg").unlink()
    assert places("music") == ["a.FLAC", "b.mp3"]


@pytest.mark.parametrize("suffix", [".wma", ".oga", ".aifc", ".caf", ".MP4", ".m4b", ".wv", ".mp2"])
def test_folders_are_searched_for_all_that_decodes(tmp_path, suffix):
    (tmp_path / f"x{suffix}").touch()
    (tmp_path / "x.jpg").touch()
    assert names(find_audio(str(tmp_path))) == [f"x{suffix}"]
    assert suffix.lower() in AUDIO_SUFFIXES


def test_hidden_files_and_folders_are_left_out(library):
    for hidden in (".AppleDouble/b.wav", "sub/.Trash/c.wav", "._b.mp3"):
        (library / hidden).parent.mkdir(exist_ok=True)
        (library / hidden).touch()
    assert names(find_audio("music")) == ["a.FLAC", "b.mp3", "[d] (x).ogg", "c.wav"]


def test_links_are_followed_once_and_loops_end(library, tmp_path):
    (tmp_path / "elsewhere" / "album").mkdir(parents=True)
    (tmp_path / "elsewhere" / "album" / "e.wav").touch()
    (library / "0 linked").symlink_to(tmp_path / "elsewhere")
    (library / "1 linked again").symlink_to(tmp_path / "elsewhere")
    (library / "0 sub").symlink_to(library / "sub")  # the way without links counts
    (library / "sub" / "loop").symlink_to(library)
    (tmp_path / "elsewhere" / "back").symlink_to(library)
    (library / "to itself.wav").symlink_to(library / "to itself.wav")
    (library / "broken.wav").symlink_to("nowhere.wav")
    (library / "file link.wav").symlink_to(library / "sub" / "c.wav")
    assert places("music") == [
        "0 linked/album/e.wav",
        "a.FLAC",
        "b.mp3",
        "file link.wav",
        "sub/[d] (x).ogg",
        "sub/c.wav",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads all folders")
def test_a_folder_that_cannot_be_read_is_named(library, caplog):
    (library / "sub").chmod(0)
    with caplog.at_level(logging.WARNING):
        assert names(find_audio("music")) == ["a.FLAC", "b.mp3"]
    (library / "sub").chmod(0o700)
    assert "music/sub: left out, cannot be read (Permission denied)" in caplog.text


def test_a_list_names_files_and_folders_without_patterns(library):
    write_paths("list.txt", ["music/sub", "music/b.mp3", "music/*.FLAC", "gone.wav"])
    found = find_audio("@list.txt")
    assert [file.path for file in found] == [
        "music/sub/[d] (x).ogg",
        "music/sub/c.wav",
        "music/b.mp3",
        "music/*.FLAC",
        "gone.wav",
    ]


def test_a_file_whose_name_looks_like_a_list_is_a_file_first(library):
    (library.parent / "@x.wav").touch()
    assert names(find_audio("@x.wav")) == ["@x.wav"]


def test_home_is_where_it_always_is(library, monkeypatch):
    monkeypatch.setenv("HOME", str(library))
    assert names(find_audio("~/sub")) == ["[d] (x).ogg", "c.wav"]
    with pytest.raises(AudioError, match="no such file"):
        find_audio("~nobody at all/x.wav")


def test_twenty_thousand_files_take_a_second(tmp_path):
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
        for i in range(1000):
            (tmp_path / str(folder) / f"{i}.mp3").touch()
    started = time.process_time()
    assert len(find_audio(str(tmp_path))) == 20_000
    assert time.process_time() - started < 1.0
