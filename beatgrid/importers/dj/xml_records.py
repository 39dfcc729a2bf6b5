"""XML libraries, track by track: of a file of any size, one track is in memory at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, NoReturn
from xml.parsers import expat

from beatgrid.export.dj.xml_document import DOCTYPE_REFUSED
from beatgrid.files import printable
from beatgrid.importers.folders import ImportFileError, SourceFile

_CHUNK_BYTES = 1 << 16
# A track has some dozens of elements, thousands if every beat has its tempo.
_MAX_ELEMENTS = 100_000
# What the parser may hold back of a tag that does not end.
_MAX_TAG_BYTES = 1 << 24


@dataclass(frozen=True)
class Record:
    """An element of a library, with all in it.

    Attributes:
        name: Of its tag.
        attributes: As a parser reads them.
        children: In their order.
    """

    name: str
    attributes: Mapping[str, str]
    children: list[Record] = field(default_factory=list)

    def get(self, key: str) -> str:
        """Return an attribute; empty where it has none of that name."""
        return self.attributes.get(key, "")

    def named(self, name: str) -> list[Record]:
        """Return its children of a name."""
        return [child for child in self.children if child.name == name]

    def child(self, name: str) -> Record:
        """Return its first child of a name; an empty one where it has none."""
        return next((child for child in self.children if child.name == name), Record(name, {}))


class _OtherRootError(Exception):
    """The document is of another kind."""


class _RefusedError(Exception):
    """It holds what no library does."""


def read_records(source: SourceFile, path: str) -> Iterator[Record]:
    """Yield the elements of a path, such as "NML/COLLECTION/ENTRY", as the file is read.

    Nothing where the document's root is another: the file only has the name of the format.

    Raises:
        ImportFileError: Behind the elements that could be read: the file is damaged, or declares a
            document type, whose entities could expand to any size or name other files.
    """
    parser = _Parser(path)
    with source.opened() as file, contextlib.suppress(_OtherRootError):
        try:
            yield from parser.records_of(file)
        except expat.ExpatError as error:
            if parser.has_root:
                reason = printable(str(error))
                raise ImportFileError(f"{source}: is no well-formed XML ({reason})") from error
        except (_RefusedError, LookupError) as error:  # the latter of an unknown encoding
            raise ImportFileError(f"{source}: {printable(str(error))}") from error


class _Parser:
    """Expat, and the elements that are complete."""

    def __init__(self, path: str) -> None:
        self.has_root = False
        self._path = path.split("/")
        self._n_open = 0  # elements
        self._n_matched = 0  # of them, from the root on, those that lead to records
        self._record: list[Record] = []  # open elements of the record that is being read
        self._n_elements = 0  # of it
        self._done: list[Record] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse

    def records_of(self, file: IO[bytes]) -> Iterator[Record]:
        """Yield the records of a file, those of each piece when it is parsed."""
        n_bytes = 0
        while True:
            chunk = file.read(_CHUNK_BYTES)
            n_bytes += len(chunk)
            failure: Exception | None = None
            try:
                self._parser.Parse(chunk, not chunk)
            except (expat.ExpatError, LookupError, _OtherRootError, _RefusedError) as error:
                failure = error
            done, self._done = self._done, []
            yield from done
            if failure is not None:
                raise failure
            if not chunk:
                return
            if n_bytes - self._parser.CurrentByteIndex > _MAX_TAG_BYTES:
                raise _RefusedError(f"has a tag of more than {_MAX_TAG_BYTES >> 20} MB; refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._n_open += 1
        if self._n_open == 1:
            if name != self._path[0]:
                raise _OtherRootError
            self.has_root = True
        if self._record:
            self._n_elements += 1
            if self._n_elements > _MAX_ELEMENTS:
                raise _RefusedError(f"has a track of more than {_MAX_ELEMENTS} elements; refused")
            self._record.append(Record(name, attributes))
            self._record[-2].children.append(self._record[-1])
        elif self._n_matched == self._n_open - 1 and self._path[self._n_matched] == name:
            self._n_matched += 1
            if self._n_matched == len(self._path):
                self._record, self._n_elements = [Record(name, attributes)], 0

    def _end(self, _: str) -> None:
        if self._record:
            record = self._record.pop()
            if not self._record:
                self._done.append(record)
        if self._n_matched == self._n_open:
            self._n_matched -= 1
        self._n_open -= 1

    def _refuse(self, name: str, *_: object) -> NoReturn:
        if name != self._path[0]:
            raise _OtherRootError
        raise _RefusedError(DOCTYPE_REFUSED)
