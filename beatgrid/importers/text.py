"""Text of files whose encoding is not stated."""

from __future__ import annotations

import codecs

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes, *others: str) -> str:
    """Return a file's text with the line ends of Unix.

    A byte order mark decides; otherwise it is UTF-8 if it can be, or the first of ``others`` that
    it can be, or Latin-1, which any bytes are: what counts, digits and keywords, is ASCII.

    Args:
        data: The file.
        *others: Encodings that programs of its kind wrote.
    """
    marked = [name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)]
    for encoding in (*marked, "utf-8", *others):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
