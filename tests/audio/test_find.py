import pytest

from beatgrid.audio.find import find_audio
from beatgrid.errors import AudioError, BeatgridError


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["b.mp3", "a.FLAC", "sub/c.wav", "sub/[d] (x).ogg", "notes.txt", ".hidden.wav"]:
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "music"


def names(paths):
    return [path.name for path in paths]


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


def test_an_empty_list_is_an_error(library):
    with pytest.raises(BeatgridError, match="names no file"):
        find_audio([])
