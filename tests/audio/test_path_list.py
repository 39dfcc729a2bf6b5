import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beatgrid.audio.path_list import read_paths, write_paths
from beatgrid.errors import AudioError

AWKWARD = [
    "/music/a b (c), [d] = 'e'.mp3",
    "/music/new\nline.mp3",
    "/music/carriage\rreturn",
    "/music/\x1b[31mred.mp3",
    "/music/日本 é.mp3",
    os.fsdecode(b"/music/caf\xe9.mp3"),
    '"quoted".mp3',
    "#1.mp3",
    " space before.mp3",
    "space after.mp3 ",
    "\ttab",
    "back\\slash\\n.mp3",
    "next\x85line\u2028separator",
]


def test_any_name_comes_back(tmp_path):
    write_paths(tmp_path / "list.txt", AWKWARD)
    assert read_paths(tmp_path / "list.txt") == AWKWARD
    text = (tmp_path / "list.txt").read_bytes()
    assert text.count(b"\n") == len(AWKWARD)
    assert b"\x1b" not in text
    assert b"\n/music/a b (c), [d] = 'e'.mp3\n" in b"\n" + text  # as it is


@given(
    st.lists(st.binary(min_size=1).filter(lambda b: b"\0" not in b).map(os.fsdecode), min_size=1)
)
def test_any_bytes_come_back(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("lists") / "list.txt"
    write_paths(path, names)
    assert read_paths(path) == names


def test_a_playlist_is_a_list(tmp_path):
    (tmp_path / "list.m3u8").write_bytes(
        b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:123,Artist - Title\r\nmusic/a.mp3\r\n\r\nb.mp3"
    )
    assert read_paths(tmp_path / "list.m3u8") == ["music/a.mp3", "b.mp3"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such list"),
        (b"", "names no file"),
        (b"# nothing\n\n", "names no file"),
        (b'ok\n"no end\n', "line 2 begins with a quote"),
        (b"RIFF\0\0\0", "not a text file"),
    ],
)
def test_what_is_no_list_is_an_error(tmp_path, content, message):
    if content is not None:
        (tmp_path / "list").write_bytes(content)
    with pytest.raises(AudioError, match=message):
        read_paths(tmp_path / "list")
