"""Changes cut into XML, all else kept to the byte; documents that are refused."""

import xml.etree.ElementTree as ET

import pytest

from beatgrid.errors import BeatgridError
from beatgrid.export.dj.xml_document import XmlDocument, escaped, holds_path, with_attributes

WANTED = ("a", "a/b", "a/b/c")
TEXT = """<?xml version='1.0' encoding="UTF-8"?>
<!-- a > b -->
<a  x='1'
    y = "2">
\t<b n='>"' m="é &amp; 日"/>
  <b><![CDATA[<c>]]><c k="1"></c> <?pi?> <d/></b >
</a>
<!-- end -->
"""


def test_nothing_changed_is_nothing_lost():
    for data in (
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
    ):
        assert XmlDocument(data, WANTED).to_bytes() == data


def test_where_elements_lie():
    document = XmlDocument(TEXT.encode(), WANTED)
    (root,) = document.at("a")
    first, second = document.at("a/b")
    assert root.children == [first, second] == root.named("b")
    assert document.source(first.start, first.end) == """<b n='>"' m="é &amp; 日"/>"""
    assert first.is_empty
    assert first.attributes == {"n": '>"', "m": "é & 日"}
    assert document.source(second.start, second.open_end) == "<b>"
    assert document.source(second.close_start, second.end) == "</b >"
    (inner,) = document.at("a/b/c")
    assert second.children == [inner]
    assert document.source(inner.start, inner.end) == '<c k="1"></c>'
    assert document.indent(first.start) == "\n\t"
    assert document.indent(inner.start) == ""


def test_changes():
    document = XmlDocument(TEXT.encode(), WANTED)
    (root,), (first, second), (inner,) = (document.at(path) for path in WANTED)
    document.change(root, {"y": 'é"', "z": "\n"}, first="<new/>", last="<last/>")
    document.change(first, {"n": "2"}, last="<c/>")
    document.change(second, {})
    document.remove(inner)
    changed = document.to_bytes().decode()
    assert changed == TEXT.replace("""y = "2">""", """y = "é&quot;" z="&#10;"><new/>""").replace(
        """<b n='>"' m="é &amp; 日"/>""", """<b n="2" m="é &amp; 日"><c/>\n\t</b>"""
    ).replace('<c k="1"></c>', "").replace("</b >\n</a>", "</b ><last/>\n</a>")
    assert ET.fromstring(changed.encode()).attrib == {"x": "1", "y": 'é"', "z": "\n"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_other_encodings_are_kept(encoding):
    text = TEXT.replace("UTF-8", "utf-16" if "16" in encoding else encoding).replace("日", "ü")
    data = text.encode(encoding)
    if encoding == "utf-16-le":
        data = b"\xff\xfe" + data
    document = XmlDocument(data, WANTED)
    assert document.to_bytes() == data
    document.change(document.at("a/b")[0], {"m": "日é"})
    changed = ET.fromstring(document.to_bytes())
    assert changed[0].get("m") == "日é"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no element found"),
        (b"<a><b></a>", "mismatched tag"),
        (b"\x00\x01", "well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "klingon"),
        (b'<?xml version="1.0" encoding="ascii"?><a>\xc3\xa9</a>', "ascii"),
        ("<a>é</a>".encode("latin-1"), "well-formed"),
        (b"<a>&undeclared;</a>", "undefined entity"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (
            b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>',
            "document type",
        ),
    ],
)
def test_refused(data, message):
    with pytest.raises(BeatgridError, match=message):
        XmlDocument(data, WANTED)


def test_deep_nesting_does_no_harm():
    data = b"<a>" * 100_000 + b"</a>" * 100_000
    assert len(XmlDocument(data, WANTED).elements) == 1


def test_overlapping_changes_are_a_mistake_of_the_caller():
    document = XmlDocument(b"<a><b/></a>", WANTED)
    document.replace(0, 5, "")
    document.replace(3, 7, "")
    with pytest.raises(ValueError, match="overlap"):
        document.to_bytes()


def test_attributes():
    assert with_attributes("<a b='1' ab = \"2\"/>", {"b": "<"}) == '<a b="&lt;" ab = "2"/>'
    assert with_attributes("<a/>", {"b": "1"}) == '<a b="1"/>'
    assert escaped("a\x01b\ud800\n") == "a\ufffdb\ufffd&#10;"


def test_paths_that_xml_cannot_hold(caplog):
    assert holds_path("/é/日\n'\"")
    assert not caplog.records
    assert not holds_path("/a\x1b")
    assert r"/a\x1b: left out" in caplog.text
