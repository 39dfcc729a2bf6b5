"""Names of tracks, from their tags into the collections."""

import xml.etree.ElementTree as ET

import pytest
from mutagen.flac import FLAC

from beatgrid.export.dj import rekordbox, traktor, virtualdj
from beatgrid.export.dj.titles import Titles, read_titles
from beatgrid.export.options import ExportOptions
from tests.export.dj.tracks import constant
from tests.export.tags.sounds import TITLE, make


@pytest.mark.parametrize("kind", ["mp3", "flac", "ogg", "m4a", "aiff"])
def test_titles_of_each_kind_of_tag(tmp_path, kind):
    track = constant(make(tmp_path, kind))
    assert read_titles(track).title == (f"{TITLE};second" if kind in ("flac", "ogg") else TITLE)


def test_without_tags_or_file_the_name_counts(tmp_path):
    assert read_titles(constant("/none/a b.mp3")) == Titles("a b")
    (tmp_path / "c.mp3").write_text("no audio")
    assert read_titles(constant(tmp_path / "c.mp3")) == Titles("c")
    path = make(tmp_path, "wav bare")
    assert read_titles(constant(path)) == Titles(path.stem)


def test_a_title_that_is_not_utf_8(tmp_path):
    path = make(tmp_path, "mp3 bare")
    title = "Café del Mar".encode("latin-1")
    path.write_bytes(path.read_bytes() + b"TAG" + title.ljust(125, b"\0"))
    assert read_titles(constant(path)).title == "Caf\ufffd del Mar"


def test_titles_in_collections(tmp_path):
    path = make(tmp_path, "flac")
    file = FLAC(path)
    file.tags.clear()
    file.update(title="T & <t>", artist="Ä\n'B'", album="日", genre="Drum & Bass")
    file.save()
    track = constant(path)
    assert read_titles(track) == Titles("T & <t>", "Ä 'B'", "日", "Drum & Bass")
    roots = {
        module: ET.fromstring(module.render([track], ExportOptions(), None))
        for module in (rekordbox, traktor, virtualdj)
    }
    rb = roots[rekordbox].find("COLLECTION/TRACK").attrib
    assert [rb[k] for k in ("Name", "Artist", "Album", "Genre")] == [
        *("T & <t>", "Ä 'B'", "日", "Drum & Bass")
    ]
    nml = roots[traktor].find("COLLECTION/ENTRY")
    assert (nml.get("TITLE"), nml.get("ARTIST")) == ("T & <t>", "Ä 'B'")
    assert (nml.find("ALBUM").get("TITLE"), nml.find("INFO").get("GENRE")) == ("日", "Drum & Bass")
    assert roots[virtualdj].find("Song/Tags").attrib == {
        **{"Author": "Ä 'B'", "Title": "T & <t>", "Album": "日", "Genre": "Drum & Bass"}
    }
