"""XML files of other programs, changed in a few places and kept to the byte everywhere else.

A tree that is parsed and written again loses what the format does not count as content: order and
quotes of attributes, comments, white space, the declaration. Here the parser only tells where the
elements lie; the changes are cut into the text.
"""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from beatgrid.errors import BeatgridError
from beatgrid.files import printable

logger = logging.getLogger(__name__)

DOCTYPE_REFUSED = "declares a document type, which no collection has; refused"

_DECLARED_ENCODING = re.compile(rb"""^<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_START_TAG = re.compile(rb"""<[^\s/>]+(?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>""")
_ATTRIBUTE = re.compile(r"""(\s+)([^\s=]+)(\s*=\s*)("[^"]*"|'[^']*')""")
# What XML 1.0 has no way to write, surrogates included.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {
    **{"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"},
    **{"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"},
}


@dataclass(eq=False)
class Element:
    """An element and its place in the document.

    Attributes:
        path: Names of the tags around it and its own, such as "NML/COLLECTION".
        attributes: As a parser reads them.
        start: Offset of its first byte.
        open_end: Offset behind its start tag.
        close_start: Offset of its end tag, or ``open_end`` where it has none.
        end: Offset behind it.
        children: Those that were asked for, where it was as well.
    """

    path: str
    attributes: Mapping[str, str]
    start: int
    open_end: int
    close_start: int = -1
    end: int = -1
    children: list[Element] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether it is one tag, ``<name/>``."""
        return self.open_end == self.end

    def named(self, name: str) -> list[Element]:
        """Return its children of that name."""
        return [child for child in self.children if child.path == f"{self.path}/{name}"]


class XmlDocument:
    """A document, where its elements lie, and the changes that are to be made.

    Args:
        data: The file.
        wanted: Paths of the elements that matter, such as "NML/COLLECTION/ENTRY"; only those are
            kept, for collections are large.

    Raises:
        BeatgridError: It is not well-formed, or declares a document type: no DJ program writes
            one, and entities that are declared there can expand to any size or name other files.
    """

    def __init__(self, data: bytes, wanted: Collection[str]) -> None:
        self._bom, self._encoding, self._text = _utf8(data)
        self._changes: list[tuple[int, int, bytes]] = []
        self.elements: list[Element] = _parse(self._text, wanted)

    def at(self, path: str) -> list[Element]:
        """Return the elements of one of the wanted paths, in their order."""
        return [element for element in self.elements if element.path == path]

    def source(self, start: int, end: int) -> str:
        """Return a part of the document as it was."""
        return self._text[start:end].decode("utf-8")

    def replace(self, start: int, end: int, text: str) -> None:
        """Put text in the place of a part of the document; parts must not overlap."""
        self._changes.append((start, end, text.encode("utf-8")))

    def change(
        self, element: Element, attributes: Mapping[str, str], first: str = "", last: str = ""
    ) -> None:
        """Change or add attributes of an element, and put something into it.

        Once for each element, in whose start tag nothing else may change.

        Args:
            element: Any.
            attributes: Their new values.
            first: What comes before its content.
            last: What comes behind its content, before the white space of the end tag.
        """
        tag = with_attributes(self.source(element.start, element.open_end), attributes)
        if element.is_empty and (first or last):
            name = element.path.rpartition("/")[2]
            closing = f"{self.indent(element.start)}</{name}>"
            tag = f"{tag[:-2].rstrip()}>{first}{last}{closing}"
        else:
            tag += first
            if last:
                behind = self._blank_start(element.close_start)
                self.replace(behind, behind, last)
        self.replace(element.start, element.open_end, tag)

    def remove(self, element: Element) -> None:
        """Remove an element and the white space before it."""
        self.replace(self._blank_start(element.start), element.end, "")

    def indent(self, position: int) -> str:
        """Return the line break and indent that stand before a position; "" if there are none."""
        blank = self.source(self._blank_start(position), position)
        found = re.search(r"\r?\n[ \t]*\Z", blank)
        return found[0] if found else ""

    def _blank_start(self, position: int) -> int:
        while position and self._text[position - 1] in b" \t\r\n":
            position -= 1
        return position

    def to_bytes(self) -> bytes:
        """Return the document with all changes, in its own encoding."""
        parts, at = [], 0
        for start, end, text in sorted(self._changes):
            if start < at:
                raise ValueError(f"changes overlap at byte {start}")
            parts += [self._text[at:start], text]
            at = end
        changed = b"".join([*parts, self._text[at:]])
        if self._encoding == "utf-8":
            return self._bom + changed
        return self._bom + changed.decode("utf-8").encode(self._encoding, "xmlcharrefreplace")


def escaped(value: str) -> str:
    """Return a value as it stands between the double quotes of an attribute.

    What XML cannot hold, such as control characters, becomes U+FFFD.
    """
    value = _ILLEGAL.sub("\ufffd", value)
    return "".join(_ESCAPES.get(c, c) for c in value)


def holds_path(path: str) -> bool:
    """Tell whether an attribute can hold a path as it is; warn if it cannot."""
    if _ILLEGAL.search(path):
        logger.warning("%s: left out, XML cannot hold its name; rename it", printable(path))
        return False
    return True


def start_tag(name: str, attributes: Mapping[str, str]) -> str:
    """Return ``<name key="value"``, to be closed by the caller."""
    return f"<{name}" + "".join(f' {key}="{escaped(v)}"' for key, v in attributes.items())


def with_attributes(tag: str, values: Mapping[str, str]) -> str:
    """Return a start tag with some attributes changed, or added behind the others."""
    left = dict(values)

    def changed(match: re.Match[str]) -> str:
        space, key, equals, _ = match.groups()
        return f'{space}{key}{equals}"{escaped(left.pop(key))}"' if key in left else match[0]

    tag = _ATTRIBUTE.sub(changed, tag)
    added = "".join(f' {key}="{escaped(value)}"' for key, value in left.items())
    closing = re.search(r"\s*/?>$", tag)
    assert closing is not None
    return tag[: closing.start()] + added + closing[0]


def _utf8(data: bytes) -> tuple[bytes, str, bytes]:
    """Return byte order mark, encoding, and the text in UTF-8."""
    marked = [(m, e) for m, e in _BYTE_ORDER_MARKS if data.startswith(m)]
    declared = _DECLARED_ENCODING.match(data)
    named = declared[1].decode("ascii") if declared else "utf-8"
    mark, encoding = marked[0] if marked else (b"", named)
    body = data[len(mark) :]
    try:
        encoding = codecs.lookup(encoding).name
        return mark, encoding, body if encoding == "utf-8" else body.decode(encoding).encode()
    except (LookupError, ValueError) as error:
        raise BeatgridError(f"is no XML in the encoding that it declares ({error})") from error


def _parse(text: bytes, wanted: Collection[str]) -> list[Element]:
    elements: list[Element] = []
    # Of each open element its path, "" for one that can hold none that is wanted.
    paths: list[str] = []
    opened: list[Element | None] = []
    around = {path[: at.start()] for path in wanted for at in re.finditer("/", path)}
    parser = expat.ParserCreate("utf-8")

    def start(name: str, attributes: dict[str, str]) -> None:
        path = (f"{paths[-1]}/{name}" if paths[-1] else "") if paths else name
        element = None
        if path in wanted:
            at = parser.CurrentByteIndex
            tag = _START_TAG.match(text, at)
            assert tag is not None  # the parser has just read it
            element = Element(path, attributes, at, tag.end())
            elements.append(element)
            if opened and opened[-1] is not None:
                opened[-1].children.append(element)
        paths.append(path if path in around else "")
        opened.append(element)

    def end(_: str) -> None:
        paths.pop()
        element = opened.pop()
        if element is not None:
            at = parser.CurrentByteIndex
            is_tag = text[at : at + 2] == b"</"
            element.close_start = at if is_tag else element.open_end
            element.end = text.index(b">", at) + 1 if is_tag else element.open_end

    def refuse(*_: object) -> NoReturn:
        raise BeatgridError(DOCTYPE_REFUSED)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise BeatgridError(f"is no well-formed XML ({error})") from error
    return elements
