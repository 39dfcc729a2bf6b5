"""Paths of DJ programs: URIs, Unicode forms, case."""

import unicodedata
from urllib.parse import unquote, urlsplit

import pytest

from beatgrid.export.dj.paths import TracksByPath, from_uri, plain_path, to_uri
from tests.export.dj.tracks import AWKWARD, constant


@pytest.mark.parametrize("path", AWKWARD)
def test_uris_of_awkward_names(path):
    plain = plain_path(constant(path))
    uri = to_uri(plain)
    assert uri.isascii()
    assert from_uri(uri) == plain
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == (
        "file",
        "localhost",
        "",
        "",
    )
    assert unquote(parts.path).lstrip("/") == path.replace("\\", "/").lstrip("/")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file://localhost/C:/a%20b.mp3", "C:/a b.mp3"),
        ("file://localhost/C%3A/a.mp3", "C:/a.mp3"),
        ("file://localhost/Users/%e9%9F%B3.mp3", "/Users/音.mp3"),
        ("file:///Users/a+b.mp3", "/Users/a+b.mp3"),
        ("file://localhost//Users/a.mp3", "/Users/a.mp3"),
        ("FILE://LOCALHOST/Users/100%.mp3", "/Users/100%.mp3"),
        ("/Users/plain.mp3", "/Users/plain.mp3"),
    ],
)
def test_uris_of_others(uri, path):
    assert from_uri(uri) == path


def test_bytes_that_are_no_text():
    path = b"/music/\xff.mp3".decode("utf-8", "surrogateescape")
    assert to_uri(path) == "file://localhost/music/%FF.mp3"
    assert from_uri("file://localhost/music/%FF.mp3") == path


def find(tracks, path):
    found = TracksByPath(tracks).find(path)
    return found and plain_path(found)


def test_unicode_forms_are_one_name():
    path = "/home/dj/Café.mp3"
    for form in ("NFC", "NFD"):
        track = constant(unicodedata.normalize(form, path))
        for other in ("NFC", "NFD"):
            assert find([track], unicodedata.normalize(other, path)) == plain_path(track)


@pytest.mark.parametrize(
    ("path", "other", "same"),
    [
        ("C:\\Music\\A.mp3", "c:/music/a.MP3", True),
        ("/Users/dj/A.mp3", "/users/dj/a.mp3", False),  # no folder of macOS's
        ("/Users/dj/A.mp3", "/Users/DJ/a.mp3", True),
        ("/Volumes/X/É.mp3", "/Volumes/x/é.mp3", True),
        ("/home/dj/A.mp3", "/home/dj/a.mp3", False),
        ("/home/dj/A.mp3", "/home/dj/A.mp3", True),
    ],
)
def test_case_where_the_volume_ignores_it(path, other, same):
    assert (find([constant(path)], other) is not None) == same


def test_a_name_of_another_case_is_no_match_where_there_are_two():
    tracks = [constant("/Users/dj/A.mp3"), constant("/Users/dj/a.mp3")]
    assert find(tracks, "/Users/dj/a.mp3") == "/Users/dj/a.mp3"
    assert find(tracks, "/Users/dj/A.MP3") is None


def test_what_was_not_found():
    first, second = constant("/a.mp3"), constant("/b.mp3")
    tracks = TracksByPath([first, second, constant("/a.mp3", bpm=90)])
    assert tracks.find("/none.mp3", "/a.mp3") is first
    assert list(tracks.not_found()) == [second]
